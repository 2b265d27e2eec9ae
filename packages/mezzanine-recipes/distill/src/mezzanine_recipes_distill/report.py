"""What ``results.json`` says of a run besides its figures, as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from mezzanine_core.results import Estimate
from mezzanine_core.warrant import orbit_cosine, orbit_variance
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.evaluation import TEACHER, Answers
from mezzanine_recipes_distill.facts import Facts, clusters_of, overlap
from mezzanine_recipes_distill.figures import Figurer
from mezzanine_recipes_distill.inputs import Inputs
from mezzanine_recipes_distill.items import Ints, Items, hold_out
from mezzanine_recipes_distill.judgement import Judgement
from mezzanine_recipes_distill.latent_student import LatentStudent
from mezzanine_recipes_distill.models import Models
from mezzanine_recipes_distill.randomness import repetition_streams
from mezzanine_recipes_distill.training import Trained

_ORBITS_LISTED = 1024
"""Orbits of this size or larger are counted together."""


def data(inputs: Inputs, facts: Mapping[str, Facts], models: Models) -> dict[str, Any]:
    """Splits, sizes, overlap, and what the world says of the data."""
    leaked = overlap(inputs.test.input.keys, inputs.train.input.keys)
    return {
        "n_train": len(inputs.train),
        "n_test": len(inputs.test),
        **models.repetitions[0].sizes,
        "label_names": inputs.train.label_names,
        "choices": inputs.choices,
        "splits": {name: found.report() for name, found in facts.items()},
        "orbit_sizes": {
            "train": _orbits(inputs.train_views.groups.population()),
            "test": _orbits(inputs.test_views.groups.population()),
        },
        "overlap": {"test_items_in_train": int(leaked.sum())},
        "world": inputs.data.report,
    }


def diagnostics(
    models: Models, judgement: Judgement, base: Answers, students: Mapping[str, Answers]
) -> dict[str, Any]:
    """Verdict of each student, temperatures, answers that changed, ranks and curves."""
    seeds = models.config.seeds
    return {
        "students": {
            student: {
                "verdict": verdict.model_dump(),
                "control": {
                    "temperatures": judgement.controls[student].temperatures,
                    "problem": judgement.controls[student].problem,
                },
                "answers_changed": _changed(base, students[student]),
            }
            for student, verdict in judgement.verdicts.items()
        },
        "ranks": {
            str(seed): _rank(trained)
            for seed, trained in zip(seeds, models.repetitions, strict=True)
            if trained.choice is not None
        },
        "curves": {
            str(seed): {
                model: {
                    "train": curves.train,
                    "validation": curves.validation,
                    "best_epoch": curves.best,
                }
                for model, curves in trained.curves.items()
            }
            for seed, trained in zip(seeds, models.repetitions, strict=True)
        },
    }


def latents(test: Items, models: Models, figurer: Figurer) -> dict[str, Any]:
    """How far latents spread within the orbits of test items.

    Those of the encoder, and those that the student ``latent`` makes of them.
    """
    found = {"encoder": _spread([test.latents], test, figurer)}
    students = [trained.students.get("latent") for trained in models.repetitions]
    moved = [_moved(student, test) for student in students if isinstance(student, LatentStudent)]
    if moved:
        found["latent"] = _spread(moved, test, figurer)
    return found


def costs(inputs: Inputs, models: Models, judgement: Judgement) -> dict[str, Any]:
    """What answers and training take, in views that a model reads.

    A student reads a view in one forward pass of the encoder. So do the base, its controls and the
    teacher where the base is a head. Where it chooses among answers, one pass does for all answers
    of one token; longer ones may take a pass each, and it is the encoder that knows.
    """
    views = float(inputs.test_views.groups.sizes.mean())
    return {
        "views_per_answer": {
            model: views if model == TEACHER else 1 for model in judgement.metrics
        },
        "base_passes_per_view_at_most": len(inputs.choices) or 1,
        "training_views": int(inputs.train_views.groups.sizes.sum()),
        "adapter": {
            str(seed): _adapter_passes(trained, seed, inputs, models.config)
            for seed, trained in zip(models.config.seeds, models.repetitions, strict=True)
            if "adapter" in trained.students
        },
    }


def teacher_by_views(views: Ints, accuracy: Sequence[Estimate]) -> list[dict[str, Any]]:
    """The teacher's accuracy with each number of views."""
    return [
        {"views": count, "accuracy": one.model_dump()}
        for count, one in zip(views.tolist(), accuracy, strict=True)
    ]


def _changed(base: Answers, student: Answers) -> list[dict[str, int]]:
    """How many canonical answers changed which way, in each seed of the student."""
    gained = student.accuracy - base.accuracy
    return [
        {"wrong_to_right": int((one > 0).sum()), "right_to_wrong": int((one < 0).sum())}
        for one in gained
    ]


def _rank(trained: Trained) -> dict[str, Any]:
    choice = trained.choice
    assert choice is not None
    return {
        "rank": choice.rank,
        "validation": {str(rank): loss for rank, loss in choice.validation.items()},
        "standard_errors": {str(rank): error for rank, error in choice.errors.items()},
        "notes": choice.notes,
    }


def _adapter_passes(
    trained: Trained, repetition: int, inputs: Inputs, config: SymmetryDistillConfig
) -> dict[str, int]:
    """Forward passes of the student ``adapter``, each over one view; none of them is cached."""
    epochs = len(trained.curves["adapter"].train)
    # In an epoch an item gives two views, or the only one that it has.
    pair = np.minimum(inputs.train_views.groups.sizes, 2)
    split = repetition_streams(config.seed, repetition).split
    rows = hold_out(clusters_of(inputs.train.input.keys), config.validation, split)
    fit, held_out = (epochs * int(pair[chosen].sum()) for chosen in rows)
    read = [inputs.test_views.column]
    if inputs.edits is not None:
        read.append(inputs.edits.views().column)
    answers = sum(len(np.unique(column.keys, axis=0)) for column in read)
    return {"forward_and_backward": fit, "validation": held_out, "answers": answers}


def _spread(latents: Sequence[Any], test: Items, figurer: Figurer) -> dict[str, Any]:
    cosine = np.stack([orbit_cosine(one, test.groups) for one in latents])
    variance = np.stack([orbit_variance(one, test.groups) for one in latents])
    return {
        "orbit_cosine": figurer.mean(cosine).model_dump(),
        "orbit_variance": figurer.mean(variance).model_dump(),
    }


@torch.no_grad()
def _moved(student: LatentStudent, test: Items) -> Any:
    device = next(student.parameters()).device
    return student.latents(torch.from_numpy(test.latents).to(device)).cpu().numpy()


def _orbits(sizes: Any) -> dict[str, int]:
    """How many items have an orbit of which size."""
    small = sizes[sizes < _ORBITS_LISTED].astype(np.int64)
    values, counts = np.unique(small, return_counts=True)
    found = {str(value): int(count) for value, count in zip(values, counts, strict=True)}
    if len(small) < len(sizes):
        found[f">={_ORBITS_LISTED}"] = len(sizes) - len(small)
    return found
