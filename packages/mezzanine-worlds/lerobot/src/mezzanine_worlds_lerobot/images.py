"""Decoding some images that lie in the rows of a parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from mezzanine_core.errors import DataError
from mezzanine_worlds_lerobot.frames import BATCH, Frame, Frames, shrink

_HINT = "The file is damaged: copy or download it again, or leave the episode out with --episodes."


@dataclass(frozen=True)
class ImageTask:
    """Images of a parquet file to decode.

    Attributes:
        path: The file.
        camera: The column.
        rows: Rows of the file, ascending.
        size: Longer side to shrink to; ``None`` for none.
    """

    path: Path
    camera: str
    rows: Sequence[int]
    size: int | None

    def frames(self) -> Iterator[Frames]:
        """The images, in order, a few at a time; only groups of rows that hold some are read.

        Raises:
            DataError: If the file is damaged, or an image is missing, of another shape than the
                others, or cannot be decoded.
        """
        batch: list[Frame] = []
        for row, stored in self._stored():
            batch.append(self._decode(row, stored))
            if batch[-1].shape != batch[0].shape:
                raise DataError(
                    f"image {row} of {self.camera!r} in {self.path} is of shape "
                    f"{batch[-1].shape}, others are of shape {batch[0].shape}"
                )
            if len(batch) == BATCH:
                yield np.stack(batch)
                batch = []
        if batch:
            yield np.stack(batch)

    def _stored(self) -> Iterator[tuple[int, Any]]:
        wanted = np.asarray(self.rows, np.int64)
        try:
            with pq.ParquetFile(self.path) as file:
                begin = 0
                for group in range(file.num_row_groups):
                    end = begin + file.metadata.row_group(group).num_rows
                    rows = wanted[(wanted >= begin) & (wanted < end)]
                    if rows.size:
                        column = file.read_row_group(group, columns=[self.camera])[self.camera]
                        for row in rows.tolist():
                            yield row, column[row - begin].as_py()
                    begin = end
        except (pa.ArrowException, OSError, KeyError) as error:
            raise DataError(
                f"{self.path} cannot be read as parquet ({error})", hint=_HINT
            ) from error

    def _decode(self, row: int, stored: Any) -> Frame:
        """One image as RGB."""
        encoded = stored.get("bytes") if isinstance(stored, dict) else stored
        if not isinstance(encoded, bytes):
            raise DataError(
                f"row {row} of {self.path} holds no image under {self.camera!r}, or only the name "
                "of one",
                hint="Images have to be embedded in the parquet files, as lerobot does.",
            )
        try:
            with Image.open(BytesIO(encoded)) as image:
                return np.asarray(shrink(image.convert("RGB"), self.size))
        except (UnidentifiedImageError, OSError, ValueError) as error:
            raise DataError(
                f"image {row} of {self.camera!r} in {self.path} cannot be decoded ({error})",
                hint=_HINT,
            ) from error
