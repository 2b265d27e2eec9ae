"""Frames as arrays, and shrinking them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Frame = npt.NDArray[np.uint8]
"""One frame, uint8 [H, W, 3], RGB."""

Frames = npt.NDArray[np.uint8]
"""Frames, uint8 [B, H, W, 3], RGB."""

BATCH = 64
"""Frames that are held at a time."""


def shrink(image: Image.Image, size: int | None) -> Image.Image:
    """Average an image down, so that its longer side has ``size`` pixels.

    A box filter: each pixel is the mean of the pixels that it covers. The shape is kept, to a
    rounded pixel. What is no larger, or ``None``, stays as it is.
    """
    longer = max(image.size)
    if size is None or longer <= size:
        return image
    width, height = (max(1, round(side * size / longer)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX)


def shrink_frame(frame: Frame, size: int | None) -> Frame:
    """The same for an array, uint8 [H, W, 3]."""
    if size is None or max(frame.shape[:2]) <= size:
        return frame
    return np.asarray(shrink(Image.fromarray(frame), size))
