"""The verdict: MAKE, BREAK or INCONCLUSIVE.

Two comparisons decide, each on two gains, in mean rank and in R@10:

- ``action_helps``: the action predictor against the no-action predictor;
- ``shuffling_hurts``: the action predictor with the true actions against itself with shuffled ones.

Each has a threshold, τ = 5 ranks and τ = 0.05 by default, and an estimate with a two-sided
confidence interval [low, high]. A comparison is

- **met** where at least one gain reaches its threshold and is certain to be a gain:
  value ≥ τ and low > 0;
- **not met** where both gains are certain to stay below their thresholds: high < τ;
- **undecided** otherwise.

MAKE needs both comparisons met. BREAK needs one that is not met: to use the action, a model has to
pass both. Anything else is INCONCLUSIVE, and so is every run on collapsed latents, whose ranks mean
nothing. So absence of evidence (wide intervals) never gives BREAK, and a gain that is sure but too
small to matter never gives MAKE.

The rule is monotone: a gain whose value and interval move up can turn BREAK to INCONCLUSIVE and
INCONCLUSIVE to MAKE, never the other way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from mezzanine_core.results import Criterion, Estimate, Verdict

Gains = Mapping[str, Estimate]
"""Metric → paired gain, positive where the first of the two is better."""

_RANK, _RECALL = "mean_rank", "r@10"


def decide(
    helps: Gains,
    hurts: Gains,
    *,
    rank_gain: float,
    recall_gain: float,
    collapsed: bool = False,
    warnings: Sequence[str] = (),
) -> Verdict:
    """Apply the rule of this module.

    Args:
        helps: Gains of the action predictor over the no-action predictor.
        hurts: Gains of true actions over shuffled ones.
        rank_gain: Threshold of the gain in mean rank, in ranks.
        recall_gain: Threshold of the gain in R@10, a difference of proportions.
        collapsed: Whether the latents are collapsed.
        warnings: What weakens the verdict, in sentences.
    """
    thresholds = {_RANK: rank_gain, _RECALL: recall_gain}
    criteria = (
        _criterion("action_helps", helps, thresholds),
        _criterion("shuffling_hurts", hurts, thresholds),
    )
    label = _label([criterion.outcome for criterion in criteria], collapsed)
    return Verdict(
        label=label,
        sentence=_sentence(label, helps, hurts, collapsed),
        criteria=criteria,
        warnings=(*warnings, *_disagreements(criteria, helps, hurts)),
    )


def outcome(
    gains: Gains, thresholds: Mapping[str, float]
) -> Literal["met", "not met", "undecided"]:
    """Whether gains reach their thresholds; see the module for the rule."""
    pairs = [(gains[metric], threshold) for metric, threshold in thresholds.items()]
    if any(gain.value >= threshold and gain.low > 0 for gain, threshold in pairs):
        return "met"
    if all(gain.high < threshold for gain, threshold in pairs):
        return "not met"
    return "undecided"


def _criterion(name: str, gains: Gains, thresholds: Mapping[str, float]) -> Criterion:
    return Criterion(
        name=name,
        outcome=outcome(gains, thresholds),
        detail=(
            f"mean rank {_signed(gains[_RANK], 1)} (threshold {thresholds[_RANK]:g}), "
            f"R@10 {_signed(gains[_RECALL], 3)} (threshold {thresholds[_RECALL]:g})"
        ),
    )


def _label(outcomes: Sequence[str], collapsed: bool) -> Literal["MAKE", "BREAK", "INCONCLUSIVE"]:
    if collapsed:
        return "INCONCLUSIVE"
    if all(outcome == "met" for outcome in outcomes):
        return "MAKE"
    return "BREAK" if "not met" in outcomes else "INCONCLUSIVE"


def _sentence(label: str, helps: Gains, hurts: Gains, collapsed: bool) -> str:
    if collapsed:
        return (
            "the latents are collapsed, so ranks among them mean nothing; "
            "use another encoder or other settings of it."
        )
    answer = {
        "MAKE": "the model uses the action",
        "BREAK": "the model makes no use of the action that matters",
        "INCONCLUSIVE": "the intervals do not decide whether the model uses the action",
    }[label]
    return (
        f"{answer}: against no action, mean rank {_signed(helps[_RANK], 1)} and R@10 "
        f"{_signed(helps[_RECALL], 3)}; against shuffled actions, {_signed(hurts[_RANK], 1)} and "
        f"{_signed(hurts[_RECALL], 3)}."
    )


def _disagreements(criteria: Sequence[Criterion], helps: Gains, hurts: Gains) -> list[str]:
    """One metric may meet a criterion while the other one surely gets worse: that must be said."""
    return [
        f"{criterion.name}: mean rank and R@10 disagree, one is surely better and the other worse"
        for criterion, gains in zip(criteria, (helps, hurts), strict=True)
        if any(gain.low > 0 for gain in (gains[_RANK], gains[_RECALL]))
        and any(gain.high < 0 for gain in (gains[_RANK], gains[_RECALL]))
    ]


def _signed(gain: Estimate, digits: int) -> str:
    return f"{gain.value:+.{digits}f} [{gain.low:+.{digits}f}, {gain.high:+.{digits}f}]"
