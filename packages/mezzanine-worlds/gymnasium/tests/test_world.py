import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import (
    ConfigError,
    DataError,
    MissingDependencyError,
    UnknownNameError,
)
from mezzanine_worlds_gymnasium.actions import action_codec
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.environments import make
from mezzanine_worlds_gymnasium.rollout import env_ref, play_split
from mezzanine_worlds_gymnasium.world import GymnasiumWorld


def _text(keys: np.ndarray) -> list[bytes]:
    return [key.tobytes() for key in keys]


def test_samples_are_observations_and_the_actions_between_them(small, fetched) -> None:
    config = small(env_id="Pendulum-v1", observations="vector", delta_steps=3)
    split = GymnasiumWorld(config).load().transitions("train")
    episodes = play_split(config, "train", config.n_train)
    codec = action_codec(make(env_ref(config)).action_space, config.env_id)
    known = {
        (e.vectors[t].tobytes(), e.vectors[t + 3].tobytes()): (number, e.actions[t : t + 3])
        for number, e in enumerate(episodes)
        for t in range(len(e) - 3)
    }
    obs, next_obs = fetched(split.obs), fetched(split.next_obs)
    found = [
        known[one.tobytes(), other.tobytes()] for one, other in zip(obs, next_obs, strict=True)
    ]
    features = [codec.features(actions).reshape(-1) for _, actions in found]
    np.testing.assert_array_equal(split.action, features)
    assert split.action_names == ("action0@0", "action0@1", "action0@2")
    numbers = np.array([number for number, _ in found])
    same = split.episode[:, None] == split.episode[None, :]
    np.testing.assert_array_equal(same, numbers[:, None] == numbers[None, :])


def test_frames_before_and_after_are_delta_steps_apart_in_one_episode(toy, fetched) -> None:
    world = toy(frame_size=None, delta_steps=4)
    split = world.load().transitions("train")
    assert (split.next_obs.step - split.obs.step == 4).all()
    np.testing.assert_array_equal(split.obs.episode, split.next_obs.episode)
    # The red of the toy's mark is the step.
    before, after = (
        fetched(column)[..., 0].max(axis=(1, 2)) for column in (split.obs, split.next_obs)
    )
    np.testing.assert_array_equal(before, split.obs.step)
    np.testing.assert_array_equal(after, split.next_obs.step)


@settings(deadline=None, max_examples=15)
@given(
    st.sampled_from(["CartPole-v1", "FrozenLake-v1", "Pendulum-v1"]),
    st.sampled_from(["frames", "vector"]),
    st.integers(1, 4),
    st.integers(0, 10**6),
)
def test_equal_transition_keys_mean_equal_observations_and_actions(
    env_id, observations, delta, seed
) -> None:
    config = GymnasiumConfig(
        env_id=env_id,
        observations=observations,
        delta_steps=delta,
        seed=seed,
        n_train=20,
        n_test=10,
        max_steps=20,
        pairs_per_episode=5,
    )
    data = GymnasiumWorld(config).load()
    known: dict[bytes, tuple] = {}
    for split in map(data.transitions, ("train", "test")):
        columns = (_text(split.obs.keys), _text(split.next_obs.keys), split.action.tolist())
        for key, *rest in zip(_text(split.keys), *columns, strict=True):
            assert known.setdefault(key, rest) == rest
    assert len(set(map(repr, known.values()))) == len(known)


@pytest.mark.parametrize(
    ("env_id", "size"),
    [
        ("CartPole-v1", 2),
        ("Pendulum-v1", 1),
        ("MountainCar-v0", 3),
        ("MountainCarContinuous-v0", 1),
        ("LunarLander-v3", 4),
        ("BipedalWalker-v3", 4),
        ("InvertedPendulum-v5", 1),
        ("Walker2d-v5", 6),
    ],
)
def test_real_environments_load_with_the_sizes_asked_for(small, env_id, size) -> None:
    data = GymnasiumWorld(small(env_id=env_id)).load()
    for name, n in (("train", 30), ("test", 12)):
        split = data.transitions(name)
        assert len(split) == n
        assert split.action.shape == (n, 2 * size)
        assert np.abs(split.action).max() <= 1
        assert split.obs.kind == split.next_obs.kind == "image"
        assert len(set(split.episode.tolist())) == data.report["splits"][name]["episodes"]


