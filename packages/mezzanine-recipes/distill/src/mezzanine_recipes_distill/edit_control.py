"""The positive control of a run: how far beliefs move where they should."""

from __future__ import annotations

from typing import Any

import numpy as np

from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.edits import edit_figures
from mezzanine_recipes_distill.evaluation import BASE, control_of
from mezzanine_recipes_distill.framing import FramedEdits
from mezzanine_recipes_distill.items import Floats, Items
from mezzanine_recipes_distill.judgement import Judgement
from mezzanine_recipes_distill.models import Models


def edit_control(
    framed: FramedEdits,
    items: Items,
    models: Models,
    judgement: Judgement,
    config: SymmetryDistillConfig,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """How far base, students and controls move under the edits, next to their order gaps.

    Args:
        framed: The edits.
        items: Their texts with latents: all originals, then all edited ones.
        models: The models.
        judgement: What was found of them on the test items.
        config: Level and number of resamples.
        rng: Source of the resamples.

    Returns:
        Plain JSON values.
    """
    logits = {BASE: models.base(items)}
    for student, found in models.students(items).items():
        logits[student] = found
        if temperatures := judgement.controls[student].temperatures:
            logits[control_of(student)] = logits[BASE] / np.array(temperatures)[:, None, None]
    count = len(framed.edits)

    def figures(of_model: Floats) -> dict[str, Any]:
        found = edit_figures(
            of_model[:, :count],
            of_model[:, count:],
            framed.edits,
            level=config.level,
            resamples=config.bootstrap,
            rng=rng,
        )
        return {name: estimate.model_dump() for name, estimate in found.items()}

    return {
        "name": framed.edits.name,
        "edits": count,
        "models": {
            model: {**figures(found), "gap": judgement.metrics[model]["gap"].model_dump()}
            for model, found in logits.items()
        },
    }
