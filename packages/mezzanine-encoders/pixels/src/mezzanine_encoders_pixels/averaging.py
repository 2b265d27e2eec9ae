"""Area averages of images in exact integer arithmetic.

Sums of 8-bit pixels with integer weights have no rounding error, so they are the same in whatever
order, batch or thread they are computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_BLOCK_BYTES = 1 << 22


def area_sums(images: npt.NDArray[np.uint8], cells: int) -> npt.NDArray[np.int64]:
    """Weighted sums of the pixels under each cell of a ``cells`` × ``cells`` grid.

    The grid spans the image. A pixel counts in a cell by the share of it that the cell covers, in
    units that make all weights integers: a cell's weights add up to H·W, so the average of its
    pixels is its sum divided by H·W. Images smaller than the grid are thereby enlarged by
    repeating pixels.

    Args:
        images: uint8 [B, H, W, C] with H, W ≥ 1.
        cells: Cells per side, at least 1.

    Returns:
        int64 [B, cells, cells, C], each value in [0, 255·H·W].
    """
    count, height, width, channels = images.shape
    sums = np.empty((count, cells, cells, channels), dtype=np.int64)
    # Blocks keep the intermediate sums, which are wider than the pixels, inside the CPU's caches.
    block = max(1, _BLOCK_BYTES // (height * width * channels))
    for start in range(0, count, block):
        part = images[start : start + block]
        rows = _axis_sums(part.reshape(len(part), height, width * channels), cells)
        rows = rows.reshape(len(part) * cells, width, channels)
        sums[start : start + block] = _axis_sums(rows, cells).reshape(-1, cells, cells, channels)
    return sums


def _axis_sums(values: npt.NDArray[Any], cells: int) -> npt.NDArray[np.int64]:
    """Sums over the middle axis of [N, n, K], each with weights that add up to n: [N, cells, K].

    In units of 1/cells of a pixel, the axis is n·cells long, a pixel covers ``cells`` units and a
    cell n of them.
    """
    count, length, rest = values.shape
    if length % cells == 0:
        groups = values.reshape(count, cells, length // cells, rest)
        wide = np.uint32 if values.dtype == np.uint8 else np.int64
        totals: npt.NDArray[np.int64] = groups.sum(axis=2, dtype=wide).astype(np.int64)
        return totals * cells
    prefix = np.zeros((count, length + 1, rest), dtype=np.int64)
    np.cumsum(values, axis=1, out=prefix[:, 1:])
    whole, part = np.divmod(np.arange(cells + 1) * length, cells)
    cut = values[:, np.minimum(whole, length - 1)].astype(np.int64)
    ends: npt.NDArray[np.int64] = prefix[:, whole] * cells + cut * part[:, None]
    sums: npt.NDArray[np.int64] = np.diff(ends, axis=1)
    return sums