def test_vectors_are_what_the_environment_returns(small, fetched) -> None:
    data = GymnasiumWorld(small(env_id="MountainCar-v0", observations="vector")).load()
    split = data.transitions("train")
    seen = fetched(split.obs)
    assert split.obs.kind == "vector"
    assert seen.shape == (30, 2)
    assert seen.dtype == np.float32
    observation = data.report["observation"]
    np.testing.assert_allclose(observation["mean"], seen.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(observation["std"], seen.std(axis=0), rtol=1e-3)


def test_the_splits_have_no_episode_in_common(small) -> None:
    data = GymnasiumWorld(small(n_train=200, n_test=100)).load()
    train, test = (set(data.transitions(name).episode.tolist()) for name in ("train", "test"))
    assert not train & test


def test_loading_twice_gives_the_same(small) -> None:
    one, other = (GymnasiumWorld(small()).load() for _ in range(2))
    assert one.report == other.report
    for name in ("train", "test"):
        a, b = one.transitions(name), other.transitions(name)
        np.testing.assert_array_equal(a.keys, b.keys)
        np.testing.assert_array_equal(a.obs.keys, b.obs.keys)
        np.testing.assert_array_equal(a.action, b.action)


def test_frames_keep_their_keys_whatever_split_size_or_delta_they_are_drawn_with(small) -> None:
    frames: dict[tuple, bytes] = {}
    for config in (small(), small(n_train=70), small(delta_steps=5), small(max_steps=20)):
        data = GymnasiumWorld(config).load()
        for split in map(data.transitions, ("train", "test")):
            for column in (split.obs, split.next_obs):
                places = zip(column.episode, column.step, _text(column.keys), strict=True)
                for e, t, key in places:
                    episode = column._episodes[e]
                    identity = (episode.seed, episode.actions[:t].tobytes(), int(t))
                    assert frames.setdefault(identity, key) == key
    assert len(set(frames.values())) == len(frames)


def test_shared_transitions_of_a_start_that_never_changes_are_counted(toy) -> None:
    world = toy({"end": 5}, policy="gym_toys:always_right", observations="vector", max_episodes=50)
    data = world.load()
    counts = data.report["overlap"]
    train, test = data.transitions("train"), data.transitions("test")
    known = set(_text(train.keys))
    assert counts["shared_transitions"] == sum(key in known for key in _text(test.keys)) == 12
    assert counts["repeated_transitions"] == 12 - len(set(_text(test.keys)))
    assert counts["shared_starts"] == data.report["splits"]["test"]["episodes_played"]


def test_the_report_says_what_was_played(toy) -> None:
    report = toy({"end": 20, "action": "box"}, n_train=40, pairs_per_episode=8).load().report
    train = report["splits"]["train"]
    assert train["samples"] == 40
    assert train["episodes_played"] == 5
    assert train["episode_steps"] == {"min": 20, "mean": 20.0, "max": 20}
    assert train["terminated_fraction"] == 1.0
    assert report["action"]["unscaled"] == ["action1"]
    assert report["versions"]["gymnasium"]


@pytest.mark.parametrize("action", ["discrete", "shifted", "multi", "binary", "box"])
def test_every_supported_action_space_is_played_and_rendered_again(toy, fetched, action) -> None:
    split = toy({"action": action}, n_train=10, n_test=5).load().transitions("train")
    assert fetched(split.next_obs).shape == (10, 16, 16, 3)


@pytest.mark.parametrize("action", ["dict", "text"])
def test_other_action_spaces_are_refused(toy, action) -> None:
    with pytest.raises(DataError, match=r"action space .* not supported"):
        toy({"action": action}).load()


def test_an_environment_without_frames_gives_vectors_alone(toy) -> None:
    with pytest.raises(DataError, match="cannot render frames"):
        toy(env_id="gym_toys:Blind-v0").load()
    data = toy(env_id="gym_toys:Blind-v0", observations="vector").load()
    assert data.transitions("test").obs.kind == "vector"


def test_an_environment_without_vectors_gives_frames_alone(toy, fetched) -> None:
    with pytest.raises(DataError, match="cannot be flattened"):
        toy(env_id="gym_toys:Words-v0", observations="vector").load()
    split = toy(env_id="gym_toys:Words-v0").load().transitions("test")
    assert fetched(split.obs).shape == (12, 16, 16, 3)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"env_id": "CartPol-v1"}, UnknownNameError),
        ({"env_id": "ALE/Pong-v5"}, MissingDependencyError),
        ({"env_kwargs": {"wings": 2}}, ConfigError),
        ({"policy": "no_such_module:act"}, MissingDependencyError),
    ],
)
def test_what_is_not_there_is_told_when_the_world_is_asked(small, settings, error) -> None:
    with pytest.raises(error):
        GymnasiumWorld(small(**settings)).load()


def test_loading_renders_nothing(small, python) -> None:
    script = (
        "import sys\n"
        "from mezzanine_worlds_gymnasium.config import GymnasiumConfig\n"
        "from mezzanine_worlds_gymnasium.world import GymnasiumWorld\n"
        f"config = GymnasiumConfig.model_validate_json({small().model_dump_json()!r})\n"
        "world = GymnasiumWorld(config)\n"
        "world.load(), world.fingerprint()\n"
        "print('pygame' in sys.modules, 'torch' in sys.modules)"
    )
    assert python(script).stdout.strip() == "False False"


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"env_id": "CartPole-v0"},
        {"env_kwargs": {"sutton_barto_reward": True}},
        {"observations": "vector"},
        {"frame_size": 17},
        {"frame_size": None},
        {"rendering": "every"},
        {"policy": "gym_toys:always_right"},
        {"epsilon": 0.1},
        {"repeat_action": 2},
        {"max_steps": 41},
        {"delta_steps": 3},
        {"n_train": 31},
        {"n_test": 13},
        {"pairs_per_episode": None},
        {"max_episodes": 100},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*CartPole-v0 is out of date")
def test_the_fingerprint_covers_every_setting(small, change: dict) -> None:
    assert GymnasiumWorld(small(**change)).fingerprint() != GymnasiumWorld(small()).fingerprint()


def test_the_fingerprint_does_not_depend_on_how_the_world_was_called_or_played(small) -> None:
    long = small(name="gymnasium@mezzanine-worlds-gymnasium", num_envs=3)
    assert GymnasiumWorld(long).fingerprint() == GymnasiumWorld(small()).fingerprint()


def test_the_source_names_what_is_simulated_and_drawn_but_no_sampling(small) -> None:
    source = GymnasiumWorld(small()).source()
    other = small(seed=9, n_train=7, policy="gym_toys:always_right", delta_steps=1, max_steps=9)
    assert source == GymnasiumWorld(other).source()
    assert source["versions"].keys() == {"gymnasium", "numpy", "pygame"}
    assert source != GymnasiumWorld(small(frame_size=32)).source()


def test_how_mujoco_renders_is_part_of_the_source(small, monkeypatch) -> None:
    world = GymnasiumWorld(small(env_id="InvertedPendulum-v5"))
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    osmesa = world.source()
    monkeypatch.setenv("MUJOCO_GL", "egl")
    assert world.source() != osmesa
