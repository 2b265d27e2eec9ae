import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_gymnasium.saved import read_policy, save_policy

IN, OUT = spaces.Box(-np.inf, np.inf, (2,), np.float32), spaces.Discrete(3)
RNG = np.random.default_rng(0)
LAYERS = [(RNG.standard_normal((2, 5)), RNG.standard_normal(5))]
LAYERS += [(RNG.standard_normal((5, 3)), RNG.standard_normal(3))]


def _act(path, observation, observation_space=IN, action_space=OUT):
    policy = read_policy(path)
    policy.bind(observation_space, action_space)
    return policy(observation, 0, np.random.default_rng(0), action_space)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "policy.npz"


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_largest_output_is_the_choice(path, activation) -> None:
    mean, scale = np.array([1.0, -1.0]), np.array([2.0, 0.5])
    save_policy(path, LAYERS, activation=activation, mean=mean, scale=scale)
    (w0, b0), (w1, b1) = LAYERS
    chosen = set()
    for seed in range(20):
        observation = np.random.default_rng(seed).standard_normal(2).astype(np.float32)
        hidden = (observation - mean) / scale @ w0 + b0
        hidden = np.tanh(hidden) if activation == "tanh" else np.maximum(hidden, 0)
        expected = np.argmax(hidden @ w1 + b1)
        assert _act(path, observation) == expected
        chosen.add(int(expected))
    assert len(chosen) > 1


def test_quantities_are_the_outputs_clipped_to_the_bounds(path) -> None:
    space = spaces.Box(np.float32([-1, 0]), np.float32([1, 9]))
    save_policy(path, [(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0.0, 1.0]))])
    action = _act(path, np.float32([3.0, 2.5]), action_space=space)
    np.testing.assert_array_equal(action, np.float32([1.0, 6.0]))
    assert space.contains(action)


def test_a_switch_is_on_where_its_output_is_positive(path) -> None:
    save_policy(path, [(np.eye(2), np.zeros(2))])
    action = _act(path, np.float32([-0.1, 0.1]), action_space=spaces.MultiBinary(2))
    np.testing.assert_array_equal(action, [0, 1])


def test_nothing_is_unpickled(path) -> None:
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    np.savez(path, w0=np.array([Evil()], object), b0=np.zeros(1))
    with pytest.raises(ConfigError, match="cannot be read as a policy"):
        read_policy(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ConfigError, match="cannot be read as a policy"):
        read_policy(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"\x93NUMPY\x01\x00"])
def test_a_file_that_is_no_policy_is_refused(path, content) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"policy.npz"):
        read_policy(path)


def test_a_single_array_is_no_policy(tmp_path) -> None:
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ConfigError, match="cannot be read as a policy"):
        read_policy(tmp_path / "array.npy")


def test_a_file_that_is_not_there_is_named(path) -> None:
    with pytest.raises(ConfigError, match="there is no policy file"):
        read_policy(path)


@pytest.mark.parametrize(
    ("arrays", "culprit"),
    [
        ({}, "not the layers"),
        ({"w0": np.eye(2)}, "not the layers"),
        ({"w0": np.eye(2), "b0": np.zeros(2), "w2": np.eye(2)}, "not the layers"),
        ({"w0": np.eye(2), "b0": np.zeros(2), "extra": np.zeros(2)}, "not the layers"),
        ({"w0": np.eye(2), "b0": np.zeros(3)}, "b0 \\[3\\]"),
        ({"w0": np.eye(2), "b0": np.zeros(2), "w1": np.eye(3), "b1": np.zeros(3)}, "w1 has shape"),
        ({"w0": np.eye(2), "b0": np.array([0.0, np.nan])}, "b0 .*finite"),
        ({"w0": np.eye(2), "b0": np.array(["a", "b"])}, "b0 .*finite"),
        ({"w0": np.eye(2), "b0": np.zeros(2), "activation": np.array("gelu")}, "'gelu'"),
        ({"w0": np.eye(2), "b0": np.zeros(2), "mean": np.zeros(3)}, "mean has shape"),
        ({"w0": np.eye(2), "b0": np.zeros(2), "scale": np.zeros(2)}, "scale holds zeros"),
    ],
)
def test_arrays_that_make_no_policy_are_refused(path, arrays, culprit) -> None:
    np.savez(path, **arrays)
    with pytest.raises(ConfigError, match=culprit):
        read_policy(path)


def test_a_policy_of_another_environment_is_refused(path) -> None:
    save_policy(path, LAYERS)
    env = gymnasium.make("CartPole-v1")
    with pytest.raises(ConfigError, match=r"maps 2 values to 3, but.*4 values and actions of 2"):
        _act(path, None, env.observation_space, env.action_space)


def test_outputs_that_are_not_finite_are_refused(path) -> None:
    save_policy(path, [(np.full((2, 3), 1e308), np.zeros(3))])
    with pytest.raises(DataError, match="not finite"), np.errstate(over="ignore"):
        _act(path, np.float32([1e10, 1e10]))


def test_a_policy_that_does_not_fit_together_is_not_written(path) -> None:
    with pytest.raises(ConfigError, match="w1 has shape"):
        save_policy(path, [(np.eye(2), np.zeros(2)), (np.eye(3), np.zeros(3))])
    assert not path.exists()
