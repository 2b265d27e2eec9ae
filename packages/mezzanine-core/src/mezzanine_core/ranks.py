"""Retrieval ranks that are fair to ties, in memory that does not grow with the number of pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import ConfigError, DataError, LatentError

TIE_TOLERANCE = 1e-6
"""Cosines that differ by no more are tied.

Equal rows give equal cosines only up to the rounding of float32, which depends on the kernel that
BLAS picks for the shape: at most 7e-7 was seen, between 3 and 4096 dimensions, at cosines close to
1. The tolerance has to exceed that. Smaller differences are beyond what float32 resolves, and
counting them as ties favours no model.
"""

BLOCK_BYTES = 64 * 2**20
"""Default size of the working memory: one block of similarities and what it is made of."""

_MAX_SIDE = np.iinfo(np.uint16).max
_DIAGONAL_SIDE = 128
_STRIP = 32


@dataclass(frozen=True, eq=False)
class Ranks:
    """Where the true target stands among all targets, for each of n queries.

    Among targets that tie, the order is undetermined, so every figure is the expectation over all
    orders of the tied ones.

    Attributes:
        greater: How many targets are strictly more similar than the true one, int64 [n].
        tied: How many targets tie with the true one, itself included, int64 [n], at least 1.
        targets: How many targets there are in all, m.
    """

    greater: npt.NDArray[np.int64]
    tied: npt.NDArray[np.int64]
    targets: int

    def expected(self) -> npt.NDArray[np.float64]:
        """Expected rank of the true target, float64 [n]: 1 is best, (m + 1) / 2 chance."""
        return self.greater + (self.tied + 1) / 2

    def recall_at(self, k: int) -> npt.NDArray[np.float64]:
        """Probability that the true target is among the first ``k``, float64 [n]; chance is k / m.

        Raises:
            ConfigError: If ``k`` is less than one.
        """
        if k < 1:
            raise ConfigError(f"recall at k needs k of at least 1, not {k}")
        result: npt.NDArray[np.float64] = np.clip(k - self.greater, 0, self.tied) / self.tied
        return result

    def reciprocal(self) -> npt.NDArray[np.float64]:
        """Expected reciprocal rank, float64 [n] in (0, 1]; its mean is the MRR."""
        harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, self.targets + 1))])
        result: npt.NDArray[np.float64] = (
            harmonic[self.greater + self.tied] - harmonic[self.greater]
        ) / self.tied
        return result


def retrieval_ranks(
    queries: Latents,
    targets: Latents,
    truth: npt.NDArray[np.int64],
    *,
    tie_tolerance: float = TIE_TOLERANCE,
    block_bytes: int = BLOCK_BYTES,
) -> Ranks:
    """Rank the true target of each query among all targets by cosine similarity.

    Blocks of similarities are computed with BLAS in float32 and counted at once, so the memory used
    besides the inputs is about ``block_bytes``. The inputs may be memory maps: they are read in
    blocks, the targets once for each block of queries.

    A zero vector has no direction: its cosine with everything is taken as 0. A zero query therefore
    ties all targets and ranks the true one by chance.

    Args:
        queries: Predictions, float [n, D].
        targets: Candidates, float [m, D] with m at least 2.
        truth: Row of the true target of each query, int [n] in [0, m).
        tie_tolerance: Cosines within it of the true one's are ties; at least the rounding error of
            float32, see :data:`TIE_TOLERANCE`.
        block_bytes: Working memory in bytes.

    Returns:
        Counts for each query, in the order of the queries.

    Raises:
        LatentError: If a latent is NaN, infinite or of a length beyond float32, or shapes differ.
        DataError: If there are fewer than two targets, or ``truth`` does not fit them.
        ConfigError: If the tolerance or the block size is not positive.
    """
    _check(queries, targets, truth, tie_tolerance, block_bytes)
    side = _block_side(queries.shape[1], block_bytes)
    target_blocks = _blocks(len(targets), side)
    widest = max(block.stop - block.start for block in target_blocks)
    lengths = np.concatenate([_lengths(targets, block, "target") for block in target_blocks])
    greater = np.zeros(len(queries), dtype=np.int64)
    tied = np.ones(len(queries), dtype=np.int64)
    for rows in _blocks(len(queries), side):
        query = _unit(queries[rows], _lengths(queries, rows, "query"))
        own = truth[rows]
        true = _paired_cosines(query, _unit(targets[own], lengths[own]))
        similarity = np.empty((len(query), widest), dtype=np.float32)
        for columns in target_blocks:
            block = similarity[:, : columns.stop - columns.start]
            np.matmul(query, _unit(targets[columns], lengths[columns]).T, out=block)
            # The true target ties with itself from the start, whatever the rounding says.
            inside = np.flatnonzero((own >= columns.start) & (own < columns.stop))
            block[inside, own[inside] - columns.start] = -np.inf
            more, as_much = _compare(block, true, tie_tolerance)
            greater[rows] += more
            tied[rows] += as_much
    return Ranks(greater=greater, tied=tied, targets=len(targets))


def _paired_cosines(
    first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Cosine of each row of ``first`` with the same row of ``second``, float32 [b, 1].

    Taken from the diagonals of small matrix products, because these round as the large ones do,
    unlike a sum over the products of two rows.
    """
    cosines = np.empty((len(first), 1), dtype=np.float32)
    for rows in _blocks(len(first), _DIAGONAL_SIDE):
        cosines[rows, 0] = np.diagonal(first[rows] @ second[rows].T)
    return cosines


