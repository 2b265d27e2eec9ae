"""The warrant gap: how far a model's answers differ between realisations that mean the same.

Every metric here is given per item, so that intervals can resample items (never single views); the
figure to report is the mean over items. The headline is :func:`pairwise_total_variation`, whose
expectation does not depend on how many views were drawn. :func:`total_variation_to_mean` and
:func:`jensen_shannon` are biased low for few views: report them with the number of views, and never
compare them across different numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mezzanine_core.calibration import softmax
from mezzanine_core.errors import DataError
from mezzanine_core.symmetries import Views

Floats = npt.NDArray[np.float64]

_SUM_TOLERANCE = 1e-3
"""How far a row of probabilities may be from 1 in sum: the rounding of half precision."""


@dataclass(frozen=True, eq=False)
class ViewGroups:
    """Which rows of a stack of views [V, …] are views of which item, and how they were drawn.

    The views of an item are consecutive rows, and items may have different numbers of them.

    Attributes:
        sizes: Number of views of each item, int64 [n], each at least 1; V is their sum.
        orbit_sizes: For views as :meth:`~mezzanine_core.symmetries.Symmetry.views` gives them: the
            identity first, always, and the others drawn from an orbit of this many elements,
            float64 [n], infinite where unknown. The identity is then weighted as one element of
            its orbit, not as one of the K views. ``None`` where the rows of an item are
            interchangeable: random views without the canonical one. An item with one view is then
            taken for one with a single realisation.

    Raises:
        DataError: If an item has no view, or more views than its orbit has elements.
    """

    sizes: npt.NDArray[np.int64]
    orbit_sizes: Floats | None = None

    def __post_init__(self) -> None:
        if self.sizes.ndim != 1 or self.sizes.size == 0 or self.sizes.min() < 1:
            raise DataError("every item needs at least one view")
        if self.orbit_sizes is not None and np.any(self.orbit_sizes < self.sizes):
            item = int(np.flatnonzero(self.orbit_sizes < self.sizes)[0])
            raise DataError(
                f"item {item} has {self.sizes[item]} views of an orbit of {self.orbit_sizes[item]}"
            )

    @classmethod
    def of(cls, views: Sequence[Views[Any, Any]]) -> ViewGroups:
        """The groups of the views of several items, stacked in their order."""
        sizes = [len(item.values) for item in views]
        # Beyond 2**53 an orbit is as good as infinite, and may not fit a float.
        orbits = [
            math.inf if item.orbit_size is None or item.orbit_size > 2**53 else item.orbit_size
            for item in views
        ]
        return cls(np.array(sizes, dtype=np.int64), np.array(orbits, dtype=np.float64))

    def starts(self) -> npt.NDArray[np.int64]:
        """The first row of each item, int64 [n]: that of the identity, where it comes first."""
        starts: npt.NDArray[np.int64] = np.cumsum(self.sizes) - self.sizes
        return starts

    def population(self) -> Floats:
        """Size of the orbit that each item's views stand for, float64 [n]; may be infinite."""
        if self.orbit_sizes is None:
            return np.full(len(self.sizes), math.inf)
        return self.orbit_sizes

    def weights(self) -> Floats:
        """Weight of each view in the mean over its orbit, float64 [V]; they sum to 1 per item."""
        sizes = self.sizes.astype(np.float64)
        if self.orbit_sizes is None:
            return np.repeat(1 / sizes, self.sizes)
        identity = np.where(self.sizes == 1, 1.0, 1 / self.orbit_sizes)
        weights = np.repeat((1 - identity) / np.maximum(sizes - 1, 1), self.sizes)
        weights[self.starts()] = identity
        return weights

    def rows(self, values: npt.ArrayLike) -> Floats:
        """Values of all views as float64 [V, …].

        Raises:
            DataError: If there is not one for each view, or one is not finite.
        """
        rows = np.asarray(values, dtype=np.float64)
        if rows.ndim == 0 or len(rows) != self.sizes.sum():
            raise DataError(f"values of shape {rows.shape} for {self.sizes.sum()} views")
        if not np.isfinite(rows).all():
            raise DataError(f"view {int(np.argwhere(~np.isfinite(rows))[0, 0])} is not finite")
        return rows

    def sum(self, values: Floats) -> Floats:
        """Sums over the views of each item: [V, …] to [n, …]."""
        sums: Floats = np.add.reduceat(values, self.starts(), axis=0)
        return sums

    def repeat(self, per_item: Floats) -> Floats:
        """Repeat what belongs to an item for each of its views: [n, …] to [V, …]."""
        return np.repeat(per_item, self.sizes, axis=0)


def orbit_average(values: npt.ArrayLike, groups: ViewGroups) -> Floats:
    """The mean of views over the orbit of their item.

    Of probabilities or latents this is the teacher; an average over logits comes from
    :func:`teacher_probabilities`.

    Args:
        values: float [V] or [V, D].
        groups: Which rows belong to which item.

    Returns:
        float64 [n] or [n, D].
    """
    rows, weights = groups.rows(values), groups.weights()
    return groups.sum(rows * (weights if rows.ndim == 1 else weights[:, None]))


