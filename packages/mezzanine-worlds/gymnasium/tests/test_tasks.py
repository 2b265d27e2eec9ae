"""Goals in environments: the oracle reaches them, nothing else is taken for granted."""

import numpy as np
import pytest

from mezzanine_core.config.resolve import resolve
from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.plugins import load_registry
from mezzanine_core.progress import Progress
from mezzanine_core.runs.execution import execute
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.tasks import PlayableWorld
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.rollout import generator
from mezzanine_worlds_gymnasium.tasks import TOLERANCE
from mezzanine_worlds_gymnasium.world import GymnasiumWorld

WORLDS = {
    "continuous": {"env_id": "MountainCarContinuous-v0", "delta_steps": 10},
    "pendulum": {"env_id": "Pendulum-v1", "delta_steps": 4},
    "choices": {"env_id": "CartPole-v1", "delta_steps": 2},
}


def make_world(**settings):
    given = {"name": "gymnasium", "observations": "vector", "frame_size": 16, **settings}
    return GymnasiumWorld(GymnasiumConfig.model_validate(given))


@pytest.fixture(scope="module", params=list(WORLDS))
def world(request):
    return make_world(**WORLDS[request.param])


@pytest.fixture(scope="module")
def drawn(world):
    return world.tasks(4, 3, seed=0)


def played(task, acts):
    with task:
        task.start()
        for act in acts:
            step = task.act(act)
            if step.over:
                break
    return step


def test_world_is_playable(world):
    assert isinstance(world, PlayableWorld)


def test_oracle_solves_every_task(drawn):
    for task in drawn.tasks:
        step = played(task, task.oracle)
        assert step.solved
        assert step.over
        assert step.distance <= TOLERANCE


def test_doing_nothing_solves_none_where_it_can_be_done(drawn):
    for task in drawn.tasks:
        if task.idle is not None:
            assert not played(task, [task.idle] * task.steps).solved


def test_goal_is_a_vector_like_those_of_the_columns_and_away_from_the_start(drawn):
    for task in drawn.tasks:
        with task:
            start = task.start()
        assert task.goal.shape == start.shape
        assert task.goal.dtype == start.dtype == np.float32
        assert task.start_distance > TOLERANCE


def test_goal_is_what_the_oracle_sees_at_its_end(drawn):
    for task in drawn.tasks:
        if len(task.oracle) == task.steps and not played(task, task.oracle[:-1]).over:
            assert (played(task, task.oracle).item == task.goal).all()


def test_same_seed_gives_the_same_tasks_and_another_seed_others(world, drawn):
    again, other = world.tasks(2, 3, seed=0), world.tasks(2, 3, seed=1)
    for one, two in zip(again.tasks, drawn.tasks, strict=False):
        assert one.name == two.name
        assert (one.goal == two.goal).all()
        assert (one.oracle == two.oracle).all()
    assert any(
        (one.goal != two.goal).any() for one, two in zip(again.tasks, other.tasks, strict=True)
    )


def test_proposals_are_within_the_bounds_and_of_their_generator(drawn):
    task = drawn.tasks[0]
    with task:
        task.start()
        one, two = (task.propose(5, 3, np.random.default_rng(7)) for _ in range(2))
        assert (one == two).all()
        assert one.dtype == np.float32
        assert one.shape == (5, 3, task.oracle.shape[1])
        if task.bounds is not None:
            low, high = task.bounds
            assert ((low <= one) & (one <= high)).all()


def test_start_begins_anew_whatever_was_played(drawn):
    task = drawn.tasks[0]
    with task:
        first = task.start()
        step = task.act(task.oracle[0])
        assert (task.start() == first).all()
        again = task.act(task.oracle[0])
        assert (again.item == step.item).all()
        assert again[1:] == step[1:]


def test_acts_out_of_turn_are_refused(drawn):
    task = drawn.tasks[0]
    with pytest.raises(DataError, match="call start"):
        task.act(task.oracle[0])
    with task:
        task.start()
        while not task.act(task.oracle[-1]).over:
            pass
        with pytest.raises(DataError, match="call start"):
            task.act(task.oracle[0])
        task.start()
        with pytest.raises(DataError, match="shape"):
            task.act(task.oracle[0][:-1])


