"""What models answer on the views of the test items, as figures of each item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mezzanine_core.calibration import (
    accuracy,
    confidence,
    confidence_temperature,
    softmax,
)
from mezzanine_core.errors import DataError
from mezzanine_core.warrant import (
    LogitSpread,
    ViewGroups,
    jensen_shannon,
    logit_spread,
    orbit_average,
    pairwise_flip_rate,
    pairwise_total_variation,
    total_variation_to_mean,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BASE, TEACHER = "base", "teacher"
_CONTROL = "_control"

_STEP = 1e-3
"""By which share the temperature is changed, up and down, to see what hangs on it."""

_NO_CONFIDENCE = 1e-6
"""A mean confidence that exceeds that of a guess by less is that of a guess, with rounding."""

_NO_SLOPE = 1e-10
"""A change of mean confidence that is rounding."""

Metric = Callable[[npt.ArrayLike, ViewGroups], Floats]
"""A figure of each item, float64 [n], from the probabilities of all views, float [V, C]."""


def control_of(student: str) -> str:
    """Name of the control that stands next to a student."""
    return f"{student}{_CONTROL}"


@dataclass(frozen=True, eq=False)
class TestViews:
    """The views of n test items.

    Attributes:
        groups: Which of the V views are of which item.
        label: Class indices, int64 [n].
        clusters: Which items are equal, int64 [n]: intervals resample these together.
    """

    __test__ = False  # nothing that pytest should collect

    groups: ViewGroups
    label: Ints
    clusters: Ints


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model answers to every view, over S seeds; S is 1 for a model without seeds.

    Attributes:
        logits: float64 [S, V, C], at the model's temperature.
        test: The views.
    """

    logits: Floats
    test: TestViews

    @cached_property
    def probabilities(self) -> Floats:
        """float64 [S, V, C]."""
        return np.stack([softmax(logits) for logits in self.logits])

    @cached_property
    def gap(self) -> Floats:
        """All-pairs total variation of each item, float64 [S, n]."""
        return self._each(pairwise_total_variation)

    @cached_property
    def flip_rate(self) -> Floats:
        """How often two views of an item get different answers, float64 [S, n]."""
        return self._each(pairwise_flip_rate)

    @cached_property
    def tv_to_mean(self) -> Floats:
        """Total variation to the orbit average, biased by the number of views, float64 [S, n]."""
        return self._each(total_variation_to_mean)

    @cached_property
    def jensen_shannon(self) -> Floats:
        """Jensen–Shannon divergence, biased by the number of views, float64 [S, n], in nats."""
        return self._each(jensen_shannon)

    @cached_property
    def canonical(self) -> Floats:
        """Probabilities of the canonical views, float64 [S, n, C]."""
        return self.probabilities[:, self.test.groups.starts()]

    @cached_property
    def accuracy(self) -> Floats:
        """Whether the canonical view is answered rightly, float64 [S, n]."""
        return np.stack([accuracy(p, self.test.label) for p in self.canonical])

    @cached_property
    def accuracy_views(self) -> Floats:
        """Expected share of an item's realisations that are answered rightly, float64 [S, n]."""
        label = np.repeat(self.test.label, self.test.groups.sizes)
        return np.stack(
            [orbit_average(accuracy(p, label), self.test.groups) for p in self.probabilities]
        )

    @cached_property
    def confidence(self) -> Floats:
        """Probability of the answer to each view, float64 [S, V]."""
        return np.stack([confidence(p) for p in self.probabilities])

    @cached_property
    def spreads(self) -> tuple[LogitSpread, ...]:
        """How logits spread within orbits and between items, for each seed."""
        return tuple(logit_spread(logits, self.test.groups) for logits in self.logits)

    def at(self, temperatures: Sequence[float]) -> Answers:
        """The same model at a temperature for each seed; one without seeds gets seeds by them."""
        scale = np.asarray(temperatures, dtype=np.float64)[:, None, None]
        return Answers(self.logits / scale, self.test)

    def _each(self, metric: Metric) -> Floats:
        return np.stack([metric(p, self.test.groups) for p in self.probabilities])


