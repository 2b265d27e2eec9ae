"""The symmetry ``view``: crops and horizontal flips, which mirror the action along."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from mezzanine_core.builtin.configs import ViewConfig
from mezzanine_core.errors import DataError
from mezzanine_core.symmetries import Symmetry

Image = npt.NDArray[np.uint8]
"""An RGB image: uint8 [H, W, 3]."""

_IMAGES = frozenset({"input", "obs", "next_obs"})


@dataclass(frozen=True, slots=True)
class Framing:
    """An element: which rectangle of the image is shown, in pixels, and whether it is mirrored."""

    top: int
    left: int
    height: int
    width: int
    flip: bool = False


class View(Symmetry[ViewConfig, Image, Framing]):
    """Crops on the pixel grid, resized back to the image's size, and horizontal flips.

    A crop keeps the aspect ratio to the nearest pixel. Its height is drawn uniformly between
    ``min_scale`` and all of the image's, its place uniformly among those that fit; half of the
    views are flipped. It is enlarged bilinearly, with pixel centres at half-integers and the edge
    repeated, and rounded to the nearest level. Whole frames are never resampled.

    With ``min_scale=1`` this is a group of two elements and orbits are exact. Crops lose pixels, so
    they have no inverse and their orbit is not enumerated.

    Acts on images (parts ``input``, ``obs``, ``next_obs``) and on the ``action``, whose columns
    ``mirror`` a flip maps to ``2 · mirror_about − x``. Crops leave the action alone: for actions in
    image coordinates use flips only.
    """

    family: ClassVar[str] = "view"
    code_version: ClassVar[int] = 1

    def identity(self, x: Image) -> Framing:
        """The whole frame as it is."""
        height, width = _size(x)
        return Framing(0, 0, height, width)

    def sample(self, x: Image, rng: np.random.Generator) -> Framing:
        """Draw a rectangle and a flip, see the class."""
        rows, columns = _size(x)
        height = int(rng.integers(self._smallest_height(x), rows + 1))
        width = max(1, round(height * columns / rows))
        return Framing(
            top=int(rng.integers(0, rows - height + 1)),
            left=int(rng.integers(0, columns - width + 1)),
            height=height,
            width=width,
            flip=bool(self.config.flip and rng.integers(0, 2)),
        )

    def act(self, element: Framing, x: Any, part: str = "input") -> Any:
        """Show an image as the element says, or mirror an action; other parts come back unchanged.

        Args:
            element: Rectangle and flip.
            x: uint8 [H, W, 3], or float [..., A] for the part ``action``.
            part: ``input``, ``obs``, ``next_obs`` or ``action``.

        Raises:
            DataError: If an image or action has another shape or dtype than the element and the
                settings need.
        """
        if part == "action":
            return self._mirror(x) if element.flip else x
        if part not in _IMAGES:
            return x
        rows, columns = _size(x)
        bottom, right = element.top + element.height, element.left + element.width
        if min(element.top, element.left) < 0 or bottom > rows or right > columns:
            raise DataError(f"{element} does not fit an image of {rows} by {columns} pixels")
        image = x
        if (element.height, element.width) != (rows, columns):
            image = _enlarge(x[element.top : bottom, element.left : right], rows, columns)
        return np.ascontiguousarray(image[:, ::-1]) if element.flip else image

    def orbit(self, x: Image) -> Iterator[Framing] | None:
        """The frame and its mirror image, if it differs; ``None`` where there are crops."""
        size = self.orbit_size(x)
        if size is None:
            return None
        identity = self.identity(x)
        mirrored = Framing(0, 0, identity.height, identity.width, flip=True)
        return iter((identity, mirrored)[:size])

    def orbit_size(self, x: Image) -> int | None:
        """1 or 2 without crops, ``None`` with them."""
        if self._smallest_height(x) < len(x):
            return None
        return 2 if self.config.flip and not np.array_equal(x, x[:, ::-1]) else 1

    def _smallest_height(self, x: Image) -> int:
        return math.ceil(self.config.min_scale * _size(x)[0])

    def _mirror(self, action: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        columns = list(self.config.mirror)
        if columns and max(columns) >= action.shape[-1]:
            raise DataError(
                f"cannot mirror column {max(columns)} of actions of shape {action.shape}",
                hint="Set the symmetry's `mirror` to columns that the world's actions have.",
            )
        mirrored = action.copy()
        mirrored[..., columns] = 2 * self.config.mirror_about - action[..., columns]
        return mirrored


def _size(x: Any) -> tuple[int, int]:
    if not isinstance(x, np.ndarray) or x.dtype != np.uint8 or x.ndim != 3 or x.shape[2] != 3:
        found = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise DataError(
            f"view takes uint8 images of shape [H, W, 3], not {found}",
            hint="Texts have the symmetry `order`; for images, the world has to give them in RGB.",
        )
    return x.shape[0], x.shape[1]


def _enlarge(image: Image, rows: int, columns: int) -> Image:
    """Resize bilinearly to at least the image's size, first along rows, then along columns."""
    tall = _interpolate(image.astype(np.float32), rows)
    both = _interpolate(tall.swapaxes(0, 1), columns).swapaxes(0, 1)
    return np.ascontiguousarray((both + np.float32(0.5)).astype(np.uint8))


def _interpolate(image: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Linear interpolation along the first axis at ``size`` evenly spaced pixel centres."""
    length = len(image)
    centre = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
    below = centre.astype(np.intp)
    weight = (centre - below).astype(np.float32)[:, None, None]
    above = np.minimum(below + 1, length - 1)
    result: npt.NDArray[np.float32] = image[below] * (1 - weight) + image[above] * weight
    return result
