"""Figures with their uncertainty: bootstrap intervals over clusters and seeds, and rank tests.

Samples of one cluster (an episode, a document) are not independent, so intervals resample clusters.
Everything random comes from the generator that is passed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import DataError
from mezzanine_core.resampling import (
    Clusters,
    Floats,
    as_rows,
    check_level,
    check_resampling,
    estimate,
    interval,
    of_means,
    of_medians,
    reduction,
)
from mezzanine_core.results import Estimate

Statistic = Literal["mean", "median"]
"""What summarises the samples of one seed."""

RESAMPLES = 2000
"""Default number of bootstrap resamples."""


def bootstrap_mean(
    values: npt.ArrayLike,
    clusters: npt.NDArray[np.int64],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> Estimate:
    """The mean over samples and seeds, with its confidence interval.

    The interval is a percentile interval of the bootstrap over clusters, with two corrections for
    what the bootstrap misses in small samples. The deviation of each resample is multiplied by
    √(C / χ²), with χ² drawn from the chi-squared distribution of C − 1 degrees of freedom: the
    plug-in variance of C clusters is too small, and unknown, which is what makes Student's t wider
    than the normal distribution; the factor tends to 1 as C grows. And each resample moves by the
    standard error over the S seeds times a draw from Student's t of S − 1 degrees of freedom:
    resampling three seeds would reach no further than the three, which hold their expectation
    between them only 75% of the time. So the interval is about new samples and new seeds alike;
    with a single seed it is conditional on that seed.

    A percentile interval rather than BCa, whose acceleration is not defined for two sources of
    variation at once. The slow tests check the coverage on clustered samples.

    Args:
        values: Samples, a row for each seed, float [S, n], or [n] for a single seed.
        clusters: Which cluster each sample is from, int [n], the same for all seeds.
        level: Confidence level, in (0, 1).
        resamples: Number of bootstrap resamples, at least 100.
        rng: Source of all randomness.

    Returns:
        The estimate; ``per_seed`` holds the mean of each seed.

    Raises:
        DataError: If values are not finite, shapes differ, or there are fewer than two clusters:
            one cluster tells nothing about the spread of clusters.
        ConfigError: If the level or the number of resamples is out of range.
    """
    return interval([values], clusters, of_means, level, resamples, rng)


def bootstrap_median(
    values: npt.ArrayLike,
    clusters: npt.NDArray[np.int64],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> Estimate:
    """The median over samples, averaged over seeds, with its confidence interval.

    Arguments, interval and errors are those of :func:`bootstrap_mean`. Among an even number of
    samples the median is the average of the two middle ones.
    """
    return interval([values], clusters, of_medians, level, resamples, rng)


def bootstrap_gain(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    clusters: npt.NDArray[np.int64],
    *,
    higher_is_better: bool = True,
    statistic: Statistic = "mean",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> Estimate:
    """How much better the first of two models is on the same samples, with its interval.

    Paired: each resample takes the same clusters, and each seed is compared with itself, so what
    makes samples hard for both models cancels. The gain of medians is the difference of the
    medians, not the median of the differences.

    Args:
        first: Samples of the first model, float [S, n] or [n].
        second: Samples of the second model, float [S, n], or [1, n] or [n] where it has no seeds.
        clusters: Which cluster each sample is from, int [n].
        higher_is_better: Whether larger values are better; ``False`` for ranks and errors.
        statistic: What summarises the samples of one seed.
        level: Confidence level, in (0, 1).
        resamples: Number of bootstrap resamples, at least 100.
        rng: Source of all randomness.

    Returns:
        The gain; positive means that the first is better.

    Raises:
        DataError: As :func:`bootstrap_mean`, and if the models have different numbers of seeds.
        ConfigError: If the level or the number of resamples is out of range.
    """
    better, worse = (first, second) if higher_is_better else (second, first)
    contrast = of_means if statistic == "mean" else of_medians
    return interval([better, worse], clusters, contrast, level, resamples, rng)


def bootstrap_reduction(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    clusters: npt.NDArray[np.int64],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> Estimate:
    """By which share the mean of the first is below that of the second: 1 − E[first] / E[second].

    Paired as :func:`bootstrap_gain` is, with the interval of :func:`bootstrap_mean`: samples and
    seeds as there. Negative where the first is larger.

    Raises:
        DataError: As :func:`bootstrap_gain`, and if the mean of the second is not positive, in the
            whole sample or in a resample: a share of nothing is not defined.
        ConfigError: If the level or the number of resamples is out of range.
    """
    return interval([first, second], clusters, reduction, level, resamples, rng)


def bootstrap_statistic(
    statistic: Callable[[npt.NDArray[np.int64]], npt.ArrayLike],
    clusters: npt.NDArray[np.int64],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> Estimate:
    """Any statistic of samples, with its confidence interval.

    For figures that are no mean or median, such as a calibration error or a ratio of spreads. The
    interval is that of :func:`bootstrap_mean`, but its draws are centred: what resampling alone
    adds to a statistic (the mean of the resamples less the figure of the sample, Efron's estimate
    of bias) is taken off every draw. A calibration error, for one, is larger in most resamples than
    in the sample, and without this its interval can lie above it. The bias that the figure of the
    sample itself has is not corrected: neither the estimate nor the interval becomes unbiased. For
    a mean the centring only removes Monte-Carlo error.

    Args:
        statistic: From row numbers of samples, int64 [m], with repetitions, to the figure for each
            seed, float [S] or a number, finite.
        clusters: Which cluster each sample is from, int [n].
        level: Confidence level, in (0, 1).
        resamples: Number of bootstrap resamples, at least 100; the statistic is called for each.
        rng: Source of all randomness.

    Raises:
        DataError: If there are fewer than two clusters, or the statistic is not finite.
        ConfigError: If the level or the number of resamples is out of range.
    """

    def figures(counts: Floats) -> Floats:
        rows = (np.repeat(np.arange(len(drawn)), drawn) for drawn in counts.astype(np.int64))
        return np.stack([np.atleast_1d(np.asarray(statistic(one), np.float64)) for one in rows])

    return bootstrap_weighted(figures, clusters, level=level, resamples=resamples, rng=rng)


def bootstrap_weighted(
    statistic: Callable[[Floats], Floats],
    clusters: npt.NDArray[np.int64],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> Estimate:
    """As :func:`bootstrap_statistic`, of a statistic that takes many resamples at once.

    Args:
        statistic: From how often each sample was drawn, float64 [b, n], to the figure of each
            resample and seed, float64 [b, S], finite.
        clusters: Which cluster each sample is from, int [n].
        level: Confidence level, in (0, 1).
        resamples: Number of bootstrap resamples, at least 100.
        rng: Source of all randomness.

    Raises:
        DataError: If there are fewer than two clusters, or the statistic is not finite.
        ConfigError: If the level or the number of resamples is out of range.
    """
    check_resampling(level, resamples)
    groups = Clusters.of(clusters)

    def figures(drawn: Floats) -> Floats:
        found = statistic(drawn[:, groups.index])
        if found.ndim != 2 or not np.isfinite(found).all():
            raise DataError(
                f"a statistic is finite, one figure for each seed; in a resample it is {found}"
            )
        return found

    (per_seed,) = figures(np.ones((1, groups.count)))
    moved = np.concatenate(
        [figures(drawn).mean(axis=1) for drawn in groups.resample(resamples, rng)]
    )
    centred = moved - moved.mean() + per_seed.mean()
    return estimate(per_seed, centred, groups.count, level, rng)


def wilson_interval(successes: float, trials: int, *, level: float = 0.95) -> Estimate:
    """A proportion with Wilson's score interval (Wilson 1927), for independent trials.

    Unlike a bootstrap it does not shrink to a point where no trial, or every trial, succeeds.
    Successes may be a mean over repetitions of the same trials, which do not count as further ones.

    Raises:
        DataError: If there are no trials, or more successes than trials.
        ConfigError: If the level is not in (0, 1).
    """
    if not 0 <= successes <= trials or trials == 0:
        raise DataError(f"{successes} successes in {trials} trials are not a proportion")
    check_level(level)
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, shrink = successes / trials, 1 / (1 + z * z / trials)
    centre = (rate + z * z / (2 * trials)) * shrink
    half = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials)) * shrink
    low, high = min(rate, centre - half), max(rate, centre + half)
    return Estimate(value=rate, low=max(0.0, low), high=min(1.0, high), level=level, per_seed=())


def midranks(values: npt.ArrayLike) -> Floats:
    """Ranks from 1 in ascending order, float64 [n]; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[inverse.reshape(-1)]
    return ranks


