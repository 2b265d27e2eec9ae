"""Diagnosis of collapsed latents: how much, and in how many directions, they vary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import LatentError

CONSTANT_SPREAD = 1e-6
"""Relative spread below which latents are constant: no more than the rounding of float32."""

COLLAPSED_COSINE = 1 - 1e-4
"""Mean cosine above which latents all point the same way, as far as retrieval is concerned."""

COLLAPSED_RANK = 1.5
"""Effective rank below which latents vary along a single direction."""

_BLOCK_ROWS = 4096


@dataclass(frozen=True, slots=True)
class LatentSpread:
    """How a set of latents is spread.

    Attributes:
        count: How many latents, n.
        dim: Their length, D.
        mean_cosine: Mean cosine of two different latents, in [-1, 1]; a zero latent has cosine 0
            with every other.
        effective_rank: Exponential of the entropy of the normalised singular values of the centred
            latents (Roy and Vetterli 2007), in [1, min(n - 1, D)]; 0 where they are constant.
        relative_spread: Root mean squared distance from the mean latent over root mean squared
            length; 0 where all are equal, close to 1 where they are centred.
    """

    count: int
    dim: int
    mean_cosine: float
    effective_rank: float
    relative_spread: float

    @property
    def is_constant(self) -> bool:
        """Whether the latents are all the same, to the rounding of float32."""
        return self.relative_spread < CONSTANT_SPREAD

    @property
    def is_collapsed(self) -> bool:
        """Whether there is too little variation left for retrieval to mean much."""
        return (
            self.is_constant
            or self.mean_cosine > COLLAPSED_COSINE
            or self.effective_rank < COLLAPSED_RANK
        )


def latent_spread(latents: Latents) -> LatentSpread:
    """Measure how latents are spread, in float64 and without an n × n matrix where n exceeds D.

    Takes n · D · min(n, D) operations, and the eigenvalues of a matrix of side min(n, D).

    Args:
        latents: float [n, D] with n of at least 2.

    Raises:
        LatentError: If there are fewer than two latents, or some are not finite.
    """
    if latents.ndim != 2 or len(latents) < 2 or latents.shape[1] == 0:
        raise LatentError(f"latents of shape {latents.shape} have no spread; expected [n ≥ 2, D]")
    n, dim = latents.shape
    total = np.zeros(dim)
    directions = np.zeros(dim)
    pointing, energy = 0, 0.0
    for start, block in _blocks(latents):
        squares = np.einsum("ij,ij->i", block, block)
        if not np.isfinite(squares).all():
            row = start + int(np.flatnonzero(~np.isfinite(squares))[0])
            raise LatentError(f"latent {row} is not finite")
        lengths = np.sqrt(squares[squares > 0])
        total += block.sum(axis=0)
        directions += (block[squares > 0] / lengths[:, None]).sum(axis=0)
        pointing += len(lengths)
        energy += float(squares.sum())
    eigenvalues = _scatter_eigenvalues(latents, total / n)
    scatter = float(eigenvalues.sum())
    spread = float(np.sqrt(scatter / energy)) if energy else 0.0
    return LatentSpread(
        count=n,
        dim=dim,
        mean_cosine=(float(directions @ directions) - pointing) / (n * (n - 1)),
        effective_rank=_effective_rank(eigenvalues) if spread >= CONSTANT_SPREAD else 0.0,
        relative_spread=spread,
    )


def _scatter_eigenvalues(latents: Latents, mean: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """Squared singular values of the centred latents, float64 [min(n, D)], not negative."""
    n, dim = latents.shape
    if n < dim:
        centred = latents.astype(np.float64) - mean
        scatter = centred @ centred.T
    else:
        scatter = np.zeros((dim, dim))
        for _, block in _blocks(latents):
            centred = block - mean
            scatter += centred.T @ centred
    eigenvalues: npt.NDArray[np.float64] = np.maximum(np.linalg.eigvalsh(scatter), 0)
    # What rounding leaves of directions without variation would count many times over as a root.
    eigenvalues[eigenvalues < eigenvalues.max() * len(eigenvalues) * np.finfo(np.float64).eps] = 0
    return eigenvalues


def _effective_rank(eigenvalues: npt.NDArray[np.float64]) -> float:
    singular = np.sqrt(eigenvalues[eigenvalues > 0])
    share = singular / singular.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def _blocks(latents: Latents) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    for start in range(0, len(latents), _BLOCK_ROWS):
        yield start, latents[start : start + _BLOCK_ROWS].astype(np.float64)