def teacher_probabilities(
    logits: npt.ArrayLike, groups: ViewGroups, average: Literal["probabilities", "logits"]
) -> Floats:
    """What the model averaged over the symmetry believes, p*(y|x) = E_g[p(y | g·x)].

    Args:
        logits: float [V, C].
        groups: Which rows belong to which item.
        average: Whether probabilities are averaged, or logits (the normalised geometric mean of
            the probabilities).

    Returns:
        float64 [n, C]; rows sum to 1.
    """
    if average == "probabilities":
        return orbit_average(softmax(logits), groups)
    return softmax(orbit_average(logits, groups))


def pairwise_total_variation(probabilities: npt.ArrayLike, groups: ViewGroups) -> Floats:
    """The warrant gap: total variation ½ Σ|p − q| between two different views, over all pairs.

    A U-statistic (Hoeffding 1948): unbiased for the mean over all pairs of the orbit, at any number
    of views. An item with a single realisation has gap 0.

    Args:
        probabilities: float [V, C]; rows sum to 1.
        groups: Which rows belong to which item.

    Returns:
        float64 [n] in [0, 1].

    Raises:
        DataError: If rows are no probabilities; if an item has a single view of a larger orbit, or
            two of which one is always the identity: pairs without it are needed as well.
    """
    p = _as_probabilities(probabilities, groups)
    total = np.zeros(len(groups.sizes))
    starts = groups.starts()
    for size in np.unique(groups.sizes):
        items = np.flatnonzero(groups.sizes == size)
        block = p[starts[items][:, None] + np.arange(size)]
        block.sort(axis=1)
        # Over all pairs, the k-th smallest of K numbers is the larger of two k times and the
        # smaller one K − 1 − k times: no need for K² differences.
        total[items] = np.einsum("k,ikc->i", 2.0 * np.arange(size) - size + 1, block) / 2
    distances = np.abs(p - groups.repeat(p[starts])).sum(axis=1) / 2
    return _mean_over_pairs(total, groups.sum(distances), groups)


def pairwise_flip_rate(probabilities: npt.ArrayLike, groups: ViewGroups) -> Floats:
    """How often two views get different answers (the most probable class), over all pairs.

    Unlike the share of items where any view flips, it does not grow with the number of views.
    Arguments, weights and errors are those of :func:`pairwise_total_variation`. Returns float64 [n]
    in [0, 1].
    """
    p = _as_probabilities(probabilities, groups)
    answers = np.zeros_like(p)
    answers[np.arange(len(p)), p.argmax(axis=1)] = 1
    return pairwise_total_variation(answers, groups)


def total_variation_to_mean(probabilities: npt.ArrayLike, groups: ViewGroups) -> Floats:
    """Mean total variation between a view and the orbit average; biased low for few views.

    Returns float64 [n] in [0, 1]. Arguments as for :func:`pairwise_total_variation`.
    """
    p = _as_probabilities(probabilities, groups)
    distances = np.abs(p - groups.repeat(orbit_average(p, groups))).sum(axis=1) / 2
    return orbit_average(distances, groups)


def jensen_shannon(probabilities: npt.ArrayLike, groups: ViewGroups) -> Floats:
    """Jensen–Shannon divergence of the views, in nats; biased low for few views.

    The entropy of the orbit average less the average entropy of views, which is the mutual
    information between view and prediction (Lin 1991). Returns float64 [n], at least 0 and at most
    the logarithm of the number of views, and of classes. Arguments as for
    :func:`pairwise_total_variation`.
    """
    p = _as_probabilities(probabilities, groups)
    gap = _entropy(orbit_average(p, groups)) - orbit_average(_entropy(p), groups)
    return np.maximum(gap, 0)


def orbit_variance(latents: npt.ArrayLike, groups: ViewGroups) -> Floats:
    """Variance of latents or predictions about their orbit mean, summed over dimensions.

    Half the mean squared distance of two different views, so unbiased at any number of views.
    Arguments and errors are those of :func:`pairwise_total_variation`, with float [V, D] in place
    of probabilities. Returns float64 [n], at least 0.
    """
    z = groups.rows(latents)
    z = z - groups.repeat(groups.sum(z) / groups.sizes[:, None])
    total = groups.sizes * groups.sum((z**2).sum(axis=1))
    to_identity = groups.sum(((z - groups.repeat(z[groups.starts()])) ** 2).sum(axis=1))
    return _mean_over_pairs(total, to_identity, groups) / 2


