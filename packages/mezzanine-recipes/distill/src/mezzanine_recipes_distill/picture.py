"""What is drawn of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mezzanine_core.calibration import Reliability, reliability
from mezzanine_core.results import Estimate, Verdict
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.evaluation import BASE, TEACHER, Answers, Averaged, control_of
from mezzanine_recipes_distill.items import Floats, Ints
from mezzanine_recipes_distill.judgement import Judgement
from mezzanine_recipes_distill.plots import Picture


def make_picture(
    base: Answers,
    teacher: Averaged,
    students: Mapping[str, Answers],
    judgement: Judgement,
    verdict: Verdict,
    views: Ints,
    by_views: Sequence[Estimate],
    config: SymmetryDistillConfig,
) -> Picture:
    """Gather what is drawn; a model without seeds is repeated for each of them.

    Args:
        base: What the base model answers.
        teacher: What the teacher answers.
        students: What each student answers.
        judgement: The figures.
        verdict: The answer.
        views: Numbers of views that the teacher averages, int64 [m].
        by_views: Its accuracy with each.
        config: The recipe's settings.
    """
    shown = {BASE: base}
    for student, answers in students.items():
        shown[student] = answers
        if (sure := judgement.controls[student].answers) is not None:
            shown[control_of(student)] = sure
    label = base.test.label
    accuracies = {model: answers.accuracy for model, answers in shown.items()}
    accuracies[TEACHER] = teacher.accuracy
    believed = {
        BASE: base.canonical,
        TEACHER: teacher.probabilities,
        **{student: answers.canonical for student, answers in students.items()},
    }

    def per_seed(values: Floats) -> Floats:
        means: Floats = np.broadcast_to(values.mean(axis=1), (len(config.seeds),))
        return means

    return Picture(
        gaps={model: answers.gap.mean(axis=0) for model, answers in shown.items()},
        gap_per_seed={model: per_seed(answers.gap) for model, answers in shown.items()},
        gap_intervals={model: judgement.metrics[model]["gap"] for model in shown},
        accuracy_per_seed={model: per_seed(values) for model, values in accuracies.items()},
        accuracy_intervals={model: judgement.metrics[model]["accuracy"] for model in accuracies},
        reliability={model: _pooled(values, label) for model, values in believed.items()},
        teacher_views=views,
        teacher_accuracy=np.array([one.value for one in by_views]),
        teacher_intervals=by_views,
        students=tuple(config.students),
        verdict=verdict,
    )


def _pooled(probabilities: Floats, label: Ints) -> Reliability:
    """Reliability over all seeds together, of float64 [S, n, C]."""
    seeds, _, classes = probabilities.shape
    return reliability(probabilities.reshape(-1, classes), np.tile(label, seeds))
