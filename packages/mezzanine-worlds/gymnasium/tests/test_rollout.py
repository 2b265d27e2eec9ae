import io

import gymnasium
import numpy as np
import pytest

from mezzanine_core.errors import ConfigError, DataError, MissingDependencyError
from mezzanine_core.progress import Progress
from mezzanine_worlds_gymnasium.rollout import Episode, RollTask, play_split, roll
from mezzanine_worlds_gymnasium.saved import save_policy

ENVIRONMENTS = ["CartPole-v1", "Pendulum-v1", "MountainCar-v0", "LunarLander-v3", "Taxi-v4"]


def _same(one: Episode, other: Episode) -> bool:
    return one.seed == other.seed and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("actions", "observed", "history", "vectors")
    )


@pytest.mark.parametrize("env_id", [*ENVIRONMENTS, "InvertedPendulum-v5"])
def test_an_episode_is_what_gymnasium_gives_for_its_seed_and_actions(small, env_id: str) -> None:
    episode = roll(RollTask(small(env_id=env_id, observations="vector"), "train", 3))
    env = gymnasium.make(env_id, max_episode_steps=40)
    observation, _ = env.reset(seed=episode.seed)
    seen, over = [observation], False
    for action in episode.actions:
        assert not over
        observation, _, terminated, truncated, _ = env.step(action)
        seen.append(observation)
        over = terminated or truncated
    env.close()
    assert over
    assert episode.terminated is bool(terminated)
    flat = [gymnasium.spaces.flatten(env.observation_space, each) for each in seen]
    np.testing.assert_array_equal(episode.vectors, np.array(flat, np.float32))


def test_an_episode_depends_on_seed_split_and_number_alone(small) -> None:
    one = roll(RollTask(small(), "train", 1))
    assert _same(one, roll(RollTask(small(n_train=500, pairs_per_episode=3), "train", 1)))
    for task in (
        RollTask(small(), "train", 2),
        RollTask(small(), "test", 1),
        RollTask(small(seed=1), "train", 1),
    ):
        assert not _same(one, roll(task))


def test_episodes_are_the_same_however_many_environments_play_at_once(small) -> None:
    settings = {"n_train": 60, "policy": "gym_toys:mostly_right", "epsilon": 0.2}
    alone, together = (play_split(small(**settings, num_envs=n), "train", 60) for n in (1, 2))
    assert len(alone) == len(together)
    assert all(map(_same, alone, together))


def test_as_few_episodes_are_played_as_give_the_samples_and_the_spread(toy) -> None:
    config = toy({"end": 20}, delta_steps=5, pairs_per_episode=None).config
    # 21 observations give 16 pairs 5 steps apart.
    assert [len(play_split(config, "train", n)) for n in (1, 16, 17, 32)] == [1, 1, 2, 2]
    spread = toy({"end": 20}, delta_steps=5, pairs_per_episode=4).config
    assert [len(play_split(spread, "train", n)) for n in (1, 16, 17, 32)] == [1, 4, 5, 8]


def test_more_samples_begin_with_the_same_episodes(small) -> None:
    few, many = (play_split(small(), "train", n) for n in (20, 80))
    assert len(few) < len(many)
    assert all(map(_same, few, many))


def test_episodes_end_at_max_steps_in_place_of_the_limit_of_the_environment(small) -> None:
    config = small(env_id="MountainCar-v0", max_steps=300)
    episode = roll(RollTask(config, "train", 0))
    assert len(episode.actions) == 300
    assert not episode.terminated


def test_actions_are_held_as_long_as_asked(small) -> None:
    config = small(env_id="Pendulum-v1", repeat_action=4)
    actions = roll(RollTask(config, "train", 0)).actions.reshape(10, 4)
    assert (actions == actions[:, :1]).all()
    assert len(np.unique(actions)) == 10


def test_epsilon_mixes_random_actions_in(toy) -> None:
    def share(epsilon: float) -> float:
        config = toy(policy="gym_toys:always_right", epsilon=epsilon, max_steps=400).config
        return float(roll(RollTask(config, "train", 0)).actions.mean())

    assert share(0.0) == 1.0
    assert 0.4 < share(1.0) < 0.6
    assert 0.65 < share(0.5) < 0.85


