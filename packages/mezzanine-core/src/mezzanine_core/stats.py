"""Figures with their uncertainty: bootstrap intervals over clusters and seeds, and rank tests.

Samples of one cluster (an episode, a document) are not independent, so intervals resample clusters.
Everything random comes from the generator that is passed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.results import Estimate

Floats = npt.NDArray[np.float64]

Statistic = Literal["mean", "median"]
"""What summarises the samples of one seed."""

RESAMPLES = 2000
"""Default number of bootstrap resamples."""

_CHUNK = 2**21
"""Weights held at a time (clusters or samples times resamples): bounds memory to about 100 MB."""


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
    return _interval([values], clusters, "mean", level, resamples, rng)


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
    return _interval([values], clusters, "median", level, resamples, rng)


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
    return _interval([better, worse], clusters, statistic, level, resamples, rng)


def wilson_interval(successes: int, trials: int, *, level: float = 0.95) -> Estimate:
    """A proportion with Wilson's score interval (Wilson 1927), for independent trials.

    Unlike a bootstrap it does not shrink to a point where no trial, or every trial, succeeds.

    Raises:
        DataError: If there are no trials, or more successes than trials.
        ConfigError: If the level is not in (0, 1).
    """
    if not 0 <= successes <= trials or trials == 0:
        raise DataError(f"{successes} successes in {trials} trials are not a proportion")
    _check_level(level)
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
    sample = _as_rows(differences, "differences")[0]
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


@dataclass(frozen=True, eq=False)
class _Clusters:
    """Which cluster each sample is from, as ``index`` int64 [n] in [0, count)."""

    index: npt.NDArray[np.int64]
    count: int

    def resample(self, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
        """How often each cluster is drawn, float64 [b, count], in chunks of bounded size."""
        chunk = max(1, _CHUNK // len(self.index))
        for start in range(0, resamples, chunk):
            b = min(chunk, resamples - start)
            drawn = rng.integers(0, self.count, size=(b, self.count))
            drawn += np.arange(b)[:, None] * self.count
            counts = np.bincount(drawn.ravel(), minlength=b * self.count)
            yield counts.reshape(b, self.count).astype(np.float64)


def _interval(
    models: Sequence[npt.ArrayLike],
    labels: npt.NDArray[np.int64],
    statistic: Statistic,
    level: float,
    resamples: int,
    rng: np.random.Generator,
) -> Estimate:
    """Estimate of one model, or of the first minus the second; see :func:`bootstrap_mean`."""
    _check_level(level)
    if resamples < 100:
        raise ConfigError(f"resamples={resamples} is too few; use at least 100")
    rows = [_as_rows(model, "values") for model in models]
    clusters = _as_clusters(labels, rows)
    summarise = _weighted_mean if statistic == "mean" else _weighted_median

    def contrast(weights: Floats) -> Floats:
        summaries = [summarise(row, clusters, weights) for row in rows]
        return summaries[0] - summaries[1] if len(summaries) == 2 else summaries[0]

    per_seed = contrast(np.ones((1, clusters.count)))[0]
    value = per_seed.mean()
    moved = np.concatenate(
        [contrast(weights).mean(axis=1) for weights in clusters.resample(resamples, rng)]
    )
    student = np.sqrt(clusters.count / rng.chisquare(clusters.count - 1, size=resamples))
    draws = value + (moved - value) * student
    if len(per_seed) > 1:
        error = per_seed.std(ddof=1) / math.sqrt(len(per_seed))
        draws += error * rng.standard_t(len(per_seed) - 1, size=resamples)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(
        value=float(value),
        low=float(low),
        high=float(high),
        level=level,
        per_seed=tuple(float(one) for one in per_seed),
    )


def _weighted_mean(rows: Floats, clusters: _Clusters, weights: Floats) -> Floats:
    """Means of [S, n] samples under [b, C] cluster weights, float64 [b, S]."""
    sums = np.stack([np.bincount(clusters.index, row, clusters.count) for row in rows])
    sizes = np.bincount(clusters.index, minlength=clusters.count)
    means: Floats = (weights @ sums.T) / (weights @ sizes)[:, None]
    return means


def _weighted_median(rows: Floats, clusters: _Clusters, weights: Floats) -> Floats:
    """Medians of [S, n] samples, each repeated as [b, C] cluster weights say, float64 [b, S]."""
    medians = np.empty((len(weights), len(rows)))
    for seed, row in enumerate(rows):
        order = np.argsort(row)
        reached = 2 * np.cumsum(weights[:, clusters.index[order]], axis=1)
        total = reached[:, -1:] / 2
        lower = np.argmax(reached >= total, axis=1)
        upper = np.argmax(reached > total, axis=1)
        medians[:, seed] = (row[order][lower] + row[order][upper]) / 2
    return medians


def _as_rows(values: npt.ArrayLike, what: str) -> Floats:
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if rows.ndim != 2 or rows.size == 0:
        raise DataError(f"{what} of shape {np.shape(values)}; expected [seeds, samples], not empty")
    if not np.isfinite(rows).all():
        seed, sample = np.argwhere(~np.isfinite(rows))[0]
        raise DataError(f"{what} of seed row {seed} are not finite at sample {sample}")
    return rows


def _as_clusters(labels: npt.NDArray[np.int64], models: Sequence[Floats]) -> _Clusters:
    n = models[0].shape[1]
    if any(rows.shape[1] != n for rows in models) or np.shape(labels) != (n,):
        raise DataError(
            f"samples {[rows.shape for rows in models]} and clusters {np.shape(labels)} do not "
            "belong together; expected [S, n] and [n]"
        )
    seeds = {len(rows) for rows in models} - {1}
    if len(seeds) > 1:
        raise DataError(f"cannot pair models of {sorted(seeds)} seeds; give both the same number")
    names, index = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        raise DataError(
            "all samples are from one cluster, so an interval over clusters is not defined",
            hint="Test on samples of at least two episodes; a few dozen give usable intervals.",
        )
    return _Clusters(index=index.reshape(-1), count=len(names))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"a confidence level lies between 0 and 1, not at {level}")
