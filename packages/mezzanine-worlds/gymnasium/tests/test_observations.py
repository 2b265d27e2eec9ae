import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import DataError
from mezzanine_worlds_gymnasium.observations import Flattener, all_finite, digest

NESTED = spaces.Dict(
    {
        "at": spaces.Box(-1, 1, (2, 2)),
        "what": spaces.Discrete(3),
        "all": spaces.Tuple([spaces.Text(4)]),
    }
)


def _copied(value):
    if isinstance(value, dict):
        return dict(reversed([(key, _copied(item)) for key, item in value.items()]))
    if isinstance(value, tuple):
        return tuple(map(_copied, value))
    return value.copy() if isinstance(value, np.ndarray) else value


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_equal_observations_have_equal_digests(seed: int) -> None:
    NESTED.seed(seed)
    observation = NESTED.sample()
    assert digest(observation) == digest(_copied(observation))


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["at", "what", "all"]))
def test_a_change_anywhere_changes_the_digest(seed: int, part: str) -> None:
    NESTED.seed(seed)
    observation = NESTED.sample()
    changed = _copied(observation)
    changed[part] = {
        "at": observation["at"] + np.float32(0.5),
        "what": observation["what"] + 1,
        "all": (observation["all"][0] + "x",),
    }[part]
    assert digest(changed) != digest(observation)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros(2, np.float32), np.zeros(2, np.float64)),
        (np.zeros((1, 2)), np.zeros((2, 1))),
        (("ab", "c"), ("a", "bc")),
        (((1,), 2), (1, (2,))),
        (0.0, -0.0),
    ],
    ids=str,
)
def test_what_is_not_the_same_has_another_digest(one, other) -> None:
    assert digest(one) != digest(other)


def test_what_went_before_is_part_of_the_digest() -> None:
    assert digest((), b"a", b"b") != digest((), b"b", b"a")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_infinities_are_found_however_deep(bad: float) -> None:
    assert all_finite({"a": (np.ones(3), 2, "text"), "b": [1.0]})
    assert not all_finite({"a": (np.ones(3), [np.array([0.0, bad])])})


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Taxi-v4", "Blackjack-v1"])
def test_vectors_are_those_of_gymnasium(env_id: str) -> None:
    space = gymnasium.make(env_id).observation_space
    flatten = Flattener(space, env_id)
    space.seed(1)
    for _ in range(5):
        observation = space.sample()
        vector = flatten(observation)
        assert vector.dtype == np.float32
        assert vector.shape == (flatten.size,)
        np.testing.assert_array_equal(vector, spaces.flatten(space, observation).astype(np.float32))


def test_a_space_without_vectors_is_refused() -> None:
    space = spaces.Dict({"many": spaces.Sequence(spaces.Discrete(2))})
    with pytest.raises(DataError, match=r"'Toy-v0'.*cannot be flattened"):
        Flattener(space, "Toy-v0")
