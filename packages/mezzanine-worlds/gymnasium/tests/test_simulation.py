import gymnasium
import numpy as np
import pytest

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_gymnasium.render import RenderTask, Replay, render
from mezzanine_worlds_gymnasium.rollout import RollTask, env_ref, roll
from mezzanine_worlds_gymnasium.simulation import Simulation
from mezzanine_worlds_gymnasium.world import GymnasiumWorld

ENVIRONMENTS = ["CartPole-v1", "MountainCar-v0", "LunarLander-v3"]


@pytest.fixture
def simulation(small):
    """Opens simulations, and closes them in the end."""
    opened = []

    def make(success=None, **settings) -> Simulation:
        opened.append(Simulation(small(**settings), success=success))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_acting_with_the_features_of_an_episode_plays_it_again(small, simulation, env_id) -> None:
    config = small(env_id=env_id, delta_steps=4, frame_size=32)
    episode = roll(RollTask(config, "train", 0))
    played = simulation(env_id=env_id, delta_steps=4, frame_size=32)
    features = np.eye(len(played.names), dtype=np.float32)[episode.actions]
    items = [played.reset(episode.seed)]
    steps = list(range(4, len(episode), 4))
    items += [played.step(features[step - 4 : step].reshape(-1)).item for step in steps]
    replay = Replay(episode.seed, episode.actions, episode.history, (0, *steps))
    np.testing.assert_array_equal(items, render(RenderTask(env_ref(config), (replay,), 32)))


def test_vectors_are_those_of_gymnasium(simulation) -> None:
    ours = simulation(env_id="Pendulum-v1", observations="vector")
    env = gymnasium.make("Pendulum-v1")
    np.testing.assert_array_equal(ours.reset(3), env.reset(seed=3)[0])
    for torque in (-1.0, 0.25, 1.0):
        item, terminated, truncated, info = ours.step([torque])
        observation, reward, *_ = env.step(np.float32([2 * torque]))
        np.testing.assert_array_equal(item, observation)
        assert (terminated, truncated) == (False, False)
        assert (info["reward"], info["steps"]) == (pytest.approx(reward), 1)


def test_a_chunk_is_its_actions_one_after_the_other(simulation) -> None:
    one, other = (simulation(env_id="Pendulum-v1", observations="vector") for _ in range(2))
    one.reset(5), other.reset(5)
    chunk = np.float32([1.0, -1.0, 0.5])
    at_once = one.step(chunk)
    singly = [other.step(action) for action in chunk[:, None]]
    np.testing.assert_array_equal(at_once.item, singly[-1].item)
    assert at_once.info["reward"] == pytest.approx(sum(step.info["reward"] for step in singly))
    assert at_once.info["steps"] == 3


def test_bounds_are_those_of_a_transition_of_the_world(small, simulation) -> None:
    played = simulation(env_id="LunarLander-v3")
    low, high = played.bounds
    split = GymnasiumWorld(small(env_id="LunarLander-v3")).load().transitions("train")
    assert low.shape == high.shape == split.action.shape[1:]
    assert (split.action >= low).all()
    assert (split.action <= high).all()
    assert [f"{name}@0" for name in played.names] == list(split.action_names[:4])


def test_an_episode_ends_at_max_steps_and_no_action_follows(simulation) -> None:
    played = simulation(env_id="Pendulum-v1", observations="vector", max_steps=5)
    played.reset(0)
    assert not played.step([0.0] * 4).truncated
    last = played.step([0.0] * 4)
    assert (last.truncated, last.terminated, last.info["steps"]) == (True, False, 1)
    with pytest.raises(DataError, match="no episode to act in"):
        played.step([0.0])
    played.reset(0)
    assert not played.step([0.0]).truncated


def test_actions_after_the_end_of_the_episode_are_left_out(simulation) -> None:
    played = simulation(env_id="gym_toys:Line-v0", env_kwargs={"end": 3})
    played.reset(0)
    last = played.step([0.0, 1.0] * 9)
    assert (last.terminated, last.truncated, last.info["steps"]) == (True, False, 3)


def test_acting_before_the_first_episode_is_refused(simulation) -> None:
    with pytest.raises(DataError, match="call reset"):
        simulation().step([0.0, 1.0])
    with pytest.raises(DataError, match="call reset"):
        simulation().success()


@pytest.mark.parametrize(
    ("action", "culprit"),
    [
        ([1.0], "expected \\[2\\]"),
        ([[1.0, 0.0]], "shape \\[1, 2\\]"),
        ([], "shape \\[0\\]"),
        ([np.nan, 1.0], "NaN"),
    ],
)
def test_features_that_are_no_action_are_refused(simulation, action, culprit) -> None:
    played = simulation()
    played.reset(0)
    with pytest.raises(DataError, match=culprit):
        played.step(action)


def test_success_is_what_the_environment_reports(simulation) -> None:
    played = simulation(env_id="gym_toys:Line-v0")
    played.reset(0)
    reached = []
    for _ in range(4):
        played.step([0.0, 1.0])
        reached.append(played.success())
    # Two further with every step; success is beyond 5.
    assert reached == [False, False, True, True]


def test_the_car_succeeds_when_it_is_swung_up_the_mountain(simulation) -> None:
    played = simulation(env_id="MountainCar-v0", observations="vector", max_steps=200)
    item, over = played.reset(0), False
    while not over:
        assert not played.success()
        item, terminated, truncated, _ = played.step([0, 0, 1] if item[1] >= 0 else [1, 0, 0])
        over = terminated or truncated
    assert played.success()
    assert item[0] >= 0.5


def test_the_pendulum_succeeds_upright(simulation) -> None:
    played = simulation(env_id="Pendulum-v1", observations="vector")
    for seed in range(40):
        upright = played.reset(seed)[0] >= 0.95
        assert played.success() == upright


def test_a_rule_of_the_caller_decides(simulation) -> None:
    played = simulation(lambda outcome: outcome.observation[0] < 0, observations="vector")
    for seed in range(9):
        assert played.success() if played.reset(seed)[0] < 0 else not played.success()


def test_an_environment_without_a_goal_says_so(simulation) -> None:
    played = simulation()
    played.reset(0)
    with pytest.raises(ConfigError, match="'CartPole-v1' does not say when its goal is reached"):
        played.success()


def test_what_the_environment_raises_is_named(simulation) -> None:
    played = simulation(env_id="gym_toys:Line-v0", env_kwargs={"fault": "raise"})
    played.reset(0)
    with pytest.raises(DataError, match="'gym_toys:Line-v0' fails at step 0: RuntimeError"):
        played.step([1.0, 0.0] * 5)


@pytest.mark.parametrize(
    "settings",
    [
        {"env_id": "gym_toys:Blind-v0"},
        {"env_id": "gym_toys:Line-v0", "env_kwargs": {"action": "dict"}},
        {"env_id": "gym_toys:Words-v0", "observations": "vector"},
    ],
    ids=str,
)
def test_an_environment_that_the_world_refuses_is_refused(small, settings) -> None:
    with pytest.raises(DataError):
        Simulation(small(**settings))
