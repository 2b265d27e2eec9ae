"""The hopper moves as its equations say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from mezzanine_worlds_hopper.physics import LENGTH, MASS, Robot, hop, neutral_angle

ROBOT = Robot()
K, G = ROBOT.stiffness, ROBOT.gravity

heights = st.floats(1.05, 1.6)
speeds = st.floats(-2.5, 2.5)
leans = st.floats(-0.08, 0.08)
thrusts = st.floats(-0.05, 0.05)


def one_hop(height, speed, lean=0.0, thrust=0.0, robot=ROBOT):
    angle = neutral_angle(np.array([speed]), robot) + lean
    return angle, hop(np.array([[height, speed]]), angle, np.array([thrust]), robot)


def energy(apex):
    """Of a robot at the top of its flight, in J."""
    return MASS * (G * apex[..., 0] + apex[..., 1] ** 2 / 2)


def reference(height, speed, angle, thrust):
    """The same hop by an adaptive integrator of eighth order, with its own search for events."""

    def derivative(_, state, rest):
        x, y, x_speed, y_speed = state
        length = np.hypot(x, y)
        pull = K / MASS * (rest - length) / length
        return [x_speed, y_speed, pull * x, pull * y - G]

    def turns(_, state, rest):
        return state[0] * state[2] + state[1] * state[3]

    def leaves(_, state, rest):
        return np.hypot(state[0], state[1]) - rest

    landing = LENGTH * np.cos(angle)
    state = [-LENGTH * np.sin(angle), landing, speed, -np.sqrt(2 * G * (height - landing))]
    for event, rest in ((turns, LENGTH), (leaves, LENGTH + thrust)):
        event.terminal, event.direction = True, 1
        found = solve_ivp(
            derivative, (0, 1), state, "DOP853", args=(rest,), events=event, rtol=1e-12, atol=1e-12
        )
        state = found.y_events[0][0]
    return state[1] + state[3] ** 2 / (2 * G), state[2]


@given(heights, speeds, leans, thrusts)
def test_a_hop_agrees_with_a_reference_integrator(height, speed, lean, thrust) -> None:
    angle, hops = one_hop(height, speed, lean, thrust)
    if hops.stood[0]:
        np.testing.assert_allclose(
            hops.apex[0], reference(height, speed, angle[0], thrust), rtol=0, atol=1e-6
        )


@given(heights, speeds, leans)
def test_a_hop_without_thrust_keeps_the_energy(height, speed, lean) -> None:
    _, hops = one_hop(height, speed, lean)
    if hops.stood[0]:
        before = energy(np.array([height, speed]))
        assert energy(hops.apex[0]) == pytest.approx(before, rel=1e-6)


@given(heights, speeds, leans, thrusts)
def test_thrust_adds_the_energy_that_it_puts_into_the_spring(height, speed, lean, thrust) -> None:
    _, hops = one_hop(height, speed, lean, thrust)
    if hops.stood[0]:
        shortest = hops.shortest[0]
        work = K / 2 * ((LENGTH + thrust - shortest) ** 2 - (LENGTH - shortest) ** 2)
        gained = energy(hops.apex[0]) - energy(np.array([height, speed]))
        assert gained == pytest.approx(work, abs=1e-3)


@given(st.floats(1.01, 2.0))
def test_straight_hopping_compresses_the_leg_as_a_spring_under_a_falling_weight(height) -> None:
    _, hops = one_hop(height, 0.0)
    # m g (height - shortest) = k / 2 (L - shortest)²: all energy is in the spring.
    sag = MASS * G / K
    compressed = sag + np.sqrt(sag**2 + 2 * sag * (height - LENGTH))
    assert hops.shortest[0] == pytest.approx(LENGTH - compressed, abs=1e-6)
    np.testing.assert_allclose(hops.apex[0], [height, 0.0], atol=1e-6)


@given(heights, speeds, leans, thrusts)
def test_a_mirrored_hop_is_the_mirror_image(height, speed, lean, thrust) -> None:
    _, there = one_hop(height, speed, lean, thrust)
    _, mirrored = one_hop(height, -speed, -lean, thrust)
    assert there.stood == mirrored.stood
    if there.stood[0]:
        np.testing.assert_array_equal(mirrored.apex, there.apex * [1, -1])


def test_the_error_falls_with_the_fourth_power_of_the_step() -> None:
    angle, _ = one_hop(1.3, 2.0, 0.05, 0.02)
    exact = np.array(reference(1.3, 2.0, angle[0], 0.02))
    errors = []
    for fineness in (25, 50, 100):
        _, hops = one_hop(1.3, 2.0, 0.05, 0.02, Robot(fineness=fineness))
        errors.append(np.abs(hops.apex[0] - exact).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 3.5).all(), orders


def test_a_person_with_a_steep_enough_leg_runs_on_as_published() -> None:
    # Seyfarth et al. (2002): 80 kg, 1 m, 20 kN/m and 68° to the ground run stably at 5 m/s.
    apex = np.array([[1.0, 5.0]])
    for _ in range(40):
        hops = hop(apex, np.radians([90.0 - 68.0]), np.zeros(1), ROBOT)
        assert hops.stood[0]
        last, apex = apex, hops.apex
    np.testing.assert_allclose(apex, last, rtol=1e-3)


@given(speeds, st.floats(0.01, 0.08))
def test_a_leg_put_further_ahead_slows_the_robot_down(speed, lean) -> None:
    further, neutral, nearer = (one_hop(1.3, speed, by)[1] for by in (lean, 0.0, -lean))
    assert further.stood & neutral.stood & nearer.stood
    assert further.apex[0, 1] < neutral.apex[0, 1] < nearer.apex[0, 1]


@pytest.mark.parametrize(
    ("height", "speed", "angle"),
    [(0.9, 0.0, 0.1), (1.2, 3.0, -0.6), (1.1, 0.0, 0.8), (30.0, 0.0, 0.0)],
    ids=["too low for the leg", "foot far behind", "foot far ahead", "from the sky"],
)
def test_a_robot_that_cannot_go_on_has_not_stood(height, speed, angle) -> None:
    hops = hop(np.array([[height, speed]]), np.array([angle]), np.zeros(1), ROBOT)
    assert not hops.stood[0]


def test_a_hop_does_not_depend_on_the_other_robots() -> None:
    rng = np.random.default_rng(0)
    apex = np.stack([rng.uniform(1.1, 1.4, 37), rng.uniform(0.5, 2.5, 37)], axis=1)
    angle, thrust = rng.uniform(-0.2, 0.4, 37), rng.uniform(-0.05, 0.05, 37)
    together = hop(apex, angle, thrust, ROBOT)
    for row in range(37):
        alone = hop(apex[[row]], angle[[row]], thrust[[row]], ROBOT)
        assert alone.stood[0] == together.stood[row]
        np.testing.assert_array_equal(alone.apex[0], together.apex[row])