def _blocks(count: int, side: int) -> list[slice]:
    """Slices that cover ``range(count)``, as equal as can be and at most ``side`` long.

    Equal, because a short remainder would meet another BLAS kernel, which rounds differently.
    """
    pieces = -(-count // side)
    edges = [count * piece // pieces for piece in range(pieces + 1)] if count else [0]
    return [slice(*edge) for edge in pairwise(edges)]


def _compare(
    block: npt.NDArray[np.float32], true: npt.NDArray[np.float32], tolerance: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How many entries of each row exceed its true cosine (float32 [b, 1]), and how many tie."""
    counts = np.empty((2, len(block)), dtype=np.int64)
    flags = np.empty((min(_STRIP, len(block)), block.shape[1]), dtype=np.bool_)
    # In strips, so that the second comparison finds the numbers in the processor's cache. Summing
    # bytes into 16 bits is several times as fast as numpy's own count along an axis; rows are
    # shorter than 2**16, so it cannot overflow.
    for rows in _blocks(len(block), _STRIP):
        mask = flags[: rows.stop - rows.start]
        for count, compare, bound in (
            (counts[0], np.greater, true[rows] + tolerance),
            (counts[1], np.greater_equal, true[rows] - tolerance),
        ):
            compare(block[rows], bound, out=mask)
            count[rows] = np.add.reduce(mask.view(np.uint8), axis=1, dtype=np.uint16)
    return counts[0], counts[1] - counts[0]


def _unit(
    rows: npt.NDArray[np.floating], lengths: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Rows divided by their lengths, float32; a zero row stays zero."""
    divisors = np.where(lengths > 0, lengths, np.float32(1))[:, None]
    unit = np.empty(rows.shape, dtype=np.float32)
    np.divide(rows, divisors, out=unit, casting="same_kind")
    return unit


def _lengths(latents: Latents, rows: slice, what: str) -> npt.NDArray[np.float32]:
    """Euclidean lengths of ``latents[rows]``, float32, refusing those that are not finite."""
    block = latents[rows]
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->i", block, block, dtype=np.float64)
        lengths: npt.NDArray[np.float32] = np.sqrt(squares).astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(lengths))
    if bad.size:
        raise LatentError(
            f"{what} {rows.start + int(bad[0])} holds NaN, an infinity or values beyond float32",
            hint="The encoder or the training diverged; check its inputs and the learning rate.",
        )
    return lengths


def _block_side(dim: int, block_bytes: int) -> int:
    """Rows b on either side of a block, so that b² similarities, b² flags and 2b rows fit."""
    rows = 2 * dim * 4
    side = (math.sqrt(rows * rows + 4 * 5 * block_bytes) - rows) / (2 * 5)
    return int(min(max(side, 1), _MAX_SIDE))


def _check(
    queries: Latents,
    targets: Latents,
    truth: npt.NDArray[np.int64],
    tie_tolerance: float,
    block_bytes: int,
) -> None:
    if not (tie_tolerance > 0 and block_bytes > 0):
        raise ConfigError(
            f"tie_tolerance={tie_tolerance} and block_bytes={block_bytes} must be positive"
        )
    if queries.ndim != 2 or targets.ndim != 2 or queries.shape[1] != targets.shape[1]:
        raise LatentError(
            f"queries of shape {queries.shape} cannot be ranked against targets of shape "
            f"{targets.shape}; expected [n, D] and [m, D]"
        )
    if len(targets) < 2:
        raise DataError(
            f"{len(targets)} targets are too few to rank",
            hint="Use a larger test set; ranks say something from a few dozen samples on.",
        )
    if truth.shape != (len(queries),) or not np.issubdtype(truth.dtype, np.integer):
        raise DataError(f"{len(queries)} queries but truth of {truth.dtype} {truth.shape}")
    if truth.size and not 0 <= truth.min() <= truth.max() < len(targets):
        raise DataError(
            f"truth reaches from {truth.min()} to {truth.max()}, "
            f"but there are {len(targets)} targets"
        )
