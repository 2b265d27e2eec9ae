"""One repetition: the base model, its teacher, and the students."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Encoder
from mezzanine_core.errors import ConfigError
from mezzanine_core.warrant import orbit_average
from mezzanine_recipes_distill.adapter_building import (
    check_adapter,
    new_adapter,
    state_of,
)
from mezzanine_recipes_distill.adapter_checkpoints import Checkpoints
from mezzanine_recipes_distill.adapter_training import TaughtViews, adapter_steps, fit_adapter
from mezzanine_recipes_distill.config import StudentName, SymmetryDistillConfig
from mezzanine_recipes_distill.facts import clusters_of
from mezzanine_recipes_distill.fitting import Curves, FitSettings, Taught, fit_base, fit_head
from mezzanine_recipes_distill.heads import Head, logits_of
from mezzanine_recipes_distill.inputs import Inputs
from mezzanine_recipes_distill.items import Floats, Ints, Items, hold_out
from mezzanine_recipes_distill.latent_student import fit_latent_student
from mezzanine_recipes_distill.projection import ProjectionChoice, fit_projection
from mezzanine_recipes_distill.randomness import RepetitionStreams, repetition_streams
from mezzanine_recipes_distill.students import AdapterState, Student
from mezzanine_recipes_distill.teacher import Teacher

_SMALL = 512
"""Width of hidden layers up to which one thread fits heads fastest."""


@dataclass(eq=False)
class Trained:
    """What one repetition gives.

    Attributes:
        base: The base model; ``None`` where it is the encoder's own belief.
        students: The students by name; of the adapter its state alone, without the encoder.
        curves: Losses on the way, by name, those of the base among them.
        choice: Which rank the projection has, where there is one.
        sizes: How many items were fitted to, and how many were held out.
    """

    base: Head | None
    students: dict[StudentName, Student] = field(default_factory=dict)
    curves: dict[str, Curves] = field(default_factory=dict)
    choice: ProjectionChoice | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)

    def base_logits(self, items: Items) -> Floats:
        """What the base model says of every view, float64 [V, C]."""
        if items.beliefs is not None:
            return items.beliefs
        assert self.base is not None
        return logits_of(self.base, items.latents)

    def teacher(self, items: Items, config: SymmetryDistillConfig) -> Teacher:
        """The base model averaged over the views of items."""
        if config.average == "latents":
            return Teacher(items.latents, items.groups, "latents", self.base)
        return Teacher(self.base_logits(items), items.groups, config.average)


@dataclass(frozen=True, eq=False)
class Trainer:
    """Trains the models of a repetition.

    Attributes:
        config: The recipe's settings.
        ctx: The run.
        encoder: What made the latents; adapted by the student ``adapter``.
        classes: Number C of classes.
        device: Where to train.
    """

    config: SymmetryDistillConfig
    ctx: RunContext
    encoder: Encoder[Any]
    classes: int
    device: torch.device

    def train(
        self,
        items: Items,
        clusters: Ints,
        streams: RepetitionStreams,
        checkpoints: Checkpoints | None,
    ) -> Trained:
        """Train one repetition.

        Args:
            items: The training items.
            clusters: Which of them are equal, int64 [n].
            streams: Source of all randomness.
            checkpoints: Where the adapter's training is kept; ``None`` for nowhere.

        Raises:
            DataError: If the items that are left to fit to have one label.
            LatentError: If a training diverges.
            ConfigError: If a student does not go with the encoder.
        """
        rows = hold_out(clusters, self.config.validation, streams.split)
        train, validation = (items.part(chosen) for chosen in rows)
        trained = Trained(None, sizes={"fit": len(train), "held_out": len(validation)})
        if self.config.belief == "head":
            with self._threads():
                trained.base, trained.curves["base"] = fit_base(
                    train.canonical,
                    train.label,
                    validation.canonical,
                    validation.label,
                    self.classes,
                    self._fit_settings(),
                    streams.base,
                    self.device,
                )
        both = _Taught.of(trained, self.config, train), _Taught.of(trained, self.config, validation)
        for name in self.config.students:
            if name == "adapter":
                state, curves = self._train_adapter(trained, both, streams, checkpoints)
                trained.students[name], trained.curves[name] = state, curves
            else:
                with self._threads():
                    self._train_on_latents(name, trained, both, streams)
        return trained

    def _train_on_latents(
        self,
        name: StudentName,
        trained: Trained,
        both: tuple[_Taught, _Taught],
        streams: RepetitionStreams,
    ) -> None:
        settings, (train, validation) = self._fit_settings(), both
        student: Student
        if name == "head":
            student, curves = fit_head(
                train.beliefs(), validation.beliefs(), settings, streams.head, self.device
            )
        elif name == "projection":
            student, trained.choice, curves = fit_projection(
                train.beliefs(),
                validation.beliefs(),
                self.config.ranks,
                settings,
                streams.projection,
                self.device,
            )
        else:
            assert trained.base is not None
            student, curves = fit_latent_student(
                train.means(),
                validation.means(),
                trained.base,
                self.config.latent_loss,
                settings,
                streams.latent,
                self.device,
            )
        trained.students[name], trained.curves[name] = student, curves

    def _train_adapter(
        self,
        trained: Trained,
        both: tuple[_Taught, _Taught],
        streams: RepetitionStreams,
        checkpoints: Checkpoints | None,
    ) -> tuple[AdapterState, Curves]:
        head = trained.base
        if head is None:
            # The encoder's own belief is no head on its latents: start from the student that is.
            with self._threads():
                head, _ = fit_head(
                    both[0].beliefs(),
                    both[1].beliefs(),
                    self._fit_settings(),
                    streams.head,
                    self.device,
                )
        student = new_adapter(self.config, self.encoder, head, streams.adapter_weights, self.device)
        train, validation = (part.views() for part in both)
        steps = adapter_steps(len(train.label), student.settings)
        with self.ctx.progress.task("adapter", steps) as task:
            curves = fit_adapter(
                student,
                train,
                validation,
                generator=streams.adapter_batches,
                executor=self.ctx.executor,
                task=task,
                checkpoints=checkpoints,
            )
        return state_of(student), curves

    @contextmanager
    def _threads(self) -> Iterator[None]:
        """One thread where matrices are too small to share out.

        Threads that wait for each other made the fitting of heads sixteen times as slow as one
        thread did it, on two cores that had other work as well.
        """
        before = torch.get_num_threads()
        if self.config.hidden <= _SMALL:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def _fit_settings(self) -> FitSettings:
        config = self.config
        return FitSettings(
            hidden=config.hidden,
            lr=config.head_lr,
            weight_decay=config.head_decay,
            batch_items=config.head_batch,
            epochs=config.head_epochs,
            patience=config.patience,
            views=config.student_views,
            consistency=config.consistency,
            label_weight=config.label_weight,
        )


@dataclass(frozen=True, eq=False)
class _Taught:
    """Items and what the teacher makes of them, in the forms that the students take."""

    items: Items
    targets: Floats

    @classmethod
    def of(cls, trained: Trained, config: SymmetryDistillConfig, items: Items) -> _Taught:
        return cls(items, trained.teacher(items, config).beliefs())

    def beliefs(self) -> Taught:
        return Taught(self.items.latents, self.items.groups, self.targets, self.items.label)

    def means(self) -> Taught:
        means = orbit_average(self.items.latents, self.items.groups)
        return Taught(self.items.latents, self.items.groups, means, self.items.label)

    def views(self) -> TaughtViews:
        return TaughtViews(self.items.column, self.items.groups, self.targets, self.items.label)


def check_students(config: SymmetryDistillConfig, inputs: Inputs) -> None:
    """Refuse students that do not go with the encoder or the data, before anything is encoded.

    Raises:
        ConfigError: If there are such.
        MissingDependencyError: If the student `adapter` is asked for without peft.
    """
    if "projection" in config.students:
        _check_ranks(config, inputs)
    if "adapter" in config.students:
        check_adapter(config, inputs.encoder)


def _check_ranks(config: SymmetryDistillConfig, inputs: Inputs) -> None:
    """Refuse ranks none of which a projection can have in some repetition."""
    clusters, dim = clusters_of(inputs.train.input.keys), inputs.encoder.dim
    for repetition in config.seeds:
        split = repetition_streams(config.seed, repetition).split
        items = len(hold_out(clusters, config.validation, split)[0])
        limit = min(dim, items)
        if min(config.ranks) > limit:
            raise ConfigError(
                f"ranks: none of {sorted(config.ranks)} is at most {limit}, the lesser of the "
                f"length of a latent ({dim}) and the number of items to fit on ({items})",
                hint=f"Give a rank of at most {limit}, or leave the student `projection` out.",
            )
