"""Settings of the latent dynamics recipe."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mezzanine_core.config import EncoderConfig, RecipeConfig, Slot, WorldConfig

_VISION_SETTINGS = {
    "embed_layer": "hf_vision",
    "embed_mode": "hf_vision",
    "model_name": "hf_vision",
}
"""Settings of a pretrained vision model stand for that encoder where none is named."""

_TAIL = 2
"""Fewest resamples that must lie beyond each end of an interval, for it to be no mere extreme."""


class LatentDynamicsConfig(RecipeConfig):
    """Settings of the latent dynamics recipe and its presets."""

    world: Annotated[WorldConfig, Slot("world")] = Field(
        description="Where the transitions come from"
    )
    encoder: Annotated[
        EncoderConfig, Slot("encoder", default="pixels", implied=_VISION_SETTINGS)
    ] = Field(description="What makes latents of the observations")
    train_steps: int = Field(
        800, ge=1, le=10_000_000, description="Optimiser steps of each predictor"
    )
    train_bs: int = Field(256, ge=1, le=1_000_000, description="Transitions in a training batch")
    train_lr: float = Field(1e-3, gt=0, description="Learning rate of AdamW")
    weight_decay: float = Field(1e-4, ge=0, description="Weight decay of AdamW")
    hidden: int = Field(256, ge=1, le=16_384, description="Width of the predictors' hidden layers")
    depth: int = Field(2, ge=0, le=64, description="Number of hidden layers; 0: linear predictors")
    holdout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the training samples kept from training, in whole episodes, for the "
        "training curves",
    )
    actions: Literal["real", "noise"] = Field(
        "real",
        description="noise: random numbers in place of the actions, in training and in test alike; "
        "a negative control that must not give MAKE",
    )
    shuffles: int = Field(5, ge=1, le=1000, description="Action shuffles that are averaged")
    bootstrap: int = Field(2000, ge=100, le=1_000_000, description="Resamples behind each interval")
    level: float = Field(0.95, gt=0, lt=1, description="Confidence level of the intervals")
    rank_gain: float = Field(
        5.0, gt=0, description="Gain in mean rank from which on a difference counts"
    )
    recall_gain: float = Field(
        0.05, gt=0, lt=1, description="Gain in R@10 from which on a difference counts"
    )
    montage_rows: int = Field(
        6, ge=0, le=24, description="Test transitions shown in the montage; 0: no montage"
    )

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(
                "each seed may be given once: repeated ones would narrow the intervals"
            )
        return seeds

    @model_validator(mode="after")
    def _resolvable(self) -> LatentDynamicsConfig:
        # In decimals as they were written: in binary, 1 - 0.96 is not quite 0.04.
        needed = math.ceil(2 * _TAIL / (1 - Decimal(repr(self.level))))
        if self.bootstrap < needed:
            raise ValueError(
                f"bootstrap={self.bootstrap} resamples cannot resolve an interval of "
                f"level={self.level!r}: at least {needed} are needed, so that {_TAIL} lie beyond "
                "each end; raise bootstrap or lower level"
            )
        return self
