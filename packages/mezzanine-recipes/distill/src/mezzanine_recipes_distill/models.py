"""The models of all repetitions: what they answer, and how they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Encoder
from mezzanine_recipes_distill.adapter_building import adapter_of
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.evaluation import BASE, Answers, Averaged, TestViews
from mezzanine_recipes_distill.heads import logits_of
from mezzanine_recipes_distill.items import Floats, Ints, Items
from mezzanine_recipes_distill.students import AdapterState, Student
from mezzanine_recipes_distill.teacher import accuracy_by_views
from mezzanine_recipes_distill.training import Trained


@dataclass(frozen=True, eq=False)
class Models:
    """Base model, teacher and students of every repetition.

    Attributes:
        repetitions: What each of the S repetitions gave.
        config: The recipe's settings.
        ctx: The run.
        encoder: What made the latents; adapters are put into a copy of it.
        device: Where adapters compute.
    """

    repetitions: Sequence[Trained]
    config: SymmetryDistillConfig
    ctx: RunContext
    encoder: Encoder[Any]
    device: torch.device

    def base(self, items: Items) -> Floats:
        """Logits of the base model, float64 [S, V, C]; S is 1 where it was not trained."""
        return np.stack([trained.base_logits(items) for trained in self._with_base()])

    def students(self, items: Items) -> dict[str, Floats]:
        """Logits of each student, float64 [S, V, C], in one forward pass a view."""
        return {
            name: np.stack(self._logits([one.students[name] for one in self.repetitions], items))
            for name in self.config.students
        }

    def answers(self, items: Items, test: TestViews) -> tuple[Answers, dict[str, Answers]]:
        """What the base model and each student answer to test items."""
        students = {name: Answers(logits, test) for name, logits in self.students(items).items()}
        return Answers(self.base(items), test), students

    def teacher(self, items: Items) -> Averaged:
        """What the teacher answers to items."""
        beliefs = [trained.teacher(items, self.config).beliefs() for trained in self._with_base()]
        return Averaged.of(np.stack(beliefs), items.label)

    def teacher_by_views(self, items: Items) -> tuple[Ints, Floats]:
        """Whether the teacher is right with 1, 2, 4, … views: int64 [m] and float64 [m, S, n]."""
        found = [
            accuracy_by_views(trained.teacher(items, self.config), items.label)
            for trained in self._with_base()
        ]
        return found[0][0], np.stack([right for _, right in found], axis=1)

    def saved(self) -> dict[str, list[Student]]:
        """Every model with weights of its own, in the order of the repetitions."""
        found: dict[str, list[Student]] = {
            name: [trained.students[name] for trained in self.repetitions]
            for name in self.config.students
        }
        heads = [trained.base for trained in self.repetitions if trained.base is not None]
        return {**found, BASE: list(heads)} if heads else found

    def _with_base(self) -> Sequence[Trained]:
        """The repetitions whose base models differ."""
        return self.repetitions if self.config.belief == "head" else self.repetitions[:1]

    def _logits(self, students: Sequence[Student], items: Items) -> list[Floats]:
        """Logits of one student in each repetition, each float64 [V, C]."""
        found: list[Floats] = []
        adapted = None
        for student in students:
            if not isinstance(student, AdapterState):
                found.append(logits_of(student, items.latents))
                continue
            # One copy of the encoder for all repetitions: their adapters are small.
            if adapted is None:
                adapted = adapter_of(self.config, self.encoder, student, self.device)
            else:
                adapted.load(student.tensors)
            with self.ctx.progress.task("answers of adapter", len(items.column)) as task:
                found.append(adapted.column_logits(items.column, self.ctx.executor, task))
        return found
