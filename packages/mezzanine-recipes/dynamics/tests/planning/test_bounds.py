import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_recipes_dynamics.planning import Box, L1Ball, project_l1

ACTIONS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6),
    elements=st.floats(-50, 50, width=32),
).map(torch.from_numpy)
RADII = st.floats(0.015625, 40, width=32)


def reference_projection(action, radius):
    """By bisection of the threshold, in float64."""
    sizes = np.abs(action.astype(np.float64))
    if sizes.sum() <= radius:
        return action.astype(np.float64)
    low, high = 0.0, sizes.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if np.maximum(sizes - middle, 0).sum() > radius else (low, middle)
        )
    return np.sign(action) * np.maximum(sizes - high, 0)


@settings(deadline=None)
@given(ACTIONS, RADII)
def test_projection_is_that_of_a_reference(actions, radius):
    found = project_l1(actions, radius)
    expected = np.stack([reference_projection(row, radius) for row in actions.numpy()])
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)


@settings(deadline=None)
@given(ACTIONS, RADII, st.sampled_from(["scale", "project"]))
@example(torch.tensor([[1.2421875]]), 1.2421875, "scale")
def test_clipped_actions_are_within_the_ball_and_stay_where_they_are(actions, radius, method):
    ball = L1Ball(radius, method)
    once = ball.clip(actions)
    assert (once.abs().sum(dim=-1) <= radius * (1 + 1e-5) + 1e-5).all()
    torch.testing.assert_close(ball.clip(once), once, atol=1e-4, rtol=1e-4)
    inside = actions.abs().sum(dim=-1) <= radius
    assert torch.equal(once[inside], actions[inside])


@settings(deadline=None)
@given(ACTIONS, RADII)
def test_scaling_keeps_the_direction_and_is_never_nearer_than_projection(actions, radius):
    scaled, projected = (L1Ball(radius, how).clip(actions) for how in ("scale", "project"))
    lengths = actions.norm(dim=-1) * scaled.norm(dim=-1)
    torch.testing.assert_close((actions * scaled).sum(dim=-1), lengths, atol=1e-3, rtol=1e-3)
    far, near = ((one - actions).norm(dim=-1) for one in (scaled, projected))
    assert (near <= far + 1e-3).all()


def test_ball_of_radius_zero_holds_no_action_but_none():
    actions = torch.tensor([[1.0, -2.0], [0.0, 0.0]])
    for method in ("scale", "project"):
        assert torch.equal(L1Ball(0, method).clip(actions).abs(), torch.zeros(2, 2))


def test_radius_is_the_quantile_of_the_norms():
    actions = np.array([[0.0, 1.0], [-2.0, 0.0], [1.5, -1.5], [4.0, 0.0], [0.0, 0.0]])
    assert L1Ball.of(actions, 0.5).radius == 2
    assert L1Ball.of(actions).radius == pytest.approx(np.quantile([1, 2, 3, 4, 0], 0.95))


@settings(deadline=None)
@given(ACTIONS)
def test_box_moves_to_the_nearest_allowed_value(actions):
    width = actions.shape[1]
    low, high = np.linspace(-3, -1, width), np.linspace(1, 5, width)
    expected = np.clip(actions.numpy(), low.astype(np.float32), high.astype(np.float32))
    np.testing.assert_array_equal(Box(low, high).clip(actions), expected)


def test_box_of_data_is_the_smallest_around_them():
    box = Box.of([[1.0, 5.0], [-2.0, 6.0], [0.0, 5.5]])
    assert (box.low.tolist(), box.high.tolist()) == ([-2, 5], [1, 6])


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([0, 2], [1, 1], "wrong way round: low 2 is above high 1 at action feature 1"),
        (3, [4, 2], "low 3 is above high 2 at action feature 1"),
        (1, 0, "low 1 is above high 0"),
        (float("nan"), 1, "NaN"),
    ],
)
def test_boxes_that_hold_nothing_are_refused(low, high, message):
    with pytest.raises(ConfigError, match=message):
        Box(low, high)


@pytest.mark.parametrize("radius", [-1.0, float("inf"), float("nan")])
def test_radius_out_of_range_is_refused(radius):
    with pytest.raises(ConfigError, match="radius"):
        L1Ball(radius)


def test_quantile_out_of_range_is_refused():
    with pytest.raises(ConfigError, match="quantile"):
        L1Ball.of([[1.0]], 1.5)


def test_bounds_of_actions_that_are_not_finite_are_refused():
    for bounds in (Box, L1Ball):
        with pytest.raises(DataError, match="row 1, feature 0"):
            bounds.of([[1.0, 2.0], [float("nan"), 1.0]])


@pytest.mark.parametrize(("low", "high"), [([0, 0], [1, 1, 1]), ([[0, 0]], 1)])
def test_bounds_of_other_shapes_are_refused(low, high):
    with pytest.raises(ConfigError, match=r"numbers or of shape \[A\]"):
        Box(low, high)


def test_box_refuses_actions_of_another_size():
    with pytest.raises(ConfigError, match="box of 3 features does not bound actions of 2"):
        Box(np.zeros(3), 1).clip(torch.zeros(4, 2))
