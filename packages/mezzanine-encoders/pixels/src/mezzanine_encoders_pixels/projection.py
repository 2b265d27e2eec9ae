"""Random projection by signs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def sign_matrix(rows: int, columns: int, seed: int) -> npt.NDArray[np.float64]:
    """A matrix of independent, equally likely signs.

    Multiplying by it keeps cosines approximately, as Gaussian matrices do (D. Achlioptas,
    "Database-friendly random projections", 2003), and sends integers to integers.

    Args:
        rows: Length of the vectors to be projected.
        columns: Length of the projected vectors.
        seed: Seed of the PCG64 bit stream, whose first ``rows * columns`` bits, low bytes first
            and high bits of each byte first, are the signs in row order. NumPy guarantees that
            this stream never changes, which it does not for derived distributions.

    Returns:
        float64 [rows, columns] of -1 and 1.
    """
    count = rows * columns
    words = np.random.PCG64(seed).random_raw(-(-count // 64)).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), count=count)
    signs: npt.NDArray[np.float64] = 2.0 * bits.astype(np.float64) - 1.0
    return signs.reshape(rows, columns)
