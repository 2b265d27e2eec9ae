"""Games as tasks: the oracle solves them, nothing else is taken for granted."""

import io
import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.progress import Progress
from mezzanine_core.tasks import PlayableWorld
from mezzanine_worlds_iphyre.catalogue import BLOCKS, MAX_BLOCKS
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.features import decode_clicks, encode_clicks
from mezzanine_worlds_iphyre.samples import Click, Frame, Sample
from mezzanine_worlds_iphyre.tasks import TRIES, draw_sequence, draw_tasks, search, solved
from mezzanine_worlds_iphyre.world import IphyreWorld, action_features

GAMES = ("spring", "support", "hole")


@pytest.fixture(scope="module")
def world():
    config = IphyreConfig(
        name="iphyre", games=GAMES, action_scheme="window", delta_seconds=4, image_size=16
    )
    return IphyreWorld(config)


@pytest.fixture(scope="module")
def drawn(world):
    return world.tasks(5, 3, seed=0)


def played(task, acts):
    """The last step of playing acts until the task is over."""
    with task:
        task.start()
        for act in acts:
            step = task.act(act)
            if step.over:
                return step
    return step


def oracle_clicks(task):
    return [
        click
        for window, act in enumerate(task.oracle)
        for click in decode_clicks(act, 240 * window, 240)
    ]


def test_world_is_playable(world):
    assert isinstance(world, PlayableWorld)


def test_tasks_come_from_the_games_in_turn(drawn):
    assert [task.name for task in drawn.tasks] == [
        "spring/0", "support/0", "hole/0", "spring/1", "support/1",
    ]  # fmt: skip
    assert [task.family for task in drawn.tasks][:3] == list(GAMES)


def test_oracle_solves_every_task_and_idling_solves_none(drawn):
    for task in drawn.tasks:
        assert len(task.oracle) <= task.steps
        assert played(task, task.oracle).solved
        step = played(task, [task.idle] * task.steps)
        assert step.over
        assert not step.solved


def test_simulators_own_rule_says_that_the_oracle_solves(drawn, iphyre):
    task = drawn.tasks[0]
    simulator = iphyre.simulator.IPHYRE(task.family)
    centres = simulator.get_action_space()[1:]
    blocks = dict(oracle_clicks(task))
    simulator.reset()
    done = False
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Arrays of 2-dimensional vectors")
        for step in range(720):
            position = centres[blocks[step]] if step in blocks else [0.0, 0.0]
            done = done or simulator.step(position)[2]
    assert done


def test_goals_are_frames_like_those_of_the_columns_and_differ_from_the_start(drawn, world):
    for task in drawn.tasks:
        start = task.start()
        assert task.goal.shape == start.shape == (16, 16, 3)
        assert task.goal.dtype == start.dtype == np.uint8
        assert (task.goal != start).any()


def test_goal_shows_another_solution_than_the_oracle(drawn):
    for task in drawn.tasks:
        assert set(task.goal_frame.clicks) != set(oracle_clicks(task))


def test_same_seed_gives_the_same_tasks_and_another_seed_others(world, drawn):
    again, other = world.tasks(3, 3, seed=0), world.tasks(3, 3, seed=1)
    for one, two in zip(again.tasks, drawn.tasks, strict=False):
        assert one.goal_frame == two.goal_frame
    assert [t.goal_frame for t in other.tasks] != [t.goal_frame for t in again.tasks]


def test_start_begins_anew_whatever_was_played(drawn):
    task = drawn.tasks[1]
    first = task.start()
    step = task.act(task.oracle[0])
    assert (task.start() == first).all()
    again = task.act(task.oracle[0])
    assert (again.item == step.item).all()
    assert again[1:] == step[1:]


def test_what_is_seen_is_the_frame_of_the_world(drawn, world, serial):
    task = drawn.tasks[2]
    task.start()
    act = np.zeros(12, np.float32)
    act[[1, 7]] = 1.0, 0.5
    seen = task.act(act).item
    data = IphyreWorld(world.config.model_copy(update={"n_train": 1, "n_test": 1})).load()
    column = data.transitions("train").obs
    column.frames = [Frame("hole", (Click(120, 1),), 240)]
    assert (next(iter(column.fetch(np.array([0]), serial)))[1][0] == seen).all()


def test_blocks_that_are_gone_are_neither_proposed_nor_hit(drawn):
    task = drawn.tasks[0]
    task.start()
    act = np.zeros(12, np.float32)
    act[0] = 1.0
    first = task.act(act)
    proposed = task.propose(200, 2, np.random.default_rng(0))
    assert not proposed[..., 0].any()
    assert proposed[..., 1].any()
    if not first.over:
        task.act(act)


