"""A body of mass m on a massless, springy leg: the spring-loaded inverted pendulum.

In flight the body falls freely. It lands where the leg, of rest length L and held at an angle α
from the vertical, touches the ground with its foot ahead of the body. In stance, with the foot at
the origin, the body at r = (x, y), the leg's length l = √(x² + y²) and its rest length R::

    m r'' = k (R - l) r / l - (0, m g)

The leg shortens, R = L, until l' = 0. There its motor makes it longer by the thrust d, R = L + d,
which changes the energy by ½ k ((R - l)² - (L - l)²). It lengthens until l = R, where the foot
leaves the ground, and swings into place in the air.

The model is that of Blickhan, *The spring-mass model for running and hopping*, J. Biomechanics 22
(1989); its mass, length and stiffness are those of a person as in Seyfarth, Geyer, Günther and
Blickhan, *A movement criterion for running*, J. Biomechanics 35 (2002). Where the foot has to be
put to keep the speed, and thrust at the shortest leg, are from Raibert, *Legged Robots That
Balance* (1986).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PHYSICS = 1
"""Version of this module: raise it with any change that leads to other numbers."""

MASS = 80.0
"""m, in kg."""

LENGTH = 1.0
"""L, in m."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Robot:
    """What can differ between robots and places.

    Attributes:
        stiffness: k, in N/m.
        gravity: g, in m/s².
        fineness: Steps of the integration in one period of the spring, 2π √(m / k).
    """

    stiffness: float = 20_000.0
    gravity: float = 9.81
    fineness: int = 100

    @property
    def period(self) -> float:
        """Period of the body on its spring, in s."""
        return 2 * math.pi * math.sqrt(MASS / self.stiffness)

    @property
    def step(self) -> float:
        """Time step of the integration, in s."""
        return self.period / self.fineness


@dataclass(frozen=True, eq=False)
class Hops:
    """How one hop of each of n robots went.

    Attributes:
        apex: Height in m and horizontal speed in m/s at the top of the flight, float64 [n, 2].
        shortest: Length of the leg at its shortest, in m, float64 [n].
        stood: Which robots made it to the top, bool [n]; the other rows of the rest mean nothing.
    """

    apex: Floats
    shortest: Floats
    stood: Bools


def neutral_angle(speed: Floats, robot: Robot) -> Floats:
    """Where the leg has to be put for the speed to stay as it is, nearly.

    The body passes symmetrically over the foot if it lands half a stance ahead of it. A stance
    lasts about half a period of the spring.

    Args:
        speed: Horizontal speed in m/s, float64 [n].
        robot: The robot.

    Returns:
        Angle of the leg from the vertical in radians, positive with the foot ahead, float64 [n].
    """
    angle: Floats = np.arcsin(np.clip(speed * robot.period / 4 / LENGTH, -0.9, 0.9))
    return angle


def hop(apex: Floats, angle: Floats, thrust: Floats, robot: Robot) -> Hops:
    """From the top of one flight to the top of the next, for n robots at once.

    Args:
        apex: Height in m and horizontal speed in m/s, float64 [n, 2].
        angle: Angle of the leg at landing, in radians from the vertical, float64 [n].
        thrust: How much longer the leg is made at its shortest, in m, float64 [n].
        robot: The robot.
    """
    height, speed = apex.T
    landing = LENGTH * np.cos(angle)
    fall = 2 * robot.gravity * (height - landing)
    state = np.stack(
        [-LENGTH * np.sin(angle), landing, speed, -np.sqrt(np.maximum(fall, 0.0))], axis=-1
    )
    rest = np.full(len(apex), LENGTH)
    state, turned = _until(_lengthens, state, rest, robot)
    shortest = _length(state)
    state, left = _until(_extended, state, rest + thrust, robot)
    top = state[:, 1] + state[:, 3] ** 2 / (2 * robot.gravity)
    return Hops(
        apex=np.stack([top, state[:, 2]], axis=-1),
        shortest=shortest,
        stood=(fall > 0) & turned & left & (state[:, 3] > 0),
    )


Event = Callable[[Floats, Floats], Floats]
"""Function of states [n, 4] and rest lengths [n] that passes zero, upwards, where a phase ends."""

_PERIODS = 3
"""Periods of the spring that no phase of a stance takes unless the robot has fallen over."""

_HALVINGS = 32
"""Times that a step is halved to find an event: 4 ms become a picosecond."""


def _until(event: Event, state: Floats, rest: Floats, robot: Robot) -> tuple[Floats, Bools]:
    """Follow the stance of every robot to its event: where they are then, and which got there.

    Those that touch the ground with their body do not.
    """
    before = np.ones(len(state), np.bool_)
    for _ in range(_PERIODS * robot.fineness):
        ahead = _advance(state, rest, robot, robot.step)
        before &= (event(ahead, rest) < 0) & (ahead[:, 1] > 0)
        state = np.where(before[:, None], ahead, state)
        if not before.any():
            break
    low, high = np.zeros(len(state)), np.full(len(state), robot.step)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        passed = event(_advance(state, rest, robot, middle), rest) >= 0
        low, high = np.where(passed, low, middle), np.where(passed, middle, high)
    state = _advance(state, rest, robot, high)
    return state, event(state, rest) >= 0


def _advance(state: Floats, rest: Floats, robot: Robot, step: Floats | float) -> Floats:
    """One step of the classical Runge-Kutta method of fourth order."""
    h = np.broadcast_to(step, len(state))[:, None]
    k1 = _derivative(state, rest, robot)
    k2 = _derivative(state + h / 2 * k1, rest, robot)
    k3 = _derivative(state + h / 2 * k2, rest, robot)
    k4 = _derivative(state + h * k3, rest, robot)
    return state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _derivative(state: Floats, rest: Floats, robot: Robot) -> Floats:
    x, y, x_speed, y_speed = state.T
    pull = robot.stiffness / MASS * (rest / _length(state) - 1)
    return np.stack([x_speed, y_speed, pull * x, pull * y - robot.gravity], axis=-1)


def _length(state: Floats) -> Floats:
    return np.sqrt(state[:, 0] ** 2 + state[:, 1] ** 2)


def _lengthens(state: Floats, rest: Floats) -> Floats:
    """Has the sign of l'."""
    return state[:, 0] * state[:, 2] + state[:, 1] * state[:, 3]


def _extended(state: Floats, rest: Floats) -> Floats:
    return _length(state) - rest
