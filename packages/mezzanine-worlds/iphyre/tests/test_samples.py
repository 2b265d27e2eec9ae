from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.fingerprint import item_key
from mezzanine_worlds_iphyre.catalogue import BLOCKS
from mezzanine_worlds_iphyre.samples import Click, Frame, Sample, Transition
from mezzanine_worlds_iphyre.simulate import Canvas, Episode


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    game = draw(st.sampled_from(["hole", "seesaw", "multi_ball_spring", "activated_pendulum"]))
    plan = draw(st.dictionaries(st.integers(0, 59), st.integers(0, BLOCKS[game] - 1), max_size=3))
    clicks = {block: step for step, block in plan.items()}
    ordered = tuple(sorted(Click(step, block) for block, step in clicks.items()))
    return Sample(game, ordered, draw(st.integers(0, 30)), draw(st.integers(1, 30)))


@settings(deadline=None, max_examples=30)
@given(samples())
def test_a_frame_shows_the_same_whatever_is_clicked_later(sample: Sample) -> None:
    """The identity leaves out later clicks; an episode that has them looks alike until then."""
    canvas = Canvas()
    whole = Episode(sample.game, sample.clicks)
    for frame in (sample.obs, sample.next_obs):
        whole.advance(frame.step)
        alone = Episode(frame.game, frame.clicks)
        alone.advance(frame.step)
        assert (canvas.draw(whole) == canvas.draw(alone)).all()


@given(samples(), samples())
def test_transitions_are_equal_exactly_when_frames_and_actions_are(a: Sample, b: Sample) -> None:
    same = (a.obs, a.next_obs, a.action) == (b.obs, b.next_obs, b.action)
    assert (a.transition == b.transition) is same


@given(samples())
def test_the_clicks_before_the_second_frame_are_the_history_and_the_action(sample: Sample) -> None:
    assert sample.next_obs.clicks == sample.obs.clicks + sample.action


@given(samples(), samples())
def test_keys_are_equal_exactly_when_identities_are(a: Sample, b: Sample) -> None:
    for one, other in ((a.obs, b.obs), (a.obs, b.next_obs), (a.transition, b.transition)):
        assert (item_key("s", one) == item_key("s", other)) is (one == other)


def test_a_click_takes_effect_after_its_own_step() -> None:
    sample = Sample("hole", (Click(10, 0), Click(15, 1)), start=10, delta=5)
    assert sample.obs == Frame("hole", (), 10)
    assert sample.next_obs == Frame("hole", (Click(10, 0),), 15)
    assert sample.action == (Click(10, 0),)
    assert sample.transition == Transition("hole", (Click(10, 0),), 10, 5)
