"""Pictures of the robot at the top of its flight."""

import numpy as np
import numpy.typing as npt

from mezzanine_worlds_hopper.physics import LENGTH, Floats

DRAWING = 1
"""Version of this module: raise it with any change of a pixel."""

_VIEW = 3.2
"""Width and height of what is seen, in m; the robot is in the middle of the width."""

_BELOW = 0.2
"""How much of it is below the ground, in m."""

_BODY, _LEG = 0.15, 0.04
"""Radius of the body and half the width of the leg, in m."""

_AGES = (0.20, 0.16, 0.12, 0.08, 0.04, 0.0)
"""How long before the top the flashes of the camera were, in s."""

_WHITE, _GROUND, _STEEL, _BLUE = (255, 255, 255), (148, 163, 184), (51, 65, 85), (37, 99, 235)


def draw(apexes: npt.NDArray[np.float32], size: int, gravity: float) -> npt.NDArray[np.uint8]:
    """Draw robots, each as a camera that moves along with the ground sees it.

    The speed shows in the trail of flashes, of the last fifth of a second in free flight. The leg
    hangs straight down: swung to where it will land, it would give the command away.

    Args:
        apexes: Height in m and speed in m/s, float32 [n, 2].
        size: Width and height of the pictures, in pixels.
        gravity: g in m/s², which bends the trail.

    Returns:
        uint8 [n, size, size, 3], RGB; each picture depends on its own row alone.
    """
    height, speed = apexes.astype(np.float64).T[:, :, None, None]
    pixel = _VIEW / size
    middle = (np.arange(size) + 0.5) * pixel
    x, y = middle - _VIEW / 2, (_VIEW - _BELOW - middle)[:, None]
    images = np.full((len(apexes), size, size, 3), _WHITE, np.float64)
    beyond = np.maximum(np.abs(y - (height - LENGTH / 2)) - LENGTH / 2, 0.0)
    images = _paint(images, _STEEL, (np.sqrt(x**2 + beyond**2) - _LEG) / pixel)
    images = _paint(images, _GROUND, np.broadcast_to(y, (size, size)) / pixel)
    for age in _AGES:
        away = np.sqrt((x + speed * age) ** 2 + (y - height + gravity / 2 * age**2) ** 2)
        images = _paint(images, _BLUE, (away - _BODY) / pixel, 1 - 0.9 * age / max(_AGES))
    return np.rint(images).astype(np.uint8)


def _paint(
    images: Floats, colour: tuple[int, int, int], distance: Floats, opacity: float = 1.0
) -> Floats:
    """Paint a shape that is given by the distance to its edge in pixels, negative inside."""
    cover = opacity * np.clip(0.5 - distance, 0.0, 1.0)[..., None]
    return images + cover * (np.array(colour, np.float64) - images)
