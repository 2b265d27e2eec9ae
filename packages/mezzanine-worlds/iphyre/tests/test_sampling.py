from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_worlds_iphyre.catalogue import BLOCKS, GAMES
from mezzanine_worlds_iphyre.sampling import draw, episodes, quotas


@given(st.integers(1, 500), st.lists(st.sampled_from(GAMES), min_size=1, unique=True))
def test_quotas_are_as_equal_as_possible_with_the_rest_on_the_first(n: int, games: list) -> None:
    shares = list(quotas(n, tuple(games)).values())
    assert sum(shares) == n
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


@pytest.mark.parametrize("scheme", ["single", "window"])
@pytest.mark.parametrize("each", [1, 3])
def test_a_larger_draw_begins_with_the_smaller_one(small, scheme: str, each: int) -> None:
    config = small(action_scheme=scheme, per_episode_samples=each)
    assert draw(config, "train", "hole", 50)[:20] == draw(config, "train", "hole", 20)


def test_the_draws_of_a_game_depend_on_no_other_game_and_on_no_size(small) -> None:
    alone = draw(small(games="seesaw", n_train=5), "train", "seesaw", 30)
    among = draw(small(games="hole,fill,seesaw", n_test=7), "train", "seesaw", 30)
    assert alone == among


def test_seed_split_and_game_give_different_draws(small) -> None:
    def starts(config, split, game) -> tuple[int, ...]:
        return tuple(sample.start for sample in draw(config, split, game, 20))

    every = [
        starts(small(), "train", "hole"),
        starts(small(), "test", "hole"),
        starts(small(), "train", "angle"),
        starts(small(seed=1), "train", "hole"),
    ]
    assert len(set(every)) == len(every)


def test_starts_lie_in_the_episode_and_differ_within_it(small) -> None:
    config = small(per_episode_samples=91)
    for _, samples in islice(episodes(config, "train", "hole"), 5):
        assert sorted(sample.start for sample in samples) == list(range(91))
        assert config.starts == 91


def test_starts_are_uniform_over_the_episode(small) -> None:
    starts = [sample.start for sample in draw(small(), "train", "hole", 4000)]
    assert set(starts) == set(range(91))
    assert abs(sum(starts) / len(starts) - 45) < 2


def test_a_single_click_lies_in_the_window_of_the_first_sample(small) -> None:
    config = small(per_episode_samples=4)
    offsets, blocks, quiet = set(), set(), 0
    for _, samples in islice(episodes(config, "train", "hole"), 600):
        first = samples[0]
        assert len(first.clicks) <= 1
        assert first.action == first.clicks
        assert {sample.clicks for sample in samples} == {first.clicks}
        quiet += not first.clicks
        offsets |= {click.step - first.start for click in first.clicks}
        blocks |= {click.block for click in first.clicks}
    assert offsets == set(range(config.delta_steps))
    assert blocks == set(range(BLOCKS["hole"]))
    assert abs(quiet / 600 - 0.35) < 0.06


def test_window_clicks_reach_every_subset_and_have_one_in_the_window(small) -> None:
    config = small(action_scheme="window")
    subsets, histories = set(), 0
    for sample in draw(config, "train", "hole", 1000):
        steps = [click.step for click in sample.clicks]
        chosen = [click.block for click in sample.clicks]
        assert steps == sorted(set(steps))
        assert len(set(chosen)) == len(chosen)
        assert all(0 <= step < sample.start + sample.delta for step in steps)
        assert bool(sample.action) is bool(sample.clicks)
        subsets.add(frozenset(chosen))
        histories += bool(sample.obs.clicks)
    assert len(subsets) == 2 ** BLOCKS["hole"]
    assert 200 < histories < 600


def test_where_steps_are_fewer_than_chosen_blocks_the_rest_stays(small) -> None:
    config = small(
        action_scheme="window", delta_seconds=1 / 60, max_steps=2, p_no_action=0, games="hole"
    )
    sizes = {(s.start, len(s.clicks)) for s in draw(config, "train", "hole", 200)}
    assert sizes == {(0, 1), (1, 1), (1, 2)}


@pytest.mark.parametrize(("p", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_p_no_action_at_its_ends_is_exact(small, p: float, share: float) -> None:
    samples = draw(small(p_no_action=p), "train", "seesaw", 200)
    assert sum(not sample.clicks for sample in samples) / 200 == share