def test_continuous_actions_have_bounds_and_choices_have_none():
    (box,) = make_world(**WORLDS["pendulum"]).tasks(1, 2, seed=0).tasks
    assert box.bounds[0].tolist() == [-1.0] * 4
    assert box.bounds[1].tolist() == [1.0] * 4
    assert box.idle.tolist() == [0.0] * 4
    (choice,) = make_world(**WORLDS["choices"]).tasks(1, 2, seed=0).tasks
    assert choice.bounds is None
    assert choice.idle is None
    with choice:
        choice.start()
        proposed = choice.propose(50, 2, np.random.default_rng(0)).reshape(-1, 2)
    assert set(map(tuple, proposed.tolist())) == {(0.0, 1.0), (1.0, 0.0)}


def test_held_actions_are_proposed_held():
    world = make_world(env_id="Pendulum-v1", delta_steps=4, repeat_action=2)
    (task,) = world.tasks(1, 3, seed=0).tasks
    with task:
        task.start()
        proposed = task.propose(6, 3, np.random.default_rng(0)).reshape(6, 6, 2)
    assert (proposed[..., 0] == proposed[..., 1]).all()
    assert len(np.unique(proposed[..., 0])) == 36


def test_tasks_start_apart_from_the_episodes_of_both_splits():
    config = make_world(**WORLDS["pendulum"]).config
    starts = [
        {int(generator(config, stream, number).integers(2**31)) for number in range(300)}
        for stream in (0, 1, 4)
    ]
    assert not starts[0] & starts[2]
    assert not starts[1] & starts[2]


def test_goals_are_frames_where_the_world_gives_frames():
    world = make_world(env_id="MountainCarContinuous-v0", observations="frames", delta_steps=10)
    (task,) = world.tasks(1, 3, seed=0).tasks
    assert task.goal.shape == (16, 16, 3)
    assert task.goal.dtype == np.uint8
    step = played(task, task.oracle)
    assert step.solved
    assert (step.item == task.goal).all()


def test_environments_own_success_decides_where_it_ended_the_episode():
    world = make_world(env_id="MountainCar-v0", delta_steps=40, policy="gym_toys:push")
    drawn = world.tasks(2, 5, seed=0)
    assert drawn.report["by_rule"] == 2
    for task in drawn.tasks:
        assert task.goal[0] >= 0.5
        assert played(task, task.oracle).solved


def test_episodes_that_end_without_success_make_no_task():
    with pytest.raises(DataError, match=r"'ended early': \d+"):
        make_world(env_id="CartPole-v1", delta_steps=50).tasks(1, 4, seed=0)


def test_acts_that_take_longer_than_an_episode_are_refused():
    with pytest.raises(ConfigError, match=r"220 steps, more than the max_steps=200"):
        make_world(env_id="Pendulum-v1", delta_steps=20).tasks(1, 11, seed=0)


def test_observations_without_numbers_are_refused(toy):
    world = toy({}, env_id="gym_toys:Words-v0", observations="frames")
    with pytest.raises(DataError, match="how far a state is from a goal"):
        world.tasks(1, 2, seed=0)


def test_episodes_that_doing_nothing_solves_are_passed_over_and_counted():
    drawn = make_world(env_id="Pendulum-v1", delta_steps=2).tasks(3, 3, seed=0)
    assert drawn.report["passed_over"]["solved by doing nothing"] > 0


@pytest.mark.slow
def test_plans_of_a_trained_model_reach_goals_that_random_actions_do_not(tmp_path):
    registry = load_registry()
    flags = {
        "world.env_id": "MountainCarContinuous-v0",
        **{"world.observations": "vector", "world.delta_steps": 10},
        **{"encoder": "vector", "encoder.dim": 4},
        **{"encoder.offset": [-0.5, 0.0], "encoder.scale": [0.1, 0.01]},
        **{"n_train": 1500, "n_test": 100, "train_steps": 600, "hidden": 64, "train_lr": 3e-3},
        **{"do_mpc": True, "mpc_tasks": 10, "mpc_steps": 3, "seeds": [0], "bootstrap": 300},
    }
    resolved = resolve(registry, "gymnasium_latent_dynamics", flags=flags)
    settings = RunSettings(out=tmp_path / "out", cache_dir=tmp_path / "cache", workers=1)
    record, _ = execute(resolved, settings, registry, Progress(quiet=True))
    rates = {name: record.metrics[f"mpc_{name}"]["success"] for name in ("action", "random")}
    assert record.diagnostics["mpc"]["planner"] == "cem"
    assert rates["action"].low > rates["random"].high
    assert record.metrics["mpc_oracle"]["success"].value == 1
    assert record.metrics["mpc_idle"]["success"].value == 0
