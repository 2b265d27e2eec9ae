"""The pixel encoder."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.worlds import Batch
from mezzanine_encoders_pixels.averaging import area_sums
from mezzanine_encoders_pixels.config import PixelsConfig
from mezzanine_encoders_pixels.projection import sign_matrix

_CODE_VERSION = 1
"""Grows whenever the same settings give other latents than before."""

_LUMA = np.array([299, 587, 114], dtype=np.int64)
"""Rec. 601 luma weights in thousandths."""


class PixelsEncoder(Encoder[PixelsConfig]):
    """Area-averaged pixels, centred by a constant, optionally projected, L2-normalised.

    The baseline that every learned encoder should be compared with. An image is averaged down to
    ``size`` × ``size`` cells, ``centre`` is subtracted, the values are (with ``dim``) multiplied by
    a random matrix of signs, and the result is divided by its length. So the cosine of two latents
    is that of the centred thumbnails, exactly without projection and with a standard deviation of
    at most about 1/sqrt(dim) with it.

    An image without direction, all of whose cells equal ``centre``, gets the latent whose values
    are all 1/sqrt(D), so that every latent has unit length.

    Everything up to the normalisation is computed in integers, or in float64 on values that are
    exact integers, and the normalisation looks at one image at a time. So a latent is the same bit
    for bit whatever the batch around it and however many threads compute it. (Beyond
    255·H·W·D = 2^53, a thousandth of that in grayscale, which images of 2000 × 2000 pixels do not
    reach at the default size, float64 rounds and the promise holds to float32 precision.)

    Args:
        config: The encoder's settings.
    """

    accepts = frozenset({"image"})

    @property
    def dim(self) -> int:
        """Length of a latent: ``config.dim``, or the number of averaged values."""
        return self.config.features if self.config.dim is None else self.config.dim

    def fingerprint(self) -> str:
        """Names the map by its settings and the version of its code."""
        config = self.config
        return fingerprint(
            {
                "encoder": "pixels",
                "version": _CODE_VERSION,
                "size": config.size,
                "grayscale": config.grayscale,
                "centre": config.centre,
                "dim": config.dim,
                "projection_seed": None if config.dim is None else config.projection_seed,
            }
        )

    def encode(self, batch: Batch) -> Latents:
        """Encode images.

        Args:
            batch: uint8 [B, H, W, 3] RGB, H and W at least 1.

        Returns:
            float32 [B, dim], each row of unit length.

        Raises:
            DataError: If the batch is anything else; the message says what it is.
        """
        images = _checked(batch)
        pixels = images.shape[1] * images.shape[2]
        sums = area_sums(images, self.config.size)
        scale = pixels
        if self.config.grayscale:
            sums, scale = sums @ _LUMA, pixels * int(_LUMA.sum())
        # The explicit length instead of -1 lets an empty batch through.
        flat = sums.reshape(len(images), self.config.features) - self.config.centre * scale
        values = flat.astype(np.float64)
        if self._projection is not None:
            values = values @ self._projection
        return _normalised(values)

    @cached_property
    def _projection(self) -> npt.NDArray[np.float64] | None:
        if self.config.dim is None:
            return None
        return sign_matrix(self.config.features, self.config.dim, self.config.projection_seed)


def _checked(batch: Batch) -> npt.NDArray[np.uint8]:
    hint = "The pixels encoder takes RGB images: a uint8 array of shape [B, H, W, 3]."
    if not isinstance(batch, np.ndarray):
        raise DataError(f"a batch of type {type(batch).__name__} is no array of images", hint=hint)
    if batch.dtype != np.uint8:
        hint += " Scale other ranges to 0-255 and convert them."
        raise DataError(f"images of dtype {batch.dtype}, not uint8", hint=hint)
    if batch.ndim != 4 or batch.shape[3] != 3 or 0 in batch.shape[1:3]:
        hint += " Repeat a single grey channel three times; drop an alpha channel."
        raise DataError(f"images of shape {list(batch.shape)}", hint=hint)
    return batch


def _normalised(values: npt.NDArray[np.float64]) -> Latents:
    lengths = np.sqrt(np.square(values).sum(axis=1, keepdims=True))
    values = np.where(lengths == 0, 1.0, values)
    lengths = np.where(lengths == 0, np.sqrt(values.shape[1]), lengths)
    latents: Latents = (values / lengths).astype(np.float32)
    return latents
