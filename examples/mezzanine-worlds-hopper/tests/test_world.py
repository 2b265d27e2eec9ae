"""What this world promises besides the laws of all worlds."""

import numpy as np
import pytest
from mezzanine_core.errors import ConfigError, DataError
from pydantic import ValidationError

from mezzanine_worlds_hopper.config import HopperConfig
from mezzanine_worlds_hopper.episodes import STREAMS, generator, obey, play
from mezzanine_worlds_hopper.world import HopperWorld


def load(**settings):
    return HopperWorld(HopperConfig(**{"n_train": 60, "n_test": 20, **settings})).load()


def test_every_transition_is_what_the_robot_does_when_told() -> None:
    config = HopperConfig(n_train=60, n_test=20, delta_hops=2)
    split = HopperWorld(config).load().transitions("train")
    apex = np.concatenate([items for _, items in split.obs.fetch(np.arange(60), None)])
    after = np.concatenate([items for _, items in split.next_obs.fetch(np.arange(60), None)])
    assert split.action_names == ("lean@0", "thrust@0", "lean@1", "thrust@1")
    played = apex.astype(np.float64)
    for commands in np.split(split.action, 2, axis=1):
        played = obey(played, commands, config).apex
    # Observations are rounded to float32; the robot went on from what they were before.
    np.testing.assert_allclose(after, played, atol=1e-5)


def test_an_episode_does_not_depend_on_which_are_played_with_it() -> None:
    config = HopperConfig(seed=3)
    together = play(config, "train", range(9), hops=6)
    (alone,) = play(config, "train", [7], hops=6)
    np.testing.assert_array_equal(alone.apexes, together[7].apexes)
    np.testing.assert_array_equal(alone.commands, together[7].commands)


def test_splits_have_episodes_of_their_own() -> None:
    config = HopperConfig()
    train, test = (play(config, stream, range(50), hops=1) for stream in ("train", "test"))
    starts = {tuple(episode.apexes[0]) for episode in (*train, *test)}
    assert len(starts) == 100


def test_all_random_numbers_are_different_ones() -> None:
    streams = [generator(0, stream) for stream in STREAMS]
    episodes = [generator(0, stream, number) for stream in STREAMS for number in range(20)]
    others = [generator(1, stream) for stream in STREAMS]
    drawn = [rng.random() for rng in (*streams, *episodes, *others)]
    assert len(set(drawn)) == len(drawn)


def test_commands_are_spread_evenly_and_do_not_follow_from_what_is_seen() -> None:
    episodes = play(HopperConfig(), "train", range(10_000), hops=1)
    commands = np.concatenate([episode.commands for episode in episodes])
    apexes = np.concatenate([episode.apexes[:1] for episode in episodes if len(episode.commands)])
    assert abs(commands.mean(axis=0)).max() < 0.05
    assert abs(np.corrcoef(apexes.T, commands.T)[:2, 2:]).max() < 0.05


def test_an_episode_ends_where_the_robot_falls() -> None:
    episodes = play(HopperConfig(lean_degrees=15), "train", range(200), hops=20)
    fell = [episode for episode in episodes if len(episode.commands) < 20]
    assert 0 < len(fell) < 200
    for episode in episodes:
        assert len(episode.apexes) == len(episode.commands) + 1
        assert np.isfinite(episode.apexes).all()


def test_frames_and_vectors_are_of_the_same_robots() -> None:
    vectors, frames = load(), load(observations="frames")
    for name in ("train", "test"):
        one, other = vectors.transitions(name), frames.transitions(name)
        np.testing.assert_array_equal(one.action, other.action)
        assert (one.obs.kind, other.obs.kind) == ("vector", "image")


def test_robots_that_always_fall_are_an_error_that_says_what_to_change() -> None:
    with pytest.raises(DataError, match="fall too often") as raised:
        load(stiffness=5_000, gravity=25)
    assert "lean_degrees" in raised.value.hint


def test_a_sample_longer_than_every_episode_is_refused() -> None:
    with pytest.raises(ValidationError, match="delta_hops=9 is longer than every episode"):
        HopperConfig(delta_hops=9)


@pytest.mark.parametrize("observations", ["vector", "frames"])
def test_tasks_show_what_the_columns_show(observations) -> None:
    world = HopperWorld(HopperConfig(observations=observations, delta_hops=2))
    for task in world.tasks(3, 2, seed=1).tasks:
        with task:
            start = task.start()
            assert (start.shape, start.dtype) == (task.goal.shape, task.goal.dtype)
            assert not task.act(task.idle).solved
            step = task.act(task.idle)
            assert (step.over, step.solved) == (True, False), "doing nothing solves it"


def test_a_robot_that_falls_is_out() -> None:
    (task,) = HopperWorld(HopperConfig(thrust_metres=0.1)).tasks(1, 8, seed=0).tasks
    task.start()
    for _ in range(8):
        step = task.act(np.float32([0, -1]))
        if step.over:
            break
    assert not step.solved
    with pytest.raises(DataError, match=r"call start\(\) first"):
        task.act(task.idle)


def test_tasks_longer_than_every_episode_are_refused() -> None:
    with pytest.raises(ConfigError, match="9 acts of delta_hops=1 are 9 hops"):
        HopperWorld(HopperConfig()).tasks(1, 9, seed=0)
