"""What a report says of the figures of this recipe."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from mezzanine_core.presentation import Group, Picture, Presentation
from mezzanine_recipes_distill.evaluation import BASE, TEACHER, control_of

_STUDENTS = {
    "head": "a head on the frozen latents",
    "projection": "a projection that leaves out what moves with the view",
    "latent": "a map of the latents before the base's head",
    "adapter": "low-rank adapters in the encoder",
}
_METRICS = {
    "gap": "Warrant gap: total variation between two views, over all pairs; 0 to 1, lower is "
    "better, and a gain is positive.",
    "gap_reduction": "Share of the gap that is gone; 1 is all of it, higher is better.",
    "flip_rate": "Share of pairs of views with different answers; lower is better, and a gain is "
    "positive.",
    "accuracy": "Share of right answers to the canonical view; higher is better.",
    "accuracy_views": "Share of right answers over all views; higher is better.",
    "confidence": "Mean probability of the answer given; 0 to 1.",
    "ece": "Expected calibration error: confidence against being right; lower is better, and a "
    "gain is positive.",
    "spread_ratio": "Spread of the logits within orbits over that between items; free of "
    "confidence, lower is better.",
    "wrong_to_right": "Share of items that the base gets wrong and the student right.",
    "right_to_wrong": "Share of items that the base gets right and the student wrong.",
}
_AT_VIEWS = {
    "tv_to_mean@": "Total variation between a view and the mean of the views; grows with their "
    "number, so only to be compared at the same one.",
    "js@": "Jensen-Shannon divergence of the views, in nats; grows with their number.",
}


def presentation(
    metrics: Collection[str],
    models: Collection[str],
    deltas: Collection[str],
    students: Sequence[str],
    pictures: Iterable[Picture],
) -> Presentation:
    """Groups, words and captions of a run.

    Args:
        metrics: Names of its metrics.
        models: Keys of its models.
        deltas: Keys of its comparisons.
        students: Names of the students.
        pictures: Pictures that it drew, in the order in which they are to be read.
    """
    words = {
        BASE: "The model in question, on single views.",
        TEACHER: "The base averaged over the views of an item.",
    }
    for student in students:
        words[student] = f"Student: {_STUDENTS.get(student, student)}."
        words[control_of(student)] = f"The base made as unsure as the student {student}."
        words[f"{student}_vs_base"] = f"The student {student} against the base."
        words[f"{student}_vs_control"] = (
            f"The student {student} against its control; what counts for the verdict."
        )
    words |= _METRICS
    for metric in metrics:
        for lead, said in _AT_VIEWS.items():
            if metric.startswith(lead):
                words[metric] = said
    known = {*metrics, *models, *deltas}
    group = Group(
        title="Do answers hang on what should not matter?",
        caption="Models on the same test items and views. Intervals are resampled over items and "
        "seeds, never over single views.",
        models=tuple(models),
        deltas=tuple(deltas),
    )
    return Presentation(
        pictures=tuple(pictures),
        groups=(group,),
        words={name: said for name, said in words.items() if name in known},
    )
