"""How bootstrap intervals are computed: clusters resampled, seeds taken along, corrections.

What the intervals are is said in :func:`mezzanine_core.stats.bootstrap_mean`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.results import Estimate

Floats = npt.NDArray[np.float64]

_CHUNK = 2**21
"""Weights held at a time (clusters or samples times resamples): bounds memory to about 100 MB."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Which cluster each sample is from, as ``index`` int64 [n] in [0, count)."""

    index: npt.NDArray[np.int64]
    count: int

    @classmethod
    def of(cls, labels: npt.NDArray[np.int64]) -> Clusters:
        """The clusters that labels [n] name.

        Raises:
            DataError: If there are fewer than two.
        """
        names, index = np.unique(labels, return_inverse=True)
        if len(names) < 2:
            raise DataError(
                "all samples are from one cluster, so an interval over clusters is not defined",
                hint="Test on samples of at least two episodes or items; a few dozen give usable "
                "intervals.",
            )
        return cls(index=index.reshape(-1), count=len(names))

    def resample(self, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
        """How often each cluster is drawn, float64 [b, count], in chunks of bounded size."""
        chunk = max(1, _CHUNK // len(self.index))
        for start in range(0, resamples, chunk):
            b = min(chunk, resamples - start)
            drawn = rng.integers(0, self.count, size=(b, self.count))
            drawn += np.arange(b)[:, None] * self.count
            counts = np.bincount(drawn.ravel(), minlength=b * self.count)
            yield counts.reshape(b, self.count).astype(np.float64)


Contrast = Callable[[Sequence[Floats], Clusters, Floats], Floats]
"""From models [S, n] and [b, C] cluster weights to what they come to, float64 [b, S]."""


def of_means(models: Sequence[Floats], clusters: Clusters, weights: Floats) -> Floats:
    """The mean of one model, or that of the first minus that of the second."""
    first, *second = (_weighted_mean(rows, clusters, weights) for rows in models)
    return first - second[0] if second else first


def of_medians(models: Sequence[Floats], clusters: Clusters, weights: Floats) -> Floats:
    """The median of one model, or that of the first minus that of the second."""
    first, *second = (_weighted_median(rows, clusters, weights) for rows in models)
    return first - second[0] if second else first


def reduction(models: Sequence[Floats], clusters: Clusters, weights: Floats) -> Floats:
    """By which share the first is reduced against the second, float64 [b, S]."""
    part, whole = (_weighted_mean(rows, clusters, weights) for rows in models)
    if not (whole > 0).all():
        raise DataError(
            f"a reduction is a share of the mean of the second, which is {whole.min():.4g} in a "
            "resample of the clusters",
            hint="Too few clusters have a value above zero; test on more of them.",
        )
    share: Floats = 1 - part / whole
    return share


def interval(
    models: Sequence[npt.ArrayLike],
    labels: npt.NDArray[np.int64],
    contrast: Contrast,
    level: float,
    resamples: int,
    rng: np.random.Generator,
) -> Estimate:
    """Estimate of one model, or of what two differ by; see :func:`bootstrap_mean`."""
    check_resampling(level, resamples)
    rows = [as_rows(model, "values") for model in models]
    clusters = _as_clusters(labels, rows)
    per_seed = contrast(rows, clusters, np.ones((1, clusters.count)))[0]
    moved = np.concatenate(
        [
            contrast(rows, clusters, weights).mean(axis=1)
            for weights in clusters.resample(resamples, rng)
        ]
    )
    return estimate(per_seed, moved, clusters.count, level, rng)


def estimate(
    per_seed: Floats, moved: Floats, clusters: int, level: float, rng: np.random.Generator
) -> Estimate:
    """The figure of each seed and its bootstrap draws as an estimate; see :func:`bootstrap_mean`.

    Args:
        per_seed: The figure of each seed, float64 [S].
        moved: Its mean over seeds in each resample, float64 [B].
        clusters: How many clusters were resampled.
        level: Confidence level.
        rng: Source of the corrections.
    """
    value = per_seed.mean()
    student = np.sqrt(clusters / rng.chisquare(clusters - 1, size=len(moved)))
    draws = value + (moved - value) * student
    if len(per_seed) > 1:
        error = per_seed.std(ddof=1) / math.sqrt(len(per_seed))
        draws += error * rng.standard_t(len(per_seed) - 1, size=len(moved))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(
        value=float(value),
        low=float(low),
        high=float(high),
        level=level,
        per_seed=tuple(float(one) for one in per_seed),
    )


def _weighted_mean(rows: Floats, clusters: Clusters, weights: Floats) -> Floats:
    """Means of [S, n] samples under [b, C] cluster weights, float64 [b, S]."""
    sums = np.stack([np.bincount(clusters.index, row, clusters.count) for row in rows])
    sizes = np.bincount(clusters.index, minlength=clusters.count)
    means: Floats = (weights @ sums.T) / (weights @ sizes)[:, None]
    return means


def _weighted_median(rows: Floats, clusters: Clusters, weights: Floats) -> Floats:
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


def as_rows(values: npt.ArrayLike, what: str) -> Floats:
    """Samples, a row for each seed, as float64 [S, n].

    Raises:
        DataError: If they have another shape, or are not finite; ``what`` is what errors call them.
    """
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if rows.ndim != 2 or rows.size == 0:
        raise DataError(f"{what} of shape {np.shape(values)}; expected [seeds, samples], not empty")
    if not np.isfinite(rows).all():
        seed, sample = np.argwhere(~np.isfinite(rows))[0]
        raise DataError(f"{what} of seed row {seed} are not finite at sample {sample}")
    return rows


def _as_clusters(labels: npt.NDArray[np.int64], models: Sequence[Floats]) -> Clusters:
    n = models[0].shape[1]
    if any(rows.shape[1] != n for rows in models) or np.shape(labels) != (n,):
        raise DataError(
            f"samples {[rows.shape for rows in models]} and clusters {np.shape(labels)} do not "
            "belong together; expected [S, n] and [n]"
        )
    seeds = {len(rows) for rows in models} - {1}
    if len(seeds) > 1:
        raise DataError(f"cannot pair models of {sorted(seeds)} seeds; give both the same number")
    return Clusters.of(labels)


def check_resampling(level: float, resamples: int) -> None:
    """Check a confidence level and a number of resamples.

    Raises:
        ConfigError: If one of them is out of range.
    """
    check_level(level)
    if resamples < 100:
        raise ConfigError(f"resamples={resamples} is too few; use at least 100")


def check_level(level: float) -> None:
    """Check a confidence level.

    Raises:
        ConfigError: If it is not in (0, 1).
    """
    if not 0 < level < 1:
        raise ConfigError(f"a confidence level lies between 0 and 1, not at {level}")
