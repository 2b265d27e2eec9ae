"""Digests of blocks of rows.

CRC-32C is what Zarr itself uses against damage on disk, from the library that Zarr already depends
on. Processors have an instruction for it: measured on one core, 10 GB/s from memory and 27 GB/s
from the processor's cache, where BLAKE3 gave 4. It guards against accidents, not against forgery.
"""

from __future__ import annotations

from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt


def digest(array: npt.NDArray[Any]) -> int:
    """CRC-32C of the bytes of a C-contiguous array."""
    return int(google_crc32c.value(array))


def block_digests(array: npt.NDArray[Any], block_rows: int) -> npt.NDArray[np.uint32]:
    """CRC-32C of each block of ``block_rows`` rows of a C-contiguous array; the last may be short.

    Args:
        array: Any dtype, [n, ...].
        block_rows: Rows of a block, at least 1.

    Returns:
        uint32 [ceil(n / block_rows)].
    """
    value = google_crc32c.value
    starts = range(0, len(array), block_rows)
    return np.fromiter(
        (value(array[start : start + block_rows]) for start in starts), np.uint32, len(starts)
    )
