"""Beliefs: probabilities, confidence, its temperature control, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import ConfigError, DataError

Floats = npt.NDArray[np.float64]

_STEPS = 64
_WIDEST = 2.0**60


def softmax(logits: npt.ArrayLike, temperature: float = 1.0) -> Floats:
    """Probabilities from logits: float [V, C] to float64 [V, C], rows summing to 1.

    Raises:
        DataError: If logits are not a matrix of finite numbers.
        ConfigError: If the temperature is not positive.
    """
    if not temperature > 0:
        raise ConfigError(f"temperature={temperature} must be positive")
    exponentials = np.exp(_below_largest(logits) / temperature)
    probabilities: Floats = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def confidence(probabilities: npt.ArrayLike) -> Floats:
    """The probability of the most probable class: float [V, C] to float64 [V]."""
    largest: Floats = np.asarray(probabilities, dtype=np.float64).max(axis=1)
    return largest


def confidence_temperature(logits: npt.ArrayLike, mean_confidence: float) -> float:
    """The temperature at which a model's mean confidence equals a given one.

    The control for gaps of probabilities, which shrink when a model is merely less confident: the
    base model at the student's confidence. The mean confidence falls with the temperature, strictly
    unless all logits of each row are equal, so bisection finds it.

    Args:
        logits: float [V, C].
        mean_confidence: What the mean over rows of the largest probability should be.

    Returns:
        A positive temperature; above 1 makes the model less confident.

    Raises:
        DataError: If no temperature gives that confidence: it has to lie above 1 / C and below what
            an arbitrarily small temperature gives (1, but for rows whose largest logits tie).
    """
    below = _below_largest(logits)

    def mean_at(sharpness: float) -> float:
        return float((1 / np.exp(below * sharpness).sum(axis=1)).mean())

    blunt, sharp = 1.0, 1.0
    while mean_at(blunt) > mean_confidence and blunt > 1 / _WIDEST:
        blunt /= 2
    while mean_at(sharp) < mean_confidence and sharp < _WIDEST:
        sharp *= 2
    if not mean_at(blunt) <= mean_confidence <= mean_at(sharp):
        ties = float((1 / (below == 0).sum(axis=1)).mean())
        raise DataError(
            f"no temperature gives a mean confidence of {mean_confidence}; it has to lie between "
            f"{1 / below.shape[1]:.4g} and {ties:.4g}"
        )
    for _ in range(_STEPS):
        middle = (blunt * sharp) ** 0.5
        if mean_at(middle) < mean_confidence:
            blunt = middle
        else:
            sharp = middle
    return 1 / sharp


def accuracy(probabilities: npt.ArrayLike, labels: npt.NDArray[np.int64]) -> Floats:
    """Whether the most probable class is the label: 1 or 0, float64 [n].

    Raises:
        DataError: If there is not one label for each row.
    """
    answers = np.asarray(probabilities).argmax(axis=1)
    if answers.shape != labels.shape:
        raise DataError(f"{len(answers)} predictions but labels of shape {labels.shape}")
    correct: Floats = (answers == labels).astype(np.float64)
    return correct


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence against accuracy in bins of equal width: what a reliability diagram shows.

    Attributes:
        confidence: Mean confidence in each bin, float64 [bins]; 0 where it is empty.
        accuracy: Share of right answers in each bin, float64 [bins]; 0 where it is empty.
        count: Predictions in each bin, int64 [bins].
    """

    confidence: Floats
    accuracy: Floats
    count: npt.NDArray[np.int64]

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance of accuracy from confidence, bins weighted by count (Guo et al. 2017)."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(gaps @ self.count / self.count.sum())


def reliability(
    probabilities: npt.ArrayLike, labels: npt.NDArray[np.int64], *, bins: int = 15
) -> Reliability:
    """Bin predictions by their confidence.

    Args:
        probabilities: float [n, C].
        labels: Class indices, int64 [n].
        bins: Number of bins of equal width over (0, 1].

    Raises:
        DataError: If there is not one label for each row, or there are no rows.
        ConfigError: If there is not at least one bin.
    """
    if bins < 1:
        raise ConfigError(f"bins={bins} must be at least 1")
    right = accuracy(probabilities, labels)
    if not len(right):
        raise DataError("there are no predictions to calibrate")
    sure = confidence(probabilities)
    index = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    filled = np.maximum(count, 1)
    return Reliability(
        confidence=np.bincount(index, sure, bins) / filled,
        accuracy=np.bincount(index, right, bins) / filled,
        count=count.astype(np.int64),
    )


def _below_largest(logits: npt.ArrayLike) -> Floats:
    """Logits less the largest of their row, float64 [V, C], at most 0."""
    rows = np.asarray(logits, dtype=np.float64)
    if rows.ndim != 2 or rows.size == 0 or not np.isfinite(rows).all():
        raise DataError(f"logits of shape {rows.shape} must be a matrix of finite numbers")
    below: Floats = rows - rows.max(axis=1, keepdims=True)
    return below
