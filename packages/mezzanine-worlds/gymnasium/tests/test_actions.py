import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import DataError
from mezzanine_worlds_gymnasium.actions import action_codec

BOX = spaces.Box(
    np.array([[-2.0, 0.0], [-1.0, 5.0]]), np.array([[2.0, 1.0], [3.0, 9.0]]), dtype=np.float64
)
HALF_OPEN = spaces.Box(
    np.array([-1.0, -np.inf, 2.0], np.float32), np.array([1.0, np.inf, np.inf], np.float32)
)
SPACES = {
    "discrete": spaces.Discrete(4),
    "shifted": spaces.Discrete(3, start=-1),
    "multi": spaces.MultiDiscrete([2, 3, 4]),
    "grid": spaces.MultiDiscrete(np.array([[2, 3], [4, 5]])),
    "started": spaces.MultiDiscrete([2, 3], start=[5, -1]),
    "binary": spaces.MultiBinary((2, 3)),
    "box": BOX,
    "float32": spaces.Box(-2.0, 2.0, (3,), np.float32),
    "half_open": HALF_OPEN,
    "integers": spaces.Box(0, 255, (3,), np.uint8),
}


def _codec(space):
    return action_codec(space, "Toy-v0")


def _drawn(space, n: int, seed: int) -> np.ndarray:
    space.seed(seed)
    return np.array([space.sample() for _ in range(n)], space.dtype)


@settings(deadline=None)
@given(st.sampled_from(sorted(SPACES)), st.integers(0, 10**6))
def test_an_action_can_be_read_back_from_its_features(name: str, seed: int) -> None:
    space = SPACES[name]
    codec = _codec(space)
    actions = _drawn(space, 5, seed)
    features = codec.features(actions)
    assert features.shape == (5, codec.size)
    assert features.dtype == np.float32
    for action, row in zip(actions, features, strict=True):
        restored = codec.decode(row)
        assert space.contains(restored)
        tolerance = 1e-6 if space.dtype.kind == "f" else 0
        np.testing.assert_allclose(restored, action, rtol=tolerance, atol=tolerance)


@settings(deadline=None)
@given(st.sampled_from(sorted(SPACES)), st.integers(0, 10**6))
def test_features_lie_within_their_bounds(name: str, seed: int) -> None:
    codec = _codec(SPACES[name])
    features = codec.features(_drawn(SPACES[name], 5, seed))
    assert (features >= codec.low - 1e-6).all()
    assert (features <= codec.high + 1e-6).all()


@settings(deadline=None)
@given(st.sampled_from(sorted(SPACES)), st.integers(0, 10**6))
def test_whatever_a_planner_proposes_becomes_an_action_of_the_space(name: str, seed: int) -> None:
    codec = _codec(SPACES[name])
    proposal = 3 * np.random.default_rng(seed).standard_normal(codec.size)
    assert SPACES[name].contains(codec.decode(proposal))


def test_a_choice_is_one_hot() -> None:
    codec = _codec(spaces.Discrete(3, start=1))
    assert codec.names == ("action1", "action2", "action3")
    np.testing.assert_array_equal(codec.features(np.array([3, 1])), [[0, 0, 1], [1, 0, 0]])


def test_several_choices_are_one_hot_each() -> None:
    codec = _codec(spaces.MultiDiscrete([2, 3]))
    assert codec.names == ("action0=0", "action0=1", "action1=0", "action1=1", "action1=2")
    np.testing.assert_array_equal(codec.features(np.array([[1, 2]])), [[0, 1, 0, 0, 1]])


def test_quantities_are_scaled_by_their_bounds() -> None:
    codec = _codec(BOX)
    ends = np.array([BOX.low, BOX.high, (BOX.low + BOX.high) / 2])
    np.testing.assert_allclose(codec.features(ends), np.array([[-1] * 4, [1] * 4, [0] * 4]))
    assert codec.unscaled == ()


def test_quantities_without_two_bounds_stay_as_they_are_and_are_named() -> None:
    codec = _codec(HALF_OPEN)
    features = codec.features(np.array([[0.5, -7.0, 3.0]], np.float32))
    np.testing.assert_array_equal(features, [[0.5, -7.0, 3.0]])
    assert codec.unscaled == ("action1", "action2")
    np.testing.assert_array_equal(codec.low, [-1, -np.inf, 2])


def test_bounds_too_far_apart_for_their_difference_are_none() -> None:
    largest = float(np.finfo(np.float32).max)
    codec = _codec(spaces.Box(-largest, largest, (1,), np.float32))
    np.testing.assert_array_equal(codec.features(np.array([[3.0]], np.float32)), [[3.0]])


def test_a_quantity_with_one_possible_value_is_zero() -> None:
    space = spaces.Box(np.float32([2.0]), np.float32([2.0]))
    assert _codec(space).features(np.array([[2.0]])) == 0
    assert _codec(space).decode(np.array([5.0])) == 2


def test_known_meanings_name_the_actions() -> None:
    codec = action_codec(spaces.Discrete(2), "Toy-v0", ["LEFT", "RIGHT"])
    assert codec.chunk_names(2) == ("left@0", "right@0", "left@1", "right@1")


@pytest.mark.parametrize(
    "space", [spaces.Dict({"a": spaces.Discrete(2)}), spaces.Tuple([BOX]), spaces.Text(3)], ids=str
)
def test_other_spaces_are_refused_by_name(space) -> None:
    with pytest.raises(DataError, match=r"'Toy-v0' has the action space .*not supported") as caught:
        _codec(space)
    assert type(space).__name__ in str(caught.value)


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("discrete", 4),
        ("discrete", -1),
        ("discrete", 1.5),
        ("discrete", [1]),
        ("discrete", None),
        ("multi", [0, 0]),
        ("multi", [0, 0, 4]),
        ("binary", np.full((2, 3), 2)),
        ("float32", [0.0, 0.0, 2.1]),
        ("float32", [0.0, 0.0, np.nan]),
        ("float32", 0.0),
        ("half_open", [0.0, np.inf, 3.0]),
    ],
)
def test_an_action_outside_its_space_is_refused(name: str, action) -> None:
    with pytest.raises(DataError, match="the policy gave the action"):
        _codec(SPACES[name]).checked(action, "the policy")


@settings(deadline=None)
@given(st.sampled_from(sorted(SPACES)), st.integers(0, 10**6))
def test_an_action_of_the_space_passes_as_it_is(name: str, seed: int) -> None:
    space = SPACES[name]
    space.seed(seed)
    action = space.sample()
    np.testing.assert_array_equal(_codec(space).checked(action, "the policy"), action)
    assert space.contains(_codec(space).checked(np.asarray(action).tolist(), "the policy"))