def test_a_scripted_policy_sees_the_observation(small) -> None:
    config = small(
        env_id="MountainCar-v0", policy="gym_toys:push", max_steps=200, observations="vector"
    )
    episode = roll(RollTask(config, "train", 0))
    assert episode.terminated
    expected = np.where(episode.vectors[:-1, 1] >= 0, 2, 0)
    np.testing.assert_array_equal(episode.actions, expected)


def test_a_saved_policy_acts_on_the_observation(small, tmp_path) -> None:
    # The action of the side that the pole leans to.
    weights = np.array([[0.0, 0.0], [0.0, 0.0], [-1.0, 1.0], [-0.5, 0.5]])
    save_policy(tmp_path / "lean.npz", [(weights, np.zeros(2))])
    policy = f"saved:{tmp_path / 'lean.npz'}"
    episode = roll(RollTask(small(policy=policy, observations="vector"), "train", 0))
    leans = episode.vectors[:-1, 2] + 0.5 * episode.vectors[:-1, 3] > 0
    np.testing.assert_array_equal(episode.actions, leans)
    assert len(episode.actions) == 40


def test_histories_are_shared_exactly_as_long_as_seed_and_actions_are(small) -> None:
    random = roll(RollTask(small(policy="random"), "train", 0))
    right = roll(RollTask(small(policy="gym_toys:always_right"), "train", 0))
    steps = min(len(random), len(right))
    apart = int(np.argmax(random.actions[: steps - 1] != right.actions[: steps - 1]))
    same = (random.history[:steps] == right.history[:steps]).all(axis=1)
    assert same.tolist() == [step <= apart for step in range(steps)]


@pytest.mark.parametrize("observations", ["frames", "vector"])
def test_an_observation_that_is_not_finite_is_named_with_its_step(toy, observations) -> None:
    config = toy({"fault": "nan"}, observations=observations).config
    with pytest.raises(DataError, match=r"not finite, at step 3 of train episode 2") as caught:
        roll(RollTask(config, "train", 2))
    assert "gym_toys:Line-v0" in str(caught.value)


def test_what_the_environment_raises_is_named_with_the_seed(toy) -> None:
    with pytest.raises(DataError, match=r"playing the episode of seed \d+: RuntimeError: the wh"):
        roll(RollTask(toy({"fault": "raise"}).config, "train", 0))


@pytest.mark.parametrize(
    ("policy", "error", "culprit"),
    [
        ("gym_toys:too_far", DataError, r"'gym_toys:too_far' at step 0 gave the action 7"),
        ("gym_toys:broken", DataError, r"'gym_toys:broken' at step 0 fails: IndexError"),
        ("gym_toys:absent", ConfigError, "no function 'absent'"),
        ("no_such_module:act", MissingDependencyError, "no_such_module"),
        ("saved:/no/such.npz", ConfigError, "no policy file"),
    ],
)
def test_a_policy_that_cannot_act_is_named(toy, policy, error, culprit) -> None:
    with pytest.raises(error, match=culprit):
        roll(RollTask(toy(policy=policy).config, "train", 0))


def test_a_delta_longer_than_every_episode_is_told_with_the_longest(toy) -> None:
    config = toy({"end": 6}, delta_steps=7, max_episodes=5, pairs_per_episode=None).config
    with pytest.raises(DataError, match=r"longer than every episode: the longest of 5 .* 6 steps"):
        play_split(config, "train", 3)


def test_too_few_pairs_are_told_with_their_number(toy) -> None:
    config = toy({"end": 6}, delta_steps=5, max_episodes=4, pairs_per_episode=None).config
    with pytest.raises(DataError, match=r"9 test samples .* max_episodes=4 .* have 8 pairs"):
        play_split(config, "test", 9)
    assert len(play_split(config, "test", 8)) == 4


def test_playing_says_how_many_of_the_episodes_it_has_played(toy) -> None:
    config = toy({"end": 20}, delta_steps=5, pairs_per_episode=None).config
    stream = io.StringIO()
    # 21 observations give 16 pairs 5 steps apart.
    play_split(config, "train", 64, Progress(stream=stream, grace=0.0, interval=0.0))
    lines = [line.split(",")[0] for line in stream.getvalue().splitlines()]
    assert lines[:-1] == [
        f"play train episodes: {n}/4 ({percent}%)"
        for n, percent in enumerate((25, 50, 75, 100), start=1)
    ]
