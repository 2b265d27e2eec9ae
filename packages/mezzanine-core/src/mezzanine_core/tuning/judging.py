"""What a run's figures say of a point: whether it qualifies, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mezzanine_core.tuning.figures import Figure

Outcome = Literal["qualifies", "too easy", "dead", "unstable", "stopped", "failed"]
"""What became of a trial.

``too easy``: the baseline lies above its range. ``dead``: it lies below. ``unstable``: the seeds
disagree on the effect. ``stopped``: its pilot was not among the best. ``failed``: a run failed.
"""


@dataclass(frozen=True)
class Criteria:
    """When a point qualifies.

    Attributes:
        low: Lower end of the range of the baseline.
        high: Upper end of that range.
        disagreement: Largest standard deviation of the effect over seeds, as a share of the effect.
    """

    low: float
    high: float
    disagreement: float


@dataclass(frozen=True)
class Judgement:
    """What one run says of a point.

    Attributes:
        outcome: Whether it qualifies, or why it does not.
        violations: Name of each condition → by how much it is missed; 0 or less where it is met.
    """

    outcome: Outcome
    violations: dict[str, float]


def judge(criteria: Criteria, baseline: Figure, effect: Figure, *, pilot: bool) -> Judgement:
    """Judge a run.

    A pilot is judged leniently: it is out of range only if the whole interval of its baseline is,
    and disagreement of its few seeds is not held against it.

    Args:
        criteria: When a point qualifies.
        baseline: What must lie within the range.
        effect: What is maximised.
        pilot: Whether the run was a cheaper one than the full.
    """
    least, most = (baseline.least, baseline.most) if pilot else (baseline.value, baseline.value)
    violations = {"too easy": least - criteria.high, "dead": criteria.low - most}
    spread = effect.spread
    if not pilot and spread is not None:
        violations["unstable"] = spread - criteria.disagreement * abs(effect.value)
    outcomes: tuple[Outcome, ...] = ("too easy", "dead", "unstable")
    for outcome in outcomes:
        if violations.get(outcome, 0.0) > 0:
            return Judgement(outcome, violations)
    return Judgement("qualifies", violations)
