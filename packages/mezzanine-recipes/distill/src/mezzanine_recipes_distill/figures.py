"""Figures of models and of their comparisons, with intervals over test items and seeds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.calibration import accuracy, confidence
from mezzanine_core.errors import DataError
from mezzanine_core.results import Estimate
from mezzanine_core.stats import (
    bootstrap_gain,
    bootstrap_mean,
    bootstrap_reduction,
    bootstrap_weighted,
)
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.evaluation import Answers, Averaged, TestViews

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Figures = dict[str, Estimate]
"""Metric → estimate."""

_BINS = 15
"""Bins of confidence behind the calibration error."""

UNBOUNDED = 1000.0
"""A spread ratio as large as this is as good as infinite, and stands for all that are larger."""

_UNBOUNDED_SHARE = UNBOUNDED**2 / (1 + UNBOUNDED**2)

REDUCTION = "gap_reduction"
"""By which share the gap of the first is below that of the second."""


@dataclass(frozen=True, eq=False)
class Figurer:
    """Estimates figures, resampling test items (equal ones together) and seeds.

    Attributes:
        test: The views of the test items.
        k: How many views an item has at most; part of the names of the metrics that hang on it.
        resamples: Resamples behind each interval.
        level: Confidence level of the intervals.
        rng: Source of the resamples.
    """

    test: TestViews
    k: int
    resamples: int
    level: float
    rng: np.random.Generator

    @classmethod
    def of(
        cls, config: SymmetryDistillConfig, test: TestViews, rng: np.random.Generator
    ) -> Figurer:
        """With the settings of a run."""
        return cls(test, config.k_test, config.bootstrap, config.level, rng)

    def of_model(self, answers: Answers) -> Figures:
        """Every figure of one model.

        ``spread_ratio`` is left out where, in one of the seeds, items differ no more than views of
        one item would: the ratio is infinite there. It can be infinite in resamples as well, so it
        is resampled as the share of the variance that is within orbits, r² / (1 + r²), which then
        is 1; its value is the ratio at the mean share over seeds, and the ends of its interval are
        those of the share, as ratios. Where that of the upper end exceeds 1000, it is given as
        1000, which says that the interval has no upper bound.
        """
        found = {
            "gap": self.share(answers.gap),
            "flip_rate": self.share(answers.flip_rate),
            f"tv_to_mean@{self.k}": self.share(answers.tv_to_mean),
            f"js@{self.k}": _clipped(self.mean(answers.jensen_shannon), 0, None),
            "accuracy": self.share(answers.accuracy),
            "accuracy_views": self.share(answers.accuracy_views),
            "confidence": self._over_views(answers.confidence),
            "ece": self._calibration(answers.canonical),
        }
        ratios = np.array([spread.ratio() for spread in answers.spreads])
        if not np.isfinite(ratios).all():
            return found
        share = self._statistic(lambda counts: _as_share(_ratios(answers, counts)))
        return {**found, "spread_ratio": _of_share(share, ratios)}

    def of_teacher(self, teacher: Averaged) -> Figures:
        """The figures of the teacher: its gap is zero by construction."""
        return {
            "accuracy": self.share(teacher.accuracy),
            "ece": self._calibration(teacher.probabilities),
        }

    def answers_changed(self, base: Answers, student: Answers) -> Figures:
        """Shares of all items that the student answers otherwise than the base.

        ``wrong_to_right``: it answers the canonical view rightly, the base wrongly;
        ``right_to_wrong``: the other way round.
        """
        gained = student.accuracy - base.accuracy
        return {
            "wrong_to_right": self.share((gained > 0).astype(np.float64)),
            "right_to_wrong": self.share((gained < 0).astype(np.float64)),
        }

    def compare(
        self, first: Answers, second: Answers, *, second_gap: Floats | None = None
    ) -> Figures:
        """Paired gains of the first model over the second; positive where the first is better.

        ``gap_reduction`` is relative, the others are differences. It is left out where the second
        has no gap, or too few items have one for every resample to hold some.

        Args:
            first: What the first answers.
            second: What the second answers.
            second_gap: What each item contributes to the gap of the second, float64 [S, n]: for a
                control that of :func:`~mezzanine_recipes_distill.evaluation.control`, so that the
                intervals of both figures of the gap take in its temperature; that of the
                calibration error takes it as given, and the others do not depend on it. By default
                the gap of each item.
        """
        if second_gap is None:
            second_gap = second.gap
        smaller = partial(self._gain, higher_is_better=False)
        found = {
            "gap": smaller(first.gap, second_gap),
            "flip_rate": smaller(first.flip_rate, second.flip_rate),
            "accuracy": self._gain(first.accuracy, second.accuracy),
            "accuracy_views": self._gain(first.accuracy_views, second.accuracy_views),
            "ece": self._calibration_gain(first, second),
        }
        reduction = self._reduction(first.gap, second_gap)
        return found if reduction is None else {REDUCTION: reduction, **found}

    def mean(self, values: Floats) -> Estimate:
        """The mean over items and seeds of figures of each item, float64 [S, n]."""
        return bootstrap_mean(values, self.test.clusters, **self._drawn())

    def share(self, values: Floats) -> Estimate:
        """As :meth:`mean`, of figures that lie in [0, 1]: so does the interval."""
        return _clipped(self.mean(values), 0, 1)

    def _drawn(self) -> dict[str, Any]:
        return {"level": self.level, "resamples": self.resamples, "rng": self.rng}

    def _over_views(self, values: Floats) -> Estimate:
        """The mean over all views and seeds of shares of each view, float64 [S, V]."""
        clusters = np.repeat(self.test.clusters, self.test.groups.sizes)
        return _clipped(bootstrap_mean(values, clusters, **self._drawn()), 0, 1)

    def _gain(self, first: Floats, second: Floats, *, higher_is_better: bool = True) -> Estimate:
        return bootstrap_gain(
            first, second, self.test.clusters, higher_is_better=higher_is_better, **self._drawn()
        )

    def _reduction(self, first: Floats, second: Floats) -> Estimate | None:
        try:
            return bootstrap_reduction(first, second, self.test.clusters, **self._drawn())
        except DataError:
            return None

    def _calibration(self, probabilities: Floats) -> Estimate:
        terms = calibration_terms(probabilities, self.test.label)
        return _clipped(self._statistic(partial(ece, terms)), 0, 1)

    def _calibration_gain(self, first: Answers, second: Answers) -> Estimate:
        better, worse = (
            calibration_terms(one.canonical, self.test.label) for one in (first, second)
        )
        return self._statistic(lambda counts: ece(worse, counts) - ece(better, counts))

    def _statistic(self, statistic: Callable[[Floats], Floats]) -> Estimate:
        return bootstrap_weighted(statistic, self.test.clusters, **self._drawn())


def calibration_terms(probabilities: Floats, label: Ints) -> Floats:
    """What each item adds to the calibration error, so that resamples need not be binned anew.

    Args:
        probabilities: Of canonical views, float64 [S, n, C].
        label: Class indices, int64 [n].

    Returns:
        Rightness (1 or 0) less confidence, in the bin of the confidence, float64 [S, n, bins]; the
        bins are those of :func:`~mezzanine_core.calibration.reliability`.
    """
    sure = np.stack([confidence(p) for p in probabilities])
    right = np.stack([accuracy(p, label) for p in probabilities])
    bins = np.clip(np.ceil(sure * _BINS).astype(np.int64) - 1, 0, _BINS - 1)
    terms = np.zeros((*sure.shape, _BINS))
    np.put_along_axis(terms, bins[:, :, None], (right - sure)[:, :, None], axis=2)
    return terms


def ece(terms: Floats, counts: Floats) -> Floats:
    """Expected calibration error of each seed on some choices of items.

    Args:
        terms: From :func:`calibration_terms`, float64 [S, n, bins].
        counts: How often each item is among them, float64 [b, n].

    Returns:
        float64 [b, S], in [0, 1].
    """
    sums = np.abs(np.tensordot(counts, terms, axes=(1, 1))).sum(axis=2)
    errors: Floats = sums / counts.sum(axis=1, keepdims=True)
    return errors


def _ratios(answers: Answers, counts: Floats) -> Floats:
    return np.stack([spread.ratios(counts) for spread in answers.spreads], axis=1)


def _as_share(ratios: Floats) -> Floats:
    """The share of the variance that is within orbits, in [0, 1]; 1 for an infinite ratio."""
    share: Floats = 1 - 1 / (1 + ratios**2)
    return share


def _of_share(share: Estimate, ratios: Floats) -> Estimate:
    """An estimate of the share of the variance within orbits, as one of the ratio."""

    def ratio(share: float) -> float:
        inside = min(max(share, 0.0), 1.0)
        return math.sqrt(inside / (1 - inside)) if inside < _UNBOUNDED_SHARE else UNBOUNDED

    return Estimate(
        value=ratio(share.value),
        low=ratio(share.low),
        high=ratio(share.high),
        level=share.level,
        per_seed=tuple(min(float(one), UNBOUNDED) for one in ratios),
    )


def _clipped(estimate: Estimate, smallest: float, largest: float | None) -> Estimate:
    """Without what lies beyond the values that a figure can have."""
    low, high = np.clip([estimate.low, estimate.high], smallest, largest)
    return estimate.model_copy(update={"low": float(low), "high": float(high)})
