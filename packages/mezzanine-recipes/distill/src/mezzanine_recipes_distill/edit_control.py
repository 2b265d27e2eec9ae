"""The positive control of a run: how far beliefs move where they should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from mezzanine_core.errors import ConfigError
from mezzanine_core.views import SplitViews
from mezzanine_core.warrant import ViewGroups
from mezzanine_core.worlds import ArrayColumn, Frame, Labelled
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.edits import Edits, edit_figures, load_edits
from mezzanine_recipes_distill.evaluation import BASE, control_of
from mezzanine_recipes_distill.inputs import Inputs
from mezzanine_recipes_distill.items import Floats, Items
from mezzanine_recipes_distill.judgement import Judgement
from mezzanine_recipes_distill.models import Models


@runtime_checkable
class FramesRecords(Protocol):
    """A world that puts new texts as those of its data are put where an encoder reads them."""

    def frame_records(
        self, records: Sequence[Mapping[str, Any]]
    ) -> tuple[Sequence[str], Frame | None]:
        """Texts of new items and what stands around them; loads no data."""


@dataclass(frozen=True, eq=False)
class FramedEdits:
    """Edits as an encoder reads them.

    Attributes:
        edits: The edits.
        texts: All originals, then all edited texts, in their frames.
        label_names: What the classes mean.
    """

    edits: Edits
    texts: tuple[str, ...]
    label_names: tuple[str, ...]

    def views(self) -> SplitViews:
        """Each text as an item of one view."""
        groups = ViewGroups(np.ones(len(self.texts), np.int64))
        return SplitViews(ArrayColumn(self.texts, "text"), groups)

    def split(self) -> Labelled:
        """The texts as items; their labels play no part."""
        labels = np.zeros(len(self.texts), np.int64)
        return Labelled(self.views().column, labels, self.label_names)


def framed(world: Any, records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """New texts as an encoder reads those of a world.

    Raises:
        ConfigError: If the world cannot tell.
        DataError: If a record lacks a field.
    """
    if not isinstance(world, FramesRecords):
        raise ConfigError(
            f"the world {world.config.name!r} does not say how a new item is read",
            hint="A world of texts says it by a method frame_records, as hf_dataset does.",
        )
    texts, frame = world.frame_records(records)
    if frame is None:
        return tuple(texts)
    return tuple(frame.around(row, text) for row, text in enumerate(texts))


def framed_edits(config: SymmetryDistillConfig, inputs: Inputs) -> FramedEdits | None:
    """The edits that the settings name, if they name any.

    Raises:
        ConfigError: If the world is not one of texts, or cannot tell how they are read.
        DataError: If they cannot be read, or do not go with the world.
        UnknownNameError: If there are none of this name.
    """
    if config.edits is None:
        return None
    if inputs.test.input.kind != "text":
        raise ConfigError(
            f"edits change texts, but the world {config.world.name!r} holds "
            f"{inputs.test.input.kind} items",
            hint="Leave `edits` out.",
        )
    edits = load_edits(config.edits)
    edits.check_classes(len(inputs.train.label_names))
    texts = (*edits.originals, *edits.edited)
    if edits.questions is None:
        records = [{"text": text} for text in texts]
    else:
        asked = (*edits.questions, *edits.questions)
        records = [
            {"passage": text, "question": question}
            for text, question in zip(texts, asked, strict=True)
        ]
    return FramedEdits(edits, framed(inputs.world, records), inputs.train.label_names)


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
