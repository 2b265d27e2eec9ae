"""Base heads and students on disk: ``student.safetensors`` with a JSON card beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from mezzanine_core.config import MezzModel
from mezzanine_core.errors import UnknownNameError
from mezzanine_recipes_distill.evaluation import BASE
from mezzanine_recipes_distill.heads import Head
from mezzanine_recipes_distill.latent_student import LatentStudent
from mezzanine_recipes_distill.projection import Projected
from mezzanine_recipes_distill.storage import (
    damaged,
    read_card,
    read_tensors,
    tensor_names,
    write_card,
    write_tensors,
)

WEIGHTS = "student.safetensors"
CARD = "student.json"


@dataclass(frozen=True, eq=False)
class AdapterState:
    """What has to be put into an encoder to make it an adapted one, with its head.

    Attributes:
        dim: Length of a latent.
        classes: Number of classes.
        hidden: Width of the head's hidden layer.
        layers: How many of the encoder's last blocks are adapted.
        rank: Rank of the LoRA matrices.
        alpha: Their scale, before division by the rank.
        tensors: The state of the student: LoRA matrices and head, on the CPU.
    """

    dim: int
    classes: int
    hidden: int
    layers: int
    rank: int
    alpha: float
    tensors: Mapping[str, Tensor]


Student = Head | Projected | LatentStudent | AdapterState
"""What maps latents to logits, or what makes an encoder do so."""


class _Sizes(MezzModel):
    """What every student has."""

    dim: int = Field(ge=1, description="Length of a latent")
    classes: int = Field(ge=1, description="Number of classes")
    hidden: int = Field(ge=0, description="Width of the hidden layer; 0 for none")


class HeadShape(_Sizes):
    """What it takes to build a head before its tensors are loaded."""

    kind: Literal["head"] = Field("head", description="A head on the latent")

    def build(self) -> Head:
        """A head of this shape."""
        return Head(self.dim, self.classes, self.hidden)


class ProjectionShape(_Sizes):
    """What it takes to build a projected head."""

    kind: Literal["projection"] = Field("projection", description="A head on a projection")
    rank: int = Field(ge=1, description="Number of directions")

    def build(self) -> Projected:
        """A student of this shape."""
        return Projected(self.dim, self.rank, self.classes, self.hidden)


class LatentShape(_Sizes):
    """What it takes to build a student of latents."""

    kind: Literal["latent"] = Field("latent", description="The base head on a changed latent")
    base_hidden: int = Field(ge=0, description="Width of the base head's hidden layer")

    def build(self) -> LatentStudent:
        """A student of this shape."""
        return LatentStudent(Head(self.dim, self.classes, self.base_hidden), self.hidden)


class AdapterShape(_Sizes):
    """What it takes to adapt an encoder."""

    kind: Literal["adapter"] = Field("adapter", description="An adapted encoder with a head")
    layers: int = Field(ge=1, description="Last blocks of the encoder that are adapted")
    rank: int = Field(ge=1, description="Rank of the LoRA matrices")
    alpha: float = Field(gt=0, description="Their scale, before division by the rank")


Shape = Annotated[
    HeadShape | ProjectionShape | LatentShape | AdapterShape, Field(discriminator="kind")
]
"""What it takes to build a student of whichever kind."""


class StudentCard(MezzModel):
    """What ``student.json`` says: enough to build the students and to know what they take.

    The tensors of a model in one repetition are named ``MODEL/REPETITION/TENSOR``.
    """

    format: Literal[1] = Field(1, description="Version of this layout")
    repetitions: tuple[int, ...] = Field(min_length=1, description="Every one is stored")
    primary: str = Field(description="The model that the verdict is about")
    models: dict[str, tuple[Shape, ...]] = Field(
        description="Each model's shape in each repetition; `base` is the head that was distilled"
    )
    belief: Literal["head", "choices"] = Field(description="Kind of the base model")
    average: Literal["probabilities", "logits", "latents"] = Field(
        description="What the teacher averages over the orbit"
    )
    label_names: tuple[str, ...] = Field(description="What each class means")
    choices: tuple[str, ...] = Field(
        (), description="Answers that stand for the labels, where the base model chooses"
    )
    encoder: dict[str, Any] = Field(description="Settings and fingerprint of the encoder")
    symmetry: dict[str, Any] = Field(description="Settings and fingerprint of the symmetry")
    world: dict[str, Any] = Field(description="Settings and fingerprint of the world")

    @model_validator(mode="after")
    def _whole(self) -> StudentCard:
        if self.primary not in self.models:
            raise ValueError(f"the primary model {self.primary!r} is not among the models")
        for name, shapes in self.models.items():
            if len(shapes) != len(self.repetitions):
                raise ValueError(
                    f"{name} has {len(shapes)} shapes for {len(self.repetitions)} repetitions"
                )
        return self


def save_students(
    folder: Path,
    students: Mapping[str, Sequence[Student]],
    *,
    repetitions: Sequence[int],
    primary: str,
    belief: Literal["head", "choices"],
    average: Literal["probabilities", "logits", "latents"],
    label_names: Sequence[str],
    choices: Sequence[str] = (),
    encoder: Mapping[str, Any],
    symmetry: Mapping[str, Any],
    world: Mapping[str, Any],
) -> tuple[str, str]:
    """Write the students of all repetitions, and the base heads where there are any.

    Args:
        folder: An existing directory.
        students: Name → one model for each repetition; ``base`` for the base heads.
        repetitions: Which repetitions, in the order of the models.
        primary: Name of the model that the verdict is about.
        belief: Kind of the base model.
        average: What the teacher averages.
        label_names: What each class means.
        choices: Answers that stand for the labels, where the base model chooses among answers.
        encoder: Settings and fingerprint of the encoder, as JSON values.
        symmetry: Those of the symmetry.
        world: Those of the world.

    Returns:
        The names of the two files.

    Raises:
        OutputDirectoryError: If one of them cannot be written.
    """
    card = StudentCard(
        repetitions=tuple(repetitions),
        primary=primary,
        models={name: tuple(map(_shape, models)) for name, models in students.items()},
        belief=belief,
        average=average,
        label_names=tuple(label_names),
        choices=tuple(choices),
        encoder=dict(encoder),
        symmetry=dict(symmetry),
        world=dict(world),
    )
    tensors = {
        f"{_prefix(name, repetition)}{tensor}": value
        for name, models in students.items()
        for repetition, model in zip(repetitions, models, strict=True)
        for tensor, value in _tensors(model).items()
    }
    write_tensors(folder / WEIGHTS, tensors)
    write_card(folder / CARD, card)
    return WEIGHTS, CARD


def load_card(folder: str | Path) -> StudentCard:
    """The card of the students in a run directory.

    Raises:
        DataError: If there is none, or it is not one.
    """
    return read_card(Path(folder) / CARD, StudentCard)


def load_student(
    folder: str | Path,
    name: str | None = None,
    repetition: int | None = None,
    device: str | torch.device = "cpu",
) -> Student:
    """Load one model that a run left in its directory; tensors of others are not read.

    For example::

        student = load_student("out_text", "projection", repetition=0)
        logits = logits_of(student, latents)

    Args:
        folder: The run directory.
        name: Which model; by default the one that the verdict is about.
        repetition: Which repetition; by default the first.
        device: Where to load it to. The state of an adapter stays on the CPU.

    Returns:
        The model, without gradients. It says bit for bit what it said in the run, on the same kind
        of device and with the same number of threads.

    Raises:
        UnknownNameError: If there is no such model or repetition; the message says which there are.
            So it is with ``base`` where the encoder's own choice was distilled: it has no weights.
        DataError: If the files are missing, damaged, or do not fit each other.
    """
    card = load_card(folder)
    name = card.primary if name is None else name
    repetition = card.repetitions[0] if repetition is None else repetition
    if name not in card.models:
        raise _unknown(name, card)
    if repetition not in card.repetitions:
        raise UnknownNameError(
            f"there is no repetition {repetition}; there are {list(card.repetitions)}",
            hint="Name one of them: they are the seeds of the run.",
        )
    shape = card.models[name][card.repetitions.index(repetition)]
    path, prefix = Path(folder) / WEIGHTS, _prefix(name, repetition)
    read = read_tensors(path, tensor_names(path, prefix))
    tensors = {key.removeprefix(prefix): value for key, value in read.items()}
    if isinstance(shape, AdapterShape):
        return AdapterState(**shape.model_dump(exclude={"kind"}), tensors=tensors)
    model = shape.build()
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise damaged(path, error) from error
    return model.requires_grad_(requires_grad=False).to(device).eval()


def _unknown(name: str, card: StudentCard) -> UnknownNameError:
    if card.belief == "choices" and name == BASE:
        return UnknownNameError(
            f"the model {name!r} of this run is the encoder's own choice and has no weights",
            hint=f"`mezz predict --model {BASE}` says what it answers.",
        )
    known = [*card.models, *([BASE] if card.belief == "choices" else [])]
    return UnknownNameError(
        f"there is no model {name!r}; there are {', '.join(known)}",
        hint=f"Name one of them; by default it is {card.primary}.",
    )


def _prefix(name: str, repetition: int) -> str:
    return f"{name}/{repetition}/"


def _tensors(student: Student) -> Mapping[str, Tensor]:
    if isinstance(student, AdapterState):
        return student.tensors
    state: Mapping[str, Tensor] = student.state_dict()
    return state


def _shape(student: Student) -> Shape:
    sizes = {"dim": student.dim, "classes": student.classes, "hidden": student.hidden}
    if isinstance(student, AdapterState):
        return AdapterShape(**sizes, layers=student.layers, rank=student.rank, alpha=student.alpha)
    if isinstance(student, Projected):
        return ProjectionShape(**sizes, rank=student.rank)
    if isinstance(student, LatentStudent):
        return LatentShape(**sizes, base_hidden=student.base.hidden)
    return HeadShape(**sizes)
