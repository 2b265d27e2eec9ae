"""Settings of the built-in symmetries and encoder; importable without numpy."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mezzanine_core.config import EncoderConfig, SymmetryConfig

OrderUnit = Literal["sentences", "lines", "items"]


class OrderConfig(SymmetryConfig):
    """Settings of the symmetry ``order``."""

    unit: OrderUnit = Field(
        "sentences",
        description="What changes places: sentences or lines of a text, items of a list",
    )
    keep_first: int = Field(0, ge=0, description="How many units at the start stay in place")
    keep_last: int = Field(0, ge=0, description="How many units at the end stay in place")


class ViewConfig(SymmetryConfig):
    """Settings of the symmetry ``view``."""

    min_scale: float = Field(
        0.8, gt=0, le=1, description="Smallest crop, as a fraction of the image's side; 1: no crops"
    )
    flip: bool = Field(True, description="Whether images are flipped left to right as well")
    mirror: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (),
        description="Columns of the action that a flip mirrors: horizontal positions, velocities",
    )
    mirror_about: float = Field(
        0.0, description="What they are mirrored about: x → 2a - x; 0 gives -x, 0.5 gives 1 - x"
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.min_scale == 1 and not self.flip:
            raise ValueError("neither crops (min_scale below 1) nor flips: every view is the same")
        return self


class FactorizationConfig(SymmetryConfig):
    """Settings of the symmetry ``factorization``."""

    template: str = Field(
        "{key}: {value}", description="How one piece of evidence is written, with {key} and {value}"
    )
    separator: str = Field("\n", min_length=1, description="What stands between two pieces")
    keep_first: int = Field(0, ge=0, description="How many pieces at the start stay in place")

    @model_validator(mode="after")
    def _tells_keys_from_values(self) -> Self:
        if self.template.count("{key}") != 1 or self.template.count("{value}") != 1:
            raise ValueError(
                f"template {self.template!r} must hold {{key}} and {{value}} once each"
            )
        if "{key}{value}" in self.template or "{value}{key}" in self.template:
            raise ValueError(
                f"template {self.template!r} has nothing between {{key}} and {{value}}"
            )
        if self.separator in self.template:
            raise ValueError(
                f"template {self.template!r} holds the separator {self.separator!r}, "
                "so pieces could not be told apart"
            )
        return self


class ActionShuffleConfig(SymmetryConfig):
    """Settings of the symmetry ``action_shuffle``: none but its name."""


class VectorConfig(EncoderConfig):
    """Settings of the encoder ``vector``; all of them change its latents."""

    dim: int = Field(
        64, ge=2, le=65_536, description="Length of a latent: more than the vectors have values"
    )
    offset: tuple[float, ...] = Field(
        (),
        description="Subtracted from vectors: one value for all, or one for each; none by default",
    )
    scale: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (),
        description="What they are divided by then, such as standard deviations: one value for "
        "all, or one for each; none by default",
    )