@dataclass(frozen=True, eq=False)
class Averaged:
    """What the teacher answers to each test item.

    Attributes:
        probabilities: float64 [S, n, C].
        accuracy: Whether the answer is right, float64 [S, n].
    """

    probabilities: Floats
    accuracy: Floats

    @classmethod
    def of(cls, probabilities: Floats, label: Ints) -> Averaged:
        """From the teacher's probabilities, float64 [S, n, C]."""
        return cls(probabilities, np.stack([accuracy(p, label) for p in probabilities]))


@dataclass(frozen=True, eq=False)
class Control:
    """The base model, as confident as a student.

    Attributes:
        answers: What it answers; ``None`` where the student is no more sure than a guess, which
            the base is at no temperature.
        temperatures: The temperature of each seed; empty without a control.
        problem: What is wrong with the control, in words; empty where nothing is.
        gap: What each item contributes to the control's gap, its part in the temperature included,
            float64 [S, n]; ``None`` without a control. The means are those of the gap. See
            :func:`control`.
    """

    answers: Answers | None
    temperatures: tuple[float, ...]
    problem: str = ""
    gap: Floats | None = None


def control(base: Answers, student: Answers) -> Control:
    """The base at the temperature that gives the student's mean confidence, for each seed.

    The mean is taken over all views. An item with a single realisation thus counts little: it has
    no gap at any confidence.

    A student that is surer than the base is at any temperature (some of its logits tie) is
    compared with the base as it is, which has the smaller gap and is the harder comparison.

    The temperature is estimated from the same items as the gaps: other items would give another.
    An interval over items has to take that in, and ``gap`` makes it so by the delta method. Let
    G(T) be the mean gap of the base at temperature T and C(T) its mean confidence; T solves
    C(T) = C_s, the student's. To first order, items that move C_s − C by d move T by d / C′(T), and
    the gap by s·d with s = G′(T) / C′(T). So item i contributes

        g_i + s · (K_i / K̄) · (c_s,i − c_i)

    with its gap g_i, the mean confidence over its K_i views of student and control, and the mean K̄
    of K_i over items (the mean confidence is one over views). The second term is 0 on average, so
    no point estimate changes, and a bootstrap of these contributions agrees to first order with one
    that fits the temperature anew in each resample. s comes from a finite difference; it is 0 where
    the base stands as it is.

    Args:
        base: The base model, with the student's seeds or with none.
        student: The student.
    """
    logits = np.broadcast_to(base.logits, student.logits.shape)
    sure = student.confidence.mean(axis=1)
    if (sure < 1 / logits.shape[2] + _NO_CONFIDENCE).any():
        return Control(None, (), "is no surer than a guess, so there is no control to beat")
    temperatures, fitted = [], []
    problem = ""
    for of_base, wanted in zip(logits, sure, strict=True):
        try:
            temperatures.append(confidence_temperature(of_base, float(wanted)))
            fitted.append(1.0)
        except DataError:
            temperatures.append(1.0)
            fitted.append(0.0)
            problem = (
                "is surer than the base is at any temperature: compared with the base as it is"
            )
    as_sure = Answers(logits, base.test).at(temperatures)
    slope = np.array(fitted) * _gap_by_confidence(as_sure)
    groups = base.test.groups
    surer = np.stack([groups.sum(views) for views in student.confidence - as_sure.confidence])
    gap = as_sure.gap + slope[:, None] * surer / groups.sizes.mean()
    return Control(as_sure, tuple(temperatures), problem, gap)


def _gap_by_confidence(answers: Answers) -> Floats:
    """Change of the mean gap for one of mean confidence, both by temperature, float64 [S]."""
    seeds = len(answers.logits)
    warm, cool = (answers.at([factor] * seeds) for factor in (1 + _STEP, 1 - _STEP))
    gap = warm.gap.mean(axis=1) - cool.gap.mean(axis=1)
    sure = warm.confidence.mean(axis=1) - cool.confidence.mean(axis=1)
    # Where the confidence hardly moves, as where nothing does, there is no slope but rounding.
    slope: Floats = np.divide(gap, sure, out=np.zeros(seeds), where=np.abs(sure) > _NO_SLOPE)
    return slope