def test_proposals_are_clicks_at_different_steps_on_each_block_once(drawn, world):
    task = drawn.tasks[2]
    task.start()
    proposed = task.propose(300, 3, np.random.default_rng(0))
    assert proposed.shape == (300, 3, 12)
    assert proposed.dtype == np.float32
    assert proposed[..., :MAX_BLOCKS].sum(axis=1).max() == 1
    quiet = (proposed == 0).all(axis=(1, 2)).mean()
    assert abs(quiet - world.config.p_no_action) < 0.1


def test_single_scheme_proposes_one_click_at_most(world):
    config = world.config.model_copy(update={"action_scheme": "single"})
    rng = np.random.default_rng(0)
    assert {len(draw_sequence(rng, (0, 2, 3), 50, config)) for _ in range(50)} == {1}


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["single", "window"]), st.integers(1, 3))
def test_clicks_are_read_back_from_their_features(seed, scheme, windows):
    config = IphyreConfig(name="iphyre", action_scheme=scheme, delta_seconds=0.5)
    clicks = draw_sequence(np.random.default_rng(seed), range(6), windows * 30, config)
    features = encode_clicks(clicks, windows, 30)
    back = [
        c for window in range(windows) for c in decode_clicks(features[window], 30 * window, 30)
    ]
    assert tuple(back) == clicks


def test_features_are_those_of_the_worlds_transitions():
    clicks = (Click(3, 1), Click(35, 0), Click(40, 2))
    sample = Sample("hole", clicks, 30, 30)
    assert (encode_clicks(clicks, 2, 30)[1] == action_features([sample])[0]).all()


@pytest.mark.parametrize("when", [-3.0, 0.0, 0.999, 5.0])
def test_clicks_fall_into_the_window_at_steps_of_their_own(when):
    features = np.zeros(12, np.float32)
    features[:3] = 1.0
    features[6:9] = when
    steps = [click.step for click in decode_clicks(features, 100, 30)]
    assert len(set(steps)) == 3
    assert all(100 <= step < 130 for step in steps)


def test_window_too_short_for_all_clicks_drops_the_last():
    features = np.zeros(12, np.float32)
    features[:4] = 1.0
    assert [click.block for click in decode_clicks(features, 0, 2)] == [0, 1]


def test_games_that_solve_themselves_are_left_out_and_named(world):
    config = world.config.model_copy(update={"games": ("spring_flick", "spring")})
    assert solved("spring_flick", (), 900) is not None
    assert search("spring_flick", 900, 1, config, seed=0).unaided
    drawn = IphyreWorld(config.model_copy(update={"delta_seconds": 15.0})).tasks(2, 1, seed=0)
    assert drawn.report["unaided"] == ["spring_flick"]
    assert {task.family for task in drawn.tasks} == {"spring"}


def test_games_that_no_random_clicks_solve_are_named(world):
    config = world.config.model_copy(update={"action_scheme": "single", "games": ("fill",)})
    with pytest.raises(DataError, match="solve only 0 of 1 games") as caught:
        IphyreWorld(config).tasks(2, 3, seed=0)
    assert "action_scheme=window" in caught.value.hint


def test_acts_that_take_longer_than_an_episode_are_refused(world):
    with pytest.raises(ConfigError, match=r"960 steps, more than the max_steps=900"):
        world.tasks(2, 4, seed=0)


def test_acts_out_of_turn_are_refused(world):
    (task,) = world.tasks(1, 3, seed=0).tasks
    with pytest.raises(DataError, match="call start"):
        task.act(task.idle)
    task.start()
    for _ in range(3):
        task.act(task.idle)
    with pytest.raises(DataError, match="call start"):
        task.act(task.idle)


def test_catalogue_counts_the_blocks_that_are_proposed(drawn):
    for task in drawn.tasks[:3]:
        task.start()
        proposed = task.propose(300, 1, np.random.default_rng(1))
        clicked = np.flatnonzero(proposed[:, 0, :MAX_BLOCKS].any(axis=0))
        assert clicked.tolist() == list(range(BLOCKS[task.family]))


def test_solving_games_says_how_far_it_is(world):
    stream = io.StringIO()
    progress = Progress(stream=stream, grace=0.0, interval=0.0)
    draw_tasks(world.config, 2, 3, seed=0, progress=progress)
    *steps, last = stream.getvalue().splitlines()
    games = TRIES * len(world.config.games)
    assert re.fullmatch(rf"solve games: \d+/{games} \(\d+%\), .* left", steps[-1])
    assert re.fullmatch(rf"solve games: {games}/{games} in \d+ s", last)