@dataclass(frozen=True, slots=True)
class SignedRank:
    """Outcome of a Wilcoxon signed-rank test.

    Attributes:
        positive: Sum of the ranks of positive differences.
        z: Standardised ``positive``; above zero where differences tend to be positive.
        p_value: Two-sided, by the normal approximation.
    """

    positive: float
    z: float
    p_value: float


def wilcoxon_signed_rank(
    differences: npt.ArrayLike, *, zeros: Literal["pratt", "drop"] = "pratt"
) -> SignedRank:
    """Whether paired differences are centred on zero (Wilcoxon 1945), aware of ties and zeros.

    The normal approximation with its correction for ties: for ten differences or more. The
    differences must be independent, so average within clusters first.

    Args:
        differences: One for each pair, float [n], finite.
        zeros: ``pratt`` ranks zero differences and leaves their ranks out (Pratt 1959); ``drop``
            leaves them out before ranking, as Wilcoxon did.

    Returns:
        The test; where all differences are zero, ``z`` is 0 and the p-value 1.

    Raises:
        DataError: If there are no differences, or some are not finite.
    """
    sample = as_rows(differences, "differences")[0]
    if zeros == "drop":
        sample = sample[sample != 0]
    ranks = midranks(np.abs(sample))
    nonzero = ranks[sample != 0]
    n, n_zero = len(sample), len(sample) - len(nonzero)
    positive = float(ranks[sample > 0].sum())
    mean = (n * (n + 1) - n_zero * (n_zero + 1)) / 4
    ties = np.unique(nonzero, return_counts=True)[1]
    variance = (
        _sum_of_squares(n) - _sum_of_squares(n_zero) - float((ties**3 - ties).sum()) / 12
    ) / 4
    z = (positive - mean) / math.sqrt(variance) if len(nonzero) else 0.0
    return SignedRank(positive=positive, z=z, p_value=math.erfc(abs(z) / math.sqrt(2)))


def _sum_of_squares(n: int) -> float:
    return n * (n + 1) * (2 * n + 1) / 6
