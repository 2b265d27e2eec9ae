"""From answers to figures and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mezzanine_core.progress import SILENT, Progress
from mezzanine_core.results import Estimate, Verdict
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.evaluation import (
    BASE,
    TEACHER,
    Answers,
    Averaged,
    Control,
    control,
    control_of,
)
from mezzanine_recipes_distill.figures import REDUCTION, Figurer, Figures
from mezzanine_recipes_distill.verdict import decide


@dataclass(frozen=True, eq=False)
class Judgement:
    """What the evaluation says.

    Attributes:
        metrics: Model → metric → estimate: base, teacher, then each student and its control.
        deltas: Comparison → metric → paired gain.
        verdicts: Student → the answer about it, by the same criteria for all.
        controls: Student → the base at its confidence.
    """

    metrics: Mapping[str, Figures]
    deltas: Mapping[str, Figures]
    verdicts: Mapping[str, Verdict]
    controls: Mapping[str, Control]


def judge(
    base: Answers,
    teacher: Averaged,
    students: Mapping[str, Answers],
    config: SymmetryDistillConfig,
    figurer: Figurer,
    progress: Progress = SILENT,
) -> Judgement:
    """Estimate, compare and decide about every student.

    Args:
        base: What the base model answers.
        teacher: What its average over the views answers.
        students: What each student answers.
        config: Thresholds.
        figurer: What makes estimates.
        progress: Where it is shown how many of the models have been dealt with.
    """
    with progress.task("intervals of models", 1 + 2 * len(students)) as task:
        return _judged(base, teacher, students, config, figurer, task.advance)


def _judged(
    base: Answers,
    teacher: Averaged,
    students: Mapping[str, Answers],
    config: SymmetryDistillConfig,
    figurer: Figurer,
    advance: Callable[[], object],
) -> Judgement:
    controls = {student: control(base, answers) for student, answers in students.items()}
    metrics = {BASE: figurer.of_model(base), TEACHER: figurer.of_teacher(teacher)}
    advance()
    deltas: dict[str, Figures] = {}
    verdicts = {}
    for student, answers in students.items():
        metrics[student] = {
            **figurer.of_model(answers),
            **figurer.answers_changed(base, answers),
        }
        against_base = deltas[f"{student}_vs_base"] = figurer.compare(answers, base)
        advance()
        reduction = None
        if (sure := controls[student].answers) is not None:
            metrics[control_of(student)] = figurer.of_model(sure)
            against_control = deltas[f"{student}_vs_control"] = figurer.compare(
                answers, sure, second_gap=controls[student].gap
            )
            reduction = against_control.get(REDUCTION)
        advance()
        verdicts[student] = decide(
            student,
            reduction,
            against_base["accuracy"],
            against_base.get(REDUCTION),
            min_reduction=config.min_reduction,
            max_accuracy_drop=config.max_accuracy_drop,
        )
    return Judgement(metrics, deltas, verdicts, controls)


def final(judgement: Judgement, facts: Sequence[str], students: Sequence[str]) -> Verdict:
    """The answer of the run: that about its first student, with everything that weakens it.

    Args:
        judgement: What was found.
        facts: What weakens any answer from these data.
        students: The students, the one that the answer is about first.
    """
    first = students[0]
    said = [
        f"the student {student} {judgement.controls[student].problem}"
        for student in students
        if judgement.controls[student].problem
    ]
    verdict = judgement.verdicts[first]
    reduction = judgement.deltas[f"{first}_vs_base"].get(REDUCTION)
    if _only_less_confident(verdict, reduction):
        said.append(
            f"{first} meets the original's criterion, but not against the control: what looks like "
            "a smaller gap comes of less confidence"
        )
    return verdict.model_copy(update={"warnings": (*facts, *said)})


def _only_less_confident(verdict: Verdict, reduction: Estimate | None) -> bool:
    outcomes = {criterion.name: criterion.outcome for criterion in verdict.criteria}
    return (
        reduction is not None
        and outcomes["original_gap_reduction"] == "met"
        and outcomes["gap_reduced"] == "not met"
    )