def orbit_cosine(latents: npt.ArrayLike, groups: ViewGroups) -> Floats:
    """Mean cosine of two different views, over all pairs; 1 for an item with one realisation.

    Arguments and errors are those of :func:`orbit_variance`; a zero latent has cosine 0 with every
    other. Returns float64 [n] in [-1, 1].
    """
    z = groups.rows(latents)
    lengths = np.linalg.norm(z, axis=1, keepdims=True)
    unit = np.divide(z, lengths, out=np.zeros_like(z), where=lengths > 0)
    pointing = (lengths[:, 0] > 0).astype(np.float64)
    sums, starts = groups.sum(unit), groups.starts()
    pairs = groups.sizes * (groups.sizes - 1) / 2
    total = pairs - ((sums**2).sum(axis=1) - groups.sum(pointing)) / 2
    identity = unit[starts]
    to_identity = groups.sizes - 1 - (identity * (sums - identity)).sum(axis=1)
    return 1 - _mean_over_pairs(total, to_identity, groups)


@dataclass(frozen=True, eq=False)
class LogitSpread:
    """How far logits spread within an orbit and between items: a gap free of any scale.

    Attributes:
        within: Variance of the views of each item about their mean, float64 [n].
        means: Mean logits of each item, float64 [n, C].
        error: Variance of each of these means that stems from having few views, float64 [n].
    """

    within: Floats
    means: Floats
    error: Floats

    def ratio(self, items: npt.NDArray[np.int64] | None = None) -> float:
        """Standard deviation within orbits over that between items.

        Args:
            items: Which items, with repetitions; all by default.

        Returns:
            At least 0; infinite where items differ no more than the views of one item would.
        """
        count = len(self.within)
        drawn = np.ones(count) if items is None else np.bincount(items, minlength=count)
        return float(self.ratios(drawn[None].astype(np.float64))[0])

    def ratios(self, counts: Floats) -> Floats:
        """The :meth:`ratio` of several choices of items.

        Args:
            counts: How often each item is among them, float64 [b, n], at least two each.

        Returns:
            float64 [b].
        """
        total = counts.sum(axis=1)
        within = counts @ self.within / total
        centred = self.means - self.means.mean(axis=0)
        squares = counts @ (centred**2).sum(axis=1)
        spread = (squares - ((counts @ centred) ** 2).sum(axis=1) / total) / (total - 1)
        between = spread - counts @ self.error / total
        share = np.divide(within, between, out=np.full_like(within, np.inf), where=between > 0)
        return np.sqrt(np.where(within == 0, 0.0, share))


def logit_spread(logits: npt.ArrayLike, groups: ViewGroups) -> LogitSpread:
    """Split the spread of logits into that within orbits and that between items.

    Logits are centred over classes first, since a constant added to all changes no probability.

    Args:
        logits: float [V, C].
        groups: Which rows belong to which item; at least two items.

    Raises:
        DataError: If there are fewer than two items; and as for :func:`pairwise_total_variation`.
    """
    if len(groups.sizes) < 2:
        raise DataError("the spread between items needs at least two items")
    rows = groups.rows(logits)
    centred = rows - rows.mean(axis=1, keepdims=True)
    within = orbit_variance(centred, groups)
    share = groups.sum(groups.weights() ** 2) - 1 / groups.population()
    return LogitSpread(
        within=within, means=orbit_average(centred, groups), error=within * np.maximum(share, 0)
    )


def _mean_over_pairs(total: Floats, to_identity: Floats, groups: ViewGroups) -> Floats:
    """Mean of a distance over all pairs of the orbit, from sums over the pairs of the views.

    Where the identity is always among the views, the pairs with it are 2 of every N pairs of the
    orbit, but 2 of every K pairs of the views, and count accordingly.

    Args:
        total: Sum over all pairs of the views of each item, float64 [n].
        to_identity: Sum over those pairs that hold the first view.
        groups: How the views were drawn.
    """
    sizes = groups.sizes.astype(np.float64)
    total = np.maximum(total, 0)
    if groups.orbit_sizes is None:
        return total / np.maximum(sizes * (sizes - 1) / 2, 1)
    few = (sizes < 3) & (sizes < groups.orbit_sizes)
    if few.any():
        item = int(np.flatnonzero(few)[0])
        raise DataError(
            f"item {item} has {groups.sizes[item]} views of an orbit of more",
            hint="Ask for at least 3 views: the identity and two others.",
        )
    with_identity = to_identity / np.maximum(sizes - 1, 1)
    others = np.maximum(total - to_identity, 0) / np.maximum((sizes - 1) * (sizes - 2) / 2, 1)
    share = np.minimum(2 / groups.orbit_sizes, 1)
    return share * with_identity + (1 - share) * others


def _entropy(p: Floats) -> Floats:
    logarithms = np.log(p, out=np.zeros_like(p), where=p > 0)
    entropy: Floats = -(p * logarithms).sum(axis=1)
    return entropy


def _as_probabilities(values: npt.ArrayLike, groups: ViewGroups) -> Floats:
    p = groups.rows(values)
    if p.ndim != 2:
        raise DataError(f"probabilities of shape {p.shape}; expected [views, classes]")
    wrong = (p < 0).any(axis=1) | (np.abs(p.sum(axis=1) - 1) > _SUM_TOLERANCE)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"view {row} is no distribution over classes: {p[row]}")
    return p
