"""The directions in which items differ more than the views of one item do, and a head on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.warrant import ViewGroups
from mezzanine_recipes_distill.fitting import (
    Curves,
    FitSettings,
    Taught,
    belief_divergence,
    check_alike,
    fit_head,
)
from mezzanine_recipes_distill.heads import Floats, Head

SHRINKAGE = 0.1
"""By how much the covariance within orbits is drawn towards a multiple of the identity."""

_FLOOR = 1e-10
"""Least variance within orbits in any direction, relative to the mean variance of a view."""


class Projected(nn.Module):
    """A head on latents projected on a few directions.

    Args:
        dim: Length D of a latent.
        rank: Number r of directions.
        classes: Number C of classes.
        hidden: Width of the head's hidden layer; 0 for none.

    Attributes:
        centre: Subtracted from latents, float32 [D].
        basis: The directions, float32 [D, r].
        head: From what is projected, [B, r], to logits.
    """

    def __init__(self, dim: int, rank: int, classes: int, hidden: int = 0) -> None:
        super().__init__()
        self.dim, self.rank, self.classes, self.hidden = dim, rank, classes, hidden
        self.centre: Tensor
        self.basis: Tensor
        self.register_buffer("centre", torch.zeros(dim))
        self.register_buffer("basis", torch.zeros(dim, rank))
        self.head = Head(rank, classes, hidden)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents [..., D] to logits [..., C]."""
        logits: Tensor = self.head((latents - self.centre) @ self.basis)
        return logits


@dataclass(frozen=True, eq=False)
class ProjectionChoice:
    """Which rank was chosen, and why.

    Attributes:
        rank: The chosen one.
        validation: Rank → mean KL(teacher ‖ student) over all views of the validation items.
        errors: Rank → standard error of that mean, over items.
        eigenvalues: Variance between items over that within orbits along each direction, largest
            first, float64 [D]; below 0 where noise hides that there is none between items.
        notes: What was left out, and why.
    """

    rank: int
    validation: Mapping[int, float]
    errors: Mapping[int, float]
    eigenvalues: Floats
    notes: tuple[str, ...]


def warrant_directions(
    latents: Latents, groups: ViewGroups, shrinkage: float = SHRINKAGE
) -> tuple[Floats, Floats]:
    """Directions in order of how much items differ along them, for how much views of one item do.

    Solves S_between v = λ S_within v, the generalised eigenproblem of discriminant analysis
    (Rao 1948) with items for classes and views for their members; dividing by the square root of
    S_within is the within-class covariance normalisation of Hatch, Kajarekar and Stolcke (2006).

    - S_within is the covariance of views about their item's mean, pooled over items and shrunk to
      (1 − shrinkage) S_within + shrinkage · tr(S_within)/D · I.
    - S_between is the covariance of the orbits' means, estimated without bias: from that of the
      means of K views the variance that stems from having drawn K of N, S/K · (1 − K/N), is taken
      off (Cochran 1977, section 2.5). So a direction of pure nuisance has λ near 0, and exact
      orbits have nothing taken off.

    The canonical view counts as any other drawn one. Where no view differs from another, the
    directions are the principal components of the items.

    Args:
        latents: float [V, D].
        groups: Which rows are views of which item; at least two items.
        shrinkage: In [0, 1]; at 0 the span of the first directions of the latents does not change
            under an invertible linear map of these.

    Returns:
        λ, largest first, float64 [D], and the directions, the columns of a float64 [D, D], scaled
        so that views vary by 1 about their item along each (after shrinkage).

    Raises:
        DataError: If there are fewer than two items, or latents are not finite.
        ConfigError: If the shrinkage is out of range.
    """
    if not 0 <= shrinkage <= 1:
        raise ConfigError(f"shrinkage={shrinkage} must lie in [0, 1]")
    within, between = _covariances(groups.rows(latents), groups)
    dim = len(within)
    variance = (np.trace(within) + max(np.trace(between), 0.0)) / dim
    shrunk = (1 - shrinkage) * within + shrinkage * np.trace(within) / dim * np.eye(dim)
    spread, axes = np.linalg.eigh(shrunk)
    # Few views, or latents that are constant somewhere, leave directions without any variance.
    whitening = axes / np.sqrt(np.maximum(spread, _FLOOR * variance if variance > 0 else 1.0))
    ratios, turned = np.linalg.eigh(whitening.T @ between @ whitening)
    return ratios[::-1], whitening @ turned[:, ::-1]


