"""One repetition: the base model, its teacher, and the students."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Encoder, Tunable
from mezzanine_core.errors import ConfigError
from mezzanine_core.warrant import orbit_average
from mezzanine_recipes_distill.adapter import AdapterSettings, AdapterStudent
from mezzanine_recipes_distill.adapter_checkpoints import Checkpoints
from mezzanine_recipes_distill.adapter_training import TaughtViews, adapter_steps, fit_adapter
from mezzanine_recipes_distill.config import StudentName, SymmetryDistillConfig
from mezzanine_recipes_distill.fitting import Curves, FitSettings, Taught, fit_base, fit_head
from mezzanine_recipes_distill.heads import Head, logits_of
from mezzanine_recipes_distill.items import Floats, Ints, Items, hold_out
from mezzanine_recipes_distill.latent_student import LatentStudent, fit_latent_student
from mezzanine_recipes_distill.projection import Projected, ProjectionChoice, fit_projection
from mezzanine_recipes_distill.randomness import RepetitionStreams
from mezzanine_recipes_distill.teacher import Teacher

_SMALL = 512
"""Width of hidden layers up to which one thread fits heads fastest."""

Student = Head | Projected | LatentStudent | AdapterStudent
"""A model of latents, or one of the items themselves."""


@dataclass(eq=False)
class Trained:
    """What one repetition gives.

    Attributes:
        base: The base model; ``None`` where it is the encoder's own belief.
        students: The students by name.
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
                student, curves = self._train_adapter(trained, both, streams, checkpoints)
                trained.students[name], trained.curves[name] = student, curves
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
    ) -> tuple[AdapterStudent, Curves]:
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
        settings = adapter_settings(self.config)
        student = AdapterStudent(
            tunable(self.config, self.encoder).trainable(),
            head,
            settings,
            streams.adapter_weights,
            self.device,
        )
        train, validation = (part.views() for part in both)
        steps = adapter_steps(len(train.label), settings)
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
        return student, curves

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


def adapter_settings(config: SymmetryDistillConfig) -> AdapterSettings:
    """How the adapter is built and trained."""
    return AdapterSettings(
        layers=config.adapter_layers,
        rank=config.adapter_rank,
        alpha=config.adapter_alpha,
        epochs=config.adapter_epochs,
        lr=config.adapter_lr,
        weight_decay=config.adapter_decay,
        batch_items=config.adapter_batch,
        accumulate=config.adapter_accumulate,
        gradient_checkpointing=config.adapter_checkpointing,
        consistency=config.adapter_consistency,
        label_weight=config.label_weight,
    )


def tunable(config: SymmetryDistillConfig, encoder: Encoder[Any]) -> Tunable:
    """The encoder, as one that can be trained.

    Raises:
        ConfigError: If it cannot.
    """
    if not isinstance(encoder, Tunable):
        raise ConfigError(
            f"the student `adapter` trains the encoder, which {config.encoder.name!r} does not "
            "allow",
            hint="Leave it out of students, or use an encoder that can be trained (hf_language, "
            "hf_causal_lm).",
        )
    return encoder


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


def check_students(config: SymmetryDistillConfig, encoder: Encoder[Any]) -> None:
    """Refuse students that do not go with the encoder, before anything is encoded.

    Raises:
        ConfigError: If there are such.
    """
    if "adapter" in config.students:
        tunable(config, encoder)
