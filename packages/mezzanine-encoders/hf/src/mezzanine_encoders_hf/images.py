"""What counts as an image, and what is refused with advice rather than guessed at."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import DataError
from mezzanine_core.worlds import Batch

_TAKEN = (
    "Taken are uint8 arrays: RGB [B, H, W, 3], grey [B, H, W] or [B, H, W, 1], and opaque RGBA "
    "[B, H, W, 4]."
)

_BY_DTYPE = {
    np.dtype(np.uint16): "Divide 16-bit pixels by 257 (65535 becomes 255) if they use the full "
    "range, otherwise by what their white is over 255, and convert them to uint8.",
    np.dtype(np.bool_): "Multiply masks by 255 and convert them to uint8.",
}


def rgb(batch: Batch) -> npt.NDArray[np.uint8]:
    """The images of a batch in colour.

    Args:
        batch: uint8, H and W at least 1: RGB [B, H, W, 3], taken as it is; grey [B, H, W] or
            [B, H, W, 1], repeated for each colour; RGBA [B, H, W, 4] that is opaque everywhere,
            whose alpha channel is left out. B may be 0.

    Returns:
        uint8 [B, H, W, 3]; a view of the batch where that is possible.

    Raises:
        DataError: If the batch is anything else. What a pixel of another dtype means, or what is
            behind a transparent one, is not known here; the message says how to convert it.
    """
    if not isinstance(batch, np.ndarray):
        raise DataError(
            f"a batch of type {type(batch).__name__} is no array of images", hint=_TAKEN
        )
    if batch.dtype != np.uint8:
        raise DataError(
            f"images of dtype {batch.dtype} (shape {list(batch.shape)}), not uint8",
            hint=f"{_conversion(batch.dtype)} {_TAKEN}",
        )
    images = batch[..., None] if batch.ndim == 3 else batch
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4) or 0 in images.shape[1:3]:
        raise DataError(
            f"images of shape {list(batch.shape)} (dtype uint8)", hint=f"{_shape(batch)}{_TAKEN}"
        )
    if images.shape[3] == 1:
        return np.broadcast_to(images, (*images.shape[:3], 3))
    if images.shape[3] == 4:
        _require_opaque(images)
    return images[..., :3]


def _conversion(dtype: np.dtype[Any]) -> str:
    if np.issubdtype(dtype, np.floating):
        return (
            "Scale floats to 0-255 (multiply by 255 where white is 1), round them and convert them "
            "to uint8."
        )
    return _BY_DTYPE.get(dtype, "Scale pixels to 0-255 and convert them to uint8.")


def _shape(batch: npt.NDArray[Any]) -> str:
    """What to do about a shape, where it looks like something."""
    if batch.ndim == 4 and batch.shape[1] in (1, 3, 4):
        return "Channels come last: transpose with (0, 2, 3, 1). "
    return ""


def _require_opaque(images: npt.NDArray[np.uint8]) -> None:
    transparent = (images[..., 3] != 255).any(axis=(1, 2))
    if transparent.any():
        raise DataError(
            f"{transparent.sum()} of {len(images)} RGBA images are not opaque, the first of them "
            f"item {np.flatnonzero(transparent)[0]}",
            hint="What is behind a transparent pixel decides what is seen: composite the images "
            f"over a background first. {_TAKEN}",
        )