def fit_projection(
    train: Taught,
    validation: Taught,
    ranks: Sequence[int],
    settings: FitSettings,
    generator: torch.Generator,
    device: torch.device,
    shrinkage: float = SHRINKAGE,
) -> tuple[Projected, ProjectionChoice, Curves]:
    """Fit heads on the first directions and choose how many of these there are.

    The rank is the smallest whose KL(teacher ‖ student) over all views of the validation items is
    at most one standard error above the least (the one-standard-error rule of Breiman, Friedman,
    Olshen and Stone 1984). Every rank's head is fitted with the same random numbers, so that ranks
    differ by nothing else.

    Args:
        train: What to fit to; targets are beliefs.
        validation: What to stop and to choose by.
        ranks: The ranks to choose from. Those that exceed the length of a latent or the number of
            training items are left out.
        settings: How the heads are fitted.
        generator: Source of all randomness; on the CPU.
        device: Where to fit.
        shrinkage: See :func:`warrant_directions`.

    Returns:
        The student, what was chosen, and the losses of the chosen head.

    Raises:
        ConfigError: If no rank is left, or the shrinkage is out of range.
        DataError: If there are fewer than two training items, or both are of different lengths.
        LatentError: If a loss is no longer finite.
    """
    check_alike(train, validation)
    dim, limit = train.latents.shape[1], min(train.latents.shape[1], len(train))
    fitting = sorted({rank for rank in ranks if 1 <= rank <= limit})
    if not fitting:
        raise ConfigError(
            f"none of the ranks {sorted(ranks)} lies between 1 and {limit}, the lesser of the "
            f"length of a latent ({dim}) and the number of items to fit on ({len(train)})",
            hint=f"Give a rank of at most {limit}.",
        )
    dropped = sorted(set(ranks) - set(fitting))
    eigenvalues, basis = warrant_directions(train.latents, train.groups, shrinkage)
    centre = train.latents.mean(axis=0, dtype=np.float64)
    seed = int(torch.randint(2**62, (1,), generator=generator))
    fits: dict[int, tuple[Projected, Curves]] = {}
    divergences: dict[int, Floats] = {}
    for rank in fitting:
        parts = [_project(part, centre, basis[:, :rank]) for part in (train, validation)]
        same = torch.Generator().manual_seed(seed)
        head, curves = fit_head(parts[0], parts[1], settings, same, device)
        fits[rank] = _assembled(head, centre, basis[:, :rank], device), curves
        divergences[rank] = belief_divergence(fits[rank][0], validation)
    rank, means, errors = _choose(divergences)
    notes = (f"ranks {dropped} are left out: at most {limit} can be told apart",) if dropped else ()
    return fits[rank][0], ProjectionChoice(rank, means, errors, eigenvalues, notes), fits[rank][1]


def _covariances(rows: Floats, groups: ViewGroups) -> tuple[Floats, Floats]:
    """Covariance within orbits and between the means of orbits, both float64 [D, D]."""
    n = len(groups.sizes)
    if n < 2:
        raise DataError("directions in which items differ need at least two items")
    sizes = groups.sizes.astype(np.float64)
    means = groups.sum(rows) / sizes[:, None]
    residuals = rows - groups.repeat(means)
    within = residuals.T @ residuals / max(float((sizes - 1).sum()), 1)
    # The variance of each mean that stems from its few views, relative to that of a view.
    share = 1 / sizes - 1 / groups.population()
    several = sizes > 1
    own = groups.repeat(np.where(several, share / np.maximum(sizes - 1, 1), 0.0))
    error = (residuals * own[:, None]).T @ residuals
    if groups.orbit_sizes is not None:
        # What a single view of a larger orbit hides is what the others show on average.
        error += share[~several].sum() * within
    centred = means - means.mean(axis=0)
    return within, centred.T @ centred / (n - 1) - error / n


def _project(taught: Taught, centre: Floats, basis: Floats) -> Taught:
    projected = ((taught.latents - centre) @ basis).astype(np.float32)
    return replace(taught, latents=projected)


def _assembled(head: Head, centre: Floats, basis: Floats, device: torch.device) -> Projected:
    dim, rank = basis.shape
    student = Projected(dim, rank, head.classes, head.hidden)
    student.centre.copy_(torch.from_numpy(centre))
    student.basis.copy_(torch.from_numpy(np.ascontiguousarray(basis)))
    student.head = head
    return student.to(device)


def _choose(divergences: Mapping[int, Floats]) -> tuple[int, dict[int, float], dict[int, float]]:
    """The smallest rank within one standard error of the best, means and standard errors."""
    means = {rank: float(values.mean()) for rank, values in divergences.items()}
    errors = {
        rank: float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0
        for rank, values in divergences.items()
    }
    best = min(means, key=lambda rank: means[rank])
    within = [rank for rank, mean in means.items() if mean <= means[best] + errors[best]]
    return min(within), means, errors
