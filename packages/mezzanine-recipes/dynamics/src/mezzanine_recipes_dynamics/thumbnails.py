"""The frames that pictures show, kept in the latent cache.

A montage shows a few frames of a world that renders or decodes them at a cost. They pass through
the latent cache as the latents of an encoder that shrinks images and changes nothing else, so that
repeating a run materialises no frame at all, and they are counted like any other latent.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from mezzanine_core.config import EncoderConfig
from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.worlds import Batch, Column, Rows

SIDE = 128
"""Side of a thumbnail in pixels; other shapes are fitted in, with white beside them."""


def thumbnails(column: Column, rows: Rows, ctx: RunContext) -> npt.NDArray[np.uint8]:
    """Frames of some rows of a column of images.

    Args:
        column: Images.
        rows: Row numbers, int64 [r]; they may repeat.
        ctx: The run, whose cache keeps them.

    Returns:
        uint8 [r, SIDE, SIDE, 3], RGB.
    """
    encoder = _ThumbnailEncoder(_ThumbnailConfig(name="thumbnail"))
    flat = ctx.latents(_Part(column, rows), encoder, "montage")
    return flat.astype(np.uint8).reshape(-1, SIDE, SIDE, 3)


class _ThumbnailConfig(EncoderConfig):
    """Thumbnails have no settings: all pictures share them."""


class _ThumbnailEncoder(Encoder[_ThumbnailConfig]):
    """The pixels of an image that was fitted into a square, as they are."""

    accepts = frozenset({"image"})

    @property
    def dim(self) -> int:
        return SIDE * SIDE * 3

    def fingerprint(self) -> str:
        return fingerprint({"encoder": "thumbnail", "version": 1, "side": SIDE})

    def encode(self, batch: Batch) -> Latents:
        fitted = [
            ImageOps.pad(Image.fromarray(np.asarray(image)), (SIDE, SIDE), color="white")
            for image in batch
        ]
        return np.stack([np.asarray(image, dtype=np.float32).ravel() for image in fitted])


class _Part(Column):
    """Some rows of a column."""

    def __init__(self, column: Column, rows: Rows) -> None:
        self.kind = column.kind
        self.keys = column.keys[rows]
        self._column = column
        self._rows = rows

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        # A part may repeat a row, but latents are asked for only once for each key.
        wanted = self._rows[rows]
        place = {int(row): int(here) for row, here in zip(wanted, rows, strict=True)}
        for got, batch in self._column.fetch(wanted, executor):
            yield np.array([place[int(row)] for row in got], dtype=np.int64), batch
