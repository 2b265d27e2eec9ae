"""Images that are decoded when they are fetched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mezzanine_core.errors import DataError
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import Keys, content_keys
from mezzanine_core.worlds import Batch, Column, Rows

DECODER = 1
"""Version of how bytes become an image; it grows with every change of what comes out."""

_TASK_IMAGES = 64
"""Images in a task of decoding."""

_PARALLEL_IMAGES = 1024
"""Images from which on worker processes pay: decoding them takes longer than starting two."""

_DEEP = ("I", "F")
"""How the modes of images begin that have more than eight bits a channel."""


def image_keys(encoded: Iterable[bytes]) -> Keys:
    """Keys of encoded images, uint8 [n, 16]; nothing is decoded."""
    prefix = f"image\0{DECODER}\0".encode("ascii")
    return content_keys(prefix + item for item in encoded)


class ImageColumn(Column):
    """Encoded images (PNG, JPEG, …); equal files have equal keys.

    Args:
        read: Gives the encoded bytes of an item.
        keys: Item keys, uint8 [n, 16], as :func:`image_keys` makes them.
    """

    kind = "image"

    def __init__(self, read: Callable[[int], bytes], keys: Keys) -> None:
        self.keys = keys
        self._read = read

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """See :meth:`Column.fetch`; images of a batch are of one size, uint8 [B, H, W, 3] RGB.

        Raises:
            DataError: If an image cannot be decoded, or has more than eight bits a channel.
        """
        parts = [rows[at : at + _TASK_IMAGES] for at in range(0, len(rows), _TASK_IMAGES)]
        tasks = ([(int(row), self._read(int(row))) for row in part] for part in parts)
        parallel = executor.workers > 1 and len(rows) >= _PARALLEL_IMAGES
        decoded = executor.map(decode_all, tasks) if parallel else map(decode_all, tasks)
        for part, images in zip(parts, decoded, strict=True):
            places: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
            for place, image in enumerate(images):
                places[image.shape].append(place)
            for same in places.values():
                yield part[same], np.stack([images[place] for place in same])


def decode_all(task: Sequence[tuple[int, bytes]]) -> list[npt.NDArray[np.uint8]]:
    """Decode a few images, each given with its row for the message."""
    return [_decode(row, encoded) for row, encoded in task]


def _decode(row: int, encoded: bytes) -> npt.NDArray[np.uint8]:
    """One image as RGB, turned upright as its EXIF data say."""
    try:
        with Image.open(BytesIO(encoded)) as image:
            image.load()
            upright = ImageOps.exif_transpose(image)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"image {row} cannot be decoded ({error}): {len(encoded)} bytes, "
            f"beginning with {encoded[:8]!r}",
            hint="Mend or remove this image in the data set.",
        ) from error
    if upright.mode.startswith(_DEEP):
        raise DataError(
            f"image {row} has more than eight bits a channel (mode {upright.mode})",
            hint="Convert the images of the data set to eight bits.",
        )
    return np.asarray(upright.convert("RGB"))
