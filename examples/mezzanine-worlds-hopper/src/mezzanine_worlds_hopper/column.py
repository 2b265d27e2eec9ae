"""The column of pictures: known at once, drawn when they are fetched."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import item_keys
from mezzanine_core.worlds import Batch, Column, Rows

from mezzanine_worlds_hopper.drawing import draw

_FETCH_ROWS = 256
"""Pictures that are drawn together: 3 MB of 64 by 64 pixels."""


class FrameColumn(Column):
    """Pictures of robots.

    Args:
        apexes: Height and speed of each, float32 [n, 2]; rows may repeat.
        size: Width and height of the pictures, in pixels.
        gravity: In m/s².
        source: Fingerprint of all that decides what a picture of given height and speed looks like.
    """

    kind = "image"

    def __init__(
        self, apexes: npt.NDArray[np.float32], size: int, gravity: float, source: str
    ) -> None:
        self.keys = item_keys(source, (["frame", *apex] for apex in apexes.tolist()))
        self._apexes, self._size, self._gravity = apexes, size, gravity

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """Draw the pictures, uint8 [B, size, size, 3]; see :meth:`Column.fetch`.

        They are drawn faster than worker processes start, so the executor is not used.
        """
        for start in range(0, len(rows), _FETCH_ROWS):
            part = rows[start : start + _FETCH_ROWS]
            yield part, draw(self._apexes[part], self._size, self._gravity)
