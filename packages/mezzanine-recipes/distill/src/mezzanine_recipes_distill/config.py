"""Settings of the distillation recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from mezzanine_core.config import (
    UNFINGERPRINTED,
    EncoderConfig,
    IntervalRecipeConfig,
    Slot,
    SymmetryConfig,
    WorldConfig,
)

StudentName = Literal["head", "projection", "latent", "adapter"]
"""The kinds of student."""

STUDENTS: tuple[StudentName, ...] = get_args(StudentName)


class SymmetryDistillConfig(IntervalRecipeConfig):
    """Settings of the distillation recipe and its presets.

    Descriptions begin with what a setting applies to: "Heads" are the base head and the students
    `head`, `projection` and `latent`, which are fitted on latents; "Adapter" is the student
    `adapter`. Others apply to all.
    """

    world: Annotated[WorldConfig, Slot("world")] = Field(
        description="Where the labelled items come from"
    )
    symmetry: Annotated[SymmetryConfig, Slot("symmetry", default="order")] = Field(
        description="What may change without changing the answer"
    )
    encoder: Annotated[EncoderConfig, Slot("encoder", default="hf_language")] = Field(
        description="What makes latents of the views"
    )
    k_train: int = Field(
        8, ge=2, le=100_000, description="Views of a training item at most, the identity included"
    )
    k_test: int = Field(
        16, ge=3, le=100_000, description="Views of a test item at most, the identity included"
    )
    validation: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="Share of the training items that fitting never sees: they stop it early and "
        "choose the rank of the projection",
    )
    belief: Literal["head", "choices"] = Field(
        "head",
        description="The base model: a head fitted on the latents of canonical views, or the "
        "encoder's own choice among answers (a language model that scores them)",
    )
    choices: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (),
        description="With belief=choices: the answer that stands for each label, as it follows the "
        "prompt; by default each label's name after a space",
    )
    average: Literal["probabilities", "logits", "latents"] = Field(
        "probabilities", description="What the teacher averages over the orbit"
    )
    students: tuple[StudentName, ...] = Field(
        ("projection", "head"),
        min_length=1,
        description="Students to train; the verdict is about the first",
    )
    student_views: Literal["canonical", "all"] = Field(
        "all",
        description="Students head, projection and latent: views that they are trained on; the "
        "adapter takes a random pair of all",
    )
    consistency: float = Field(
        0.0,
        ge=0,
        description="Students head and projection: weight of the penalty on differences between "
        "two views of an item; the adapter's is adapter_consistency",
    )
    label_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Students head, projection and adapter: share of the true label in the loss",
    )
    latent_loss: Literal["cosine", "mse"] = Field(
        "cosine", description="Student latent: how it is drawn to the orbit's mean latent"
    )
    hidden: int = Field(
        0, ge=0, le=16_384, description="Heads: width of the hidden layer; 0: linear heads"
    )
    head_lr: float = Field(5e-3, gt=0, description="Heads: learning rate")
    head_decay: float = Field(1e-2, ge=0, description="Heads: weight decay")
    head_batch: int = Field(256, ge=1, le=1_000_000, description="Heads: items in a batch")
    head_epochs: int = Field(200, ge=1, le=1_000_000, description="Heads: epochs at most")
    patience: int = Field(
        20,
        ge=1,
        description="Heads: epochs without a better validation loss after which fitting ends; the "
        "adapter's is adapter_patience",
    )
    ranks: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (2, 4, 8, 16, 32, 64, 128),
        min_length=1,
        description="Student projection: ranks to choose from on the validation items",
    )
    adapter_rank: int = Field(16, ge=1, le=4096, description="Adapter: rank of the LoRA matrices")
    adapter_alpha: float = Field(
        32.0, gt=0, description="Adapter: scale of LoRA, before division by rank"
    )
    adapter_layers: int = Field(
        3, ge=1, le=1000, description="Adapter: last blocks of the encoder that are adapted"
    )
    adapter_epochs: int = Field(2, ge=1, le=10_000, description="Adapter: epochs at most")
    adapter_patience: int = Field(
        2,
        ge=1,
        description="Adapter: epochs without a better validation loss after which training ends",
    )
    adapter_lr: float = Field(3e-3, gt=0, description="Adapter: peak learning rate")
    adapter_decay: float = Field(0.01, ge=0, description="Adapter: weight decay")
    adapter_batch: int = Field(
        16,
        ge=1,
        le=100_000,
        description="Adapter: items, a pair of views each, in an optimiser step",
    )
    adapter_accumulate: int = Field(
        1,
        ge=1,
        description="Adapter: parts in which a step's gradients are computed, to save memory",
    )
    adapter_checkpointing: bool = Field(
        False,
        description="Adapter: compute activations twice instead of keeping them, to save memory",
    )
    adapter_consistency: float = Field(
        5.0, ge=0, description="Adapter: weight of the penalty between two views of an item"
    )
    resume: Annotated[Path | None, UNFINGERPRINTED] = Field(
        None,
        description="Adapter: directory of an interrupted run whose training is taken up",
    )
    edits: str | None = Field(
        None,
        min_length=1,
        description="Positive control: edits that change the answer, by name or a .jsonl file",
    )
    min_reduction: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="Relative reduction of the gap against the control from which on it counts",
    )
    max_accuracy_drop: float = Field(
        0.05, ge=0, lt=1, description="Drop in accuracy against the base that is put up with"
    )

    @field_validator("students", "ranks", "choices")
    @classmethod
    def _distinct(cls, values: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(values)) < len(values):
            raise ValueError("each may be named once")
        return values

    @model_validator(mode="after")
    def _needs_a_base_head(self) -> SymmetryDistillConfig:
        if self.belief == "choices":
            if self.average == "latents":
                raise ValueError(
                    "average=latents needs a head that reads the mean latent; use belief=head, or "
                    "average=probabilities or logits"
                )
            if "latent" in self.students:
                raise ValueError(
                    "the student `latent` reads its latent with the base head; use belief=head, or "
                    "leave it out of students"
                )
        elif self.choices:
            raise ValueError("choices are answers of a language model; set belief=choices as well")
        return self
