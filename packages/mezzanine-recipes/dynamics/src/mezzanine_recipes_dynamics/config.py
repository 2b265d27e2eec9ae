"""Settings of the latent dynamics recipe."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mezzanine_core.config import EncoderConfig, IntervalRecipeConfig, Slot, WorldConfig

_VISION_SETTINGS = {
    "embed_layer": "hf_vision",
    "embed_mode": "hf_vision",
    "model_name": "hf_vision",
}
"""Settings of a pretrained vision model stand for that encoder where none is named."""


class LatentDynamicsConfig(IntervalRecipeConfig):
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
    rank_gain: float = Field(
        5.0, gt=0, description="Gain in mean rank from which on a difference counts"
    )
    recall_gain: float = Field(
        0.05, gt=0, lt=1, description="Gain in R@10 from which on a difference counts"
    )
    montage_rows: int = Field(
        6, ge=0, le=24, description="Test transitions shown in the montage; 0: no montage"
    )
