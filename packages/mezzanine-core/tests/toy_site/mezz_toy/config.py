"""Configuration models with a field of every shape."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mezzanine_core.config import (
    UNFINGERPRINTED,
    Alias,
    EncoderConfig,
    MezzModel,
    RecipeConfig,
    Slot,
    SymmetryConfig,
    WorldConfig,
)

Game = Literal["hole", "seesaw", "tower"]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class BlobsConfig(WorldConfig):
    """Points of some games, drawn around one centre each."""

    games: tuple[Game, ...] = Field(("hole",), min_length=1, description="Which games.")
    n_train: int = Field(40, ge=1, le=100_000, description="Training samples")
    n_test: int = Field(20, ge=1, description="Test samples")
    delta_seconds: float = Field(4.0, gt=0, le=15, description="Time between observations [s]")
    overlap: Literal["drop", "keep", "fail"] = "drop"
    level: Literal[1, 2, 3] = 1
    colour: Colour = Colour.RED
    root: Path | None = None
    noise: float | None = Field(None, ge=0)
    note: Annotated[str, Alias("remark")] = ""
    tags: tuple[str, ...] = ()
    window: tuple[float, float] = (0.0, 1.0)

    @model_validator(mode="after")
    def _window_is_ordered(self) -> BlobsConfig:
        if self.window[0] > self.window[1]:
            raise ValueError(f"window {self.window} ends before it begins")
        return self


class RobotConfig(WorldConfig):
    """Another world, which shares one setting with the first."""

    repo_id: str = "lab/robot"
    n_train: int = Field(10, ge=1)


class PlainConfig(EncoderConfig):
    """An encoder that has nothing to load."""

    dim: int | None = Field(None, ge=1)
    batch: Annotated[int, UNFINGERPRINTED] = Field(32, ge=1)


class DeepConfig(EncoderConfig):
    """An encoder that is chosen by its own settings."""

    embed_layer: Annotated[int, Alias("lm_layer")] = -1
    batch: int = 8


class FlipConfig(SymmetryConfig):
    """A symmetry."""

    axis: int = 0


class OptimConfig(MezzModel):
    """Settings nested in a recipe."""

    lr: float = Field(1e-3, gt=0, description="Learning rate")
    betas: tuple[float, float] = (0.9, 0.999)


class NormsConfig(RecipeConfig):
    """Mean norm of latents.

    Longer words about it.
    """

    world: Annotated[WorldConfig, Slot("world")]
    encoder: Annotated[
        EncoderConfig,
        Slot(
            "encoder",
            default="plain",
            implied={
                "embed_layer": "deep",
                "lm_layer": "deep",
                "batch": "deep",
                "model_name": "hf_vision",
            },
        ),
    ]
    steps: int = Field(800, ge=1, description="Training steps")
    resume: Annotated[bool, Alias("go_on")] = False
    limit: int | Literal["all"] = "all"
    optim: OptimConfig = OptimConfig(lr=0.5)
    extra: dict[str, float] = Field(default_factory=dict)


class NearestConfig(NormsConfig):
    """Classifies points by the nearest centre."""

    predicts: Literal["labels", "too few", "numbers", "objects", "nothing"] = "labels"


class ClashConfig(RecipeConfig):
    """Has settings that every run has for itself."""

    out: str = ""
    dry_run: bool = False


class NotARecipeConfig(MezzModel):
    """Lacks what every recipe has."""


class LooseConfig(RecipeConfig):
    """Is fine itself; its preset is not."""

    steps: int = Field(1, ge=1)
