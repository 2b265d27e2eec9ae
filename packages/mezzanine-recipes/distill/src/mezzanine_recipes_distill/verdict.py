"""The verdict: MAKE, BREAK or INCONCLUSIVE.

Two criteria decide, on estimates with two-sided confidence intervals [low, high]:

- ``gap_reduced``: by which share the student's warrant gap is below its control's, 1 − g / g_c. The
  control is the base model at the student's confidence. Threshold: ``min_reduction``, 0.2.
- ``accuracy_kept``: how far the student's accuracy on canonical views is above the base's.
  Threshold: minus ``max_accuracy_drop``, −0.05.

A criterion is **met** where its whole interval reaches the threshold (low ≥ τ), **not met** where
all of it stays below (high < τ), and **undecided** otherwise, as it is where there is nothing to
estimate. MAKE needs both met, BREAK one that is not met; anything else is INCONCLUSIVE. So neither
wide intervals nor a missing control ever give MAKE or BREAK by themselves.

The original asked the same of the base model without a control, and of point estimates alone. That
answer stands beside the others as ``original_gap_reduction`` and decides nothing: a student that is
merely less confident passes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mezzanine_core.results import Criterion, Estimate, Verdict

Outcome = Literal["met", "not met", "undecided"]
Label = Literal["MAKE", "BREAK", "INCONCLUSIVE"]


def decide(
    student: str,
    reduction: Estimate | None,
    accuracy_gain: Estimate,
    original_reduction: Estimate | None,
    *,
    min_reduction: float,
    max_accuracy_drop: float,
    warnings: Sequence[str] = (),
) -> Verdict:
    """Apply the rule of this module.

    Args:
        student: Name of the student.
        reduction: Relative reduction of the gap against the control; ``None`` where there is no
            control, or no gap to be reduced.
        accuracy_gain: Accuracy of the student less that of the base.
        original_reduction: Relative reduction of the gap against the base itself.
        min_reduction: Threshold of the reduction.
        max_accuracy_drop: Greatest drop in accuracy that is put up with.
        warnings: What weakens the verdict, in sentences.
    """
    deciding = (
        Criterion(
            name="gap_reduced",
            outcome=outcome(reduction, min_reduction),
            detail=f"reduction of the gap against the control: {_share(reduction)} "
            f"(threshold {min_reduction:.0%})",
        ),
        Criterion(
            name="accuracy_kept",
            outcome=outcome(accuracy_gain, -max_accuracy_drop),
            detail=f"accuracy against the base: {_points(accuracy_gain)} points "
            f"(threshold {-100 * max_accuracy_drop:+g})",
        ),
    )
    original = _original(original_reduction, accuracy_gain, min_reduction, max_accuracy_drop)
    label = _label([criterion.outcome for criterion in deciding])
    return Verdict(
        label=label,
        sentence=f"{_answer(deciding).format(student)}: {_figures(reduction, accuracy_gain)}",
        criteria=(*deciding, original),
        warnings=tuple(warnings),
    )


def outcome(estimate: Estimate | None, threshold: float) -> Outcome:
    """Whether a figure surely reaches its threshold; see the module for the rule."""
    if estimate is None:
        return "undecided"
    if estimate.low >= threshold:
        return "met"
    return "not met" if estimate.high < threshold else "undecided"


def _original(
    reduction: Estimate | None,
    accuracy_gain: Estimate,
    min_reduction: float,
    max_accuracy_drop: float,
) -> Criterion:
    found: Outcome = "undecided"
    if reduction is not None:
        passed = reduction.value >= min_reduction and accuracy_gain.value >= -max_accuracy_drop
        found = "met" if passed else "not met"
    return Criterion(
        name="original_gap_reduction",
        outcome=found,
        detail="the original's, without control and by point estimates, decides nothing: reduction "
        f"of the gap against the base: {_share(reduction)}",
    )


def _label(outcomes: Sequence[Outcome]) -> Label:
    if all(outcome == "met" for outcome in outcomes):
        return "MAKE"
    return "BREAK" if "not met" in outcomes else "INCONCLUSIVE"


def _answer(deciding: Sequence[Criterion]) -> str:
    """What holds of a student, as far as the criteria say; to be filled with its name."""
    gap, accuracy = (criterion.outcome for criterion in deciding)
    if gap == accuracy == "met":
        return "the student {} is less dependent on the view, at no cost that matters"
    if gap == accuracy == "not met":
        return (
            "the student {} reduces the dependence on the view by too little, if at all, and costs "
            "too much accuracy"
        )
    if gap == "not met":
        return "the student {} reduces the dependence on the view by too little, if at all"
    if accuracy == "not met" and gap == "met":
        return "the student {} is less dependent on the view, but costs too much accuracy"
    if accuracy == "not met":
        return "the student {} costs too much accuracy"
    return "the figures do not decide whether the student {} is worth it"


def _figures(reduction: Estimate | None, gain: Estimate) -> str:
    found = "cannot be estimated" if reduction is None else f"is {_share(reduction)}"
    return (
        f"the reduction of the warrant gap against its control {found}; its accuracy is "
        f"{_points(gain)} points from the base's."
    )


def _share(estimate: Estimate | None) -> str:
    if estimate is None:
        return "a share that cannot be estimated"
    return f"{estimate.value:.1%} [{estimate.low:.1%}, {estimate.high:.1%}]"


def _points(estimate: Estimate) -> str:
    value, low, high = (100 * one for one in (estimate.value, estimate.low, estimate.high))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"
