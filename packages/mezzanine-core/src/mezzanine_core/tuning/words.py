"""The outcome of a tuning in words: what was chosen and why, or why nothing was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mezzanine_core.tuning.judging import Outcome
from mezzanine_core.tuning.plan import TuningPlan, TuningRequest
from mezzanine_core.tuning.records import Confirmation, TrialRecord
from mezzanine_core.tuning.space import described, ends_touched


def sentence_of(
    plan: TuningPlan,
    trials: Sequence[TrialRecord],
    chosen: TrialRecord | None,
    confirmation: Confirmation | None,
) -> str:
    """What a tuning found.

    Args:
        plan: What was tuned.
        trials: What was tried.
        chosen: The trial with the largest effect among those that qualify.
        confirmation: Its run on fresh seeds and data.
    """
    request = plan.request
    if chosen is None or confirmation is None:
        return _nothing(request, trials)
    run = chosen.runs[-1]
    count = sum(trial.outcome == "qualifies" for trial in trials)
    of = f"the largest of the {count} that qualify" if count > 1 else "the only one that qualifies"
    return (
        f"Chosen: {described(chosen.point)} (trial {chosen.number}; {len(trials)} tried), "
        f"{of}: {request.effect} is {run.effect}, while {request.baseline} is {run.baseline}, "
        f"within {request.low:g} to {request.high:g}. "
        f"{_confirmed(request, confirmation)}{_ends(plan, chosen)}"
    )


def _ends(plan: TuningPlan, chosen: TrialRecord) -> str:
    touched = [name.rpartition(".")[2] for name in ends_touched(plan.space, chosen.point)]
    if not touched:
        return ""
    which = " and ".join(touched)
    return f" At an end of its range: {which}; a wider one may hold more."


def _confirmed(request: TuningRequest, confirmation: Confirmation) -> str:
    effect, baseline = confirmation.run.effect, confirmation.run.baseline
    fresh = f"On fresh seeds and data {request.effect} is {effect}"
    if confirmation.holds:
        return f"{fresh}, and the choice holds: this is the figure to report."
    if confirmation.outcome in ("too easy", "dead"):
        why = f"{request.baseline} is {baseline} there, {_words(request)[confirmation.outcome]}"
    elif confirmation.outcome == "unstable":
        why = "the seeds disagree there"
    else:
        why = "its interval does not lie above zero"
    return f"{fresh}, but the choice does not hold: {why}."


def _words(request: TuningRequest) -> dict[Outcome, str]:
    return {
        "too easy": f"above {request.high:g}",
        "dead": f"below {request.low:g}",
        "unstable": f"the seeds disagree by more than {request.disagreement:.0%} of the effect",
        "stopped": "stopped after a pilot, not among the best",
        "failed": "a run failed",
    }


def _nothing(request: TuningRequest, trials: Sequence[TrialRecord]) -> str:
    counts = Counter(trial.outcome for trial in trials)
    words = _words(request)
    of_baseline = f"{request.baseline} "
    reasons = [
        f"{counts[outcome]} {outcome} "
        f"({of_baseline if outcome in ('too easy', 'dead') else ''}{words[outcome]})"
        for outcome in words
        if counts[outcome]
    ]
    text = f"Nothing qualifies, of {len(trials)} tried: {', '.join(reasons)}."
    nearest = _nearest(request, trials)
    if nearest is not None:
        run = nearest.runs[-1]
        text += (
            f" Nearest: {described(nearest.point)} (trial {nearest.number}), with "
            f"{request.baseline} {run.baseline} and {request.effect} {run.effect}."
        )
    problems = Counter(trial.problem for trial in trials if trial.problem)
    if problems:
        text += f" Most frequent failure: {problems.most_common(1)[0][0]}"
    return text


def _nearest(request: TuningRequest, trials: Sequence[TrialRecord]) -> TrialRecord | None:
    """The trial whose baseline comes nearest to the range; the larger effect decides a tie."""

    def distance(trial: TrialRecord) -> tuple[float, float]:
        run = trial.runs[-1]
        low, high = request.low - run.baseline.value, run.baseline.value - request.high
        return max(0.0, low, high), -run.effect.value

    return min((trial for trial in trials if trial.runs), key=distance, default=None)
