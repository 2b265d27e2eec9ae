"""The encoder ``vector``: vectors as they are, in a form whose direction tells all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.builtin.configs import VectorConfig
from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.worlds import Batch

_CODE_VERSION = 1


class VectorEncoder(Encoder[VectorConfig]):
    """Maps a vector x to ((x - offset) / scale, 1, 0, …, 0).

    Latents are compared by their directions. The 1 (homogeneous coordinates) makes the direction
    tell x from every other vector, its length included; the zeros, up to ``dim``, change no angle.
    Nothing is learnt and nothing is lost, so what recipes find is what the vectors hold. Directions
    are told apart best where the scaled values are about as large as 1.

    Every latent is computed from its own item in float64 and then rounded, so it is the same bit
    for bit whatever the batch around it.

    Args:
        config: The encoder's settings.
    """

    accepts = frozenset({"vector"})

    @property
    def dim(self) -> int:
        """Length of a latent: ``config.dim``."""
        return self.config.dim

    def fingerprint(self) -> str:
        """Names the map by its settings and the version of its code."""
        return fingerprint(
            {
                "encoder": "vector",
                "version": _CODE_VERSION,
                "dim": self.config.dim,
                "offset": self.config.offset,
                "scale": self.config.scale,
            }
        )

    def encode(self, batch: Batch) -> Latents:
        """Encode vectors.

        Args:
            batch: float32 [B, D], finite, with D below ``dim``.

        Returns:
            float32 [B, dim].

        Raises:
            DataError: If the batch is anything else, ``offset`` or ``scale`` has another length
                than D, or the scaled values exceed the range of float32.
        """
        vectors = self._checked(batch)
        size = vectors.shape[1]
        offset, scale = (
            self._fitted(name, size, default) for name, default in (("offset", 0.0), ("scale", 1.0))
        )
        latents = np.zeros((len(vectors), self.dim), np.float32)
        with np.errstate(over="ignore"):
            latents[:, :size] = (vectors - offset) / scale
        latents[:, size] = 1.0
        if not np.isfinite(latents).all():
            row = int(np.flatnonzero(~np.isfinite(latents).all(axis=1))[0])
            raise DataError(
                f"a vector is not finite, or too large when scaled: {batch[row]}",
                hint="Look at what the world gives, and at `scale` of the encoder.",
            )
        return latents

    def _checked(self, batch: Batch) -> npt.NDArray[np.float64]:
        expected = "the encoder takes vectors, float32 [B, D]"
        if not isinstance(batch, np.ndarray):
            raise DataError(f"a batch of {type(batch).__name__}; {expected}")
        if batch.dtype.kind != "f" or batch.ndim != 2:
            raise DataError(f"a batch of {batch.dtype} {list(batch.shape)}; {expected}")
        if batch.shape[1] >= self.dim:
            raise DataError(
                f"vectors of {batch.shape[1]} values do not fit into latents of dim={self.dim}, "
                "which hold a 1 besides",
                hint=f"Raise dim of the encoder to {batch.shape[1] + 1} at least.",
            )
        return batch.astype(np.float64)

    def _fitted(self, name: str, size: int, default: float) -> Any:
        values: tuple[float, ...] = getattr(self.config, name)
        if not values:
            return default
        if len(values) not in (1, size):
            raise DataError(
                f"{name} has {len(values)} values, but the vectors have {size}",
                hint=f"Give {name} one value for all, or {size}.",
            )
        return np.array(values, np.float64)
