"""What a student that a run has left says of new items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mezzanine_core.calibration import softmax
from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Encoder
from mezzanine_core.errors import DataError
from mezzanine_core.worlds import ArrayColumn
from mezzanine_recipes_distill.adapter_building import adapter_of
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.devices import resolve_device
from mezzanine_recipes_distill.evaluation import BASE
from mezzanine_recipes_distill.framing import framed
from mezzanine_recipes_distill.heads import logits_of
from mezzanine_recipes_distill.inputs import check_kind, make_scorer
from mezzanine_recipes_distill.items import Floats
from mezzanine_recipes_distill.students import AdapterState, StudentCard, load_card, load_student


def predict(
    config: SymmetryDistillConfig,
    ctx: RunContext,
    folder: Path,
    records: Sequence[Mapping[str, Any]],
    *,
    model: str | None,
    repetition: int | None,
) -> Iterator[Mapping[str, Any]]:
    """See :meth:`~mezzanine_recipes_distill.recipe.SymmetryDistill.predict`."""
    card = load_card(folder)
    device = resolve_device(ctx.device)
    ctx.device = str(device)
    encoder = ctx.encoder(config.encoder)
    check_kind(config, encoder, "text", "a new item")
    _check_encoder(card, encoder)
    column = ArrayColumn(framed(ctx.world(config.world), records), "text")
    logits = _logits(config, ctx, folder, card, encoder, column, model, repetition, device)
    for row in softmax(logits):
        probabilities = dict(zip(card.label_names, row.tolist(), strict=True))
        yield {"label": card.label_names[int(row.argmax())], "probabilities": probabilities}


def _logits(
    config: SymmetryDistillConfig,
    ctx: RunContext,
    folder: Path,
    card: StudentCard,
    encoder: Encoder[Any],
    column: ArrayColumn,
    model: str | None,
    repetition: int | None,
    device: torch.device,
) -> Floats:
    """What the model says of each item, float64 [n, C]."""
    if model == BASE and card.belief == "choices":
        scorer = make_scorer(config, encoder, card.choices)
        assert scorer is not None
        return ctx.latents(column, scorer, "items").astype(np.float64)
    student = load_student(folder, model, repetition, device)
    if not isinstance(student, AdapterState):
        return logits_of(student, ctx.latents(column, encoder, "items"))
    adapted = adapter_of(config, encoder, student, device)
    with ctx.progress.task("items", len(column)) as task:
        return adapted.column_logits(column, ctx.executor, task)


def _check_encoder(card: StudentCard, encoder: Encoder[Any]) -> None:
    """Refuse latents of another map than the one that the student learnt from."""
    found, expected = encoder.fingerprint(), card.encoder["fingerprint"]
    if found != expected:
        raise DataError(
            f"the student reads latents of the encoder {expected[:12]}…, but the settings of the "
            f"run now give the encoder {found[:12]}…",
            hint="The weights, the tokenizer or the encoder's code have changed since; use those "
            "of the run, or run it again.",
        )
