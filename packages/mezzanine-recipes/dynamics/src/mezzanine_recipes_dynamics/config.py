"""Settings of the latent dynamics recipe."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
    do_planning: bool = Field(
        False,
        description="Ask which of several actions leads from one latent to the next "
        "(goal-conditioned action retrieval)",
    )
    plan_candidates: int = Field(
        32, ge=2, le=100_000, description="Retrieval: actions to choose from, the true one included"
    )
    plan_eval: int = Field(
        512, ge=2, le=1_000_000, description="Retrieval: test transitions at most, drawn at random"
    )
    plan_negatives: Literal["any", "episode"] = Field(
        "any",
        description="Retrieval: wrong actions from anywhere in the test split, or from the same "
        "episode (harder)",
    )
    do_cem: bool = Field(
        False, description="Plan the actions from one latent to a later one with the action model"
    )
    cem_eval: int = Field(
        128, ge=2, le=1_000_000, description="Planning: test goals at most, drawn at random"
    )
    planner: Literal["cem", "mppi", "gradient"] = Field(
        "cem",
        description="Planning: cross-entropy method, path integral control, or gradient descent",
    )
    plan_horizon: int = Field(
        1,
        ge=1,
        le=1000,
        description="Planning: transitions between a latent and its goal; above 1 they must follow "
        "each other in the test split",
    )
    cem_samples: int = Field(
        256,
        ge=1,
        le=1_000_000,
        description="Planning by cem or mppi: candidates of a goal in an iteration",
    )
    cem_elite: int = Field(
        16, ge=1, le=1_000_000, description="Planning: best candidates to which CEM fits"
    )
    cem_iters: int = Field(4, ge=1, le=100_000, description="Planning by cem or mppi: iterations")
    gradient_starts: int = Field(
        8, ge=1, le=1_000_000, description="Planning by gradient: starts of a goal"
    )
    gradient_steps: int = Field(
        60, ge=1, le=100_000, description="Planning by gradient: steps of each start"
    )
    cem_sigma: float = Field(
        1.0,
        gt=0,
        description="Planning: spread of the first candidates, in standard deviations of the "
        "training actions",
    )
    plan_bounds: Literal["l1", "box", "none"] = Field(
        "l1",
        description="Planning: actions within an L1 ball, within the box of the training actions, "
        "or anywhere",
    )
    cem_l1_bound: float | None = Field(
        None, ge=0, description="Planning: radius of the L1 ball; by default cem_l1_quantile says"
    )
    cem_l1_quantile: float = Field(
        0.95,
        ge=0,
        le=1,
        description="Planning: share of the training actions whose L1 norm is within the ball",
    )
    plan_dtype: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="Planning: what the model computes in while searching; plans are decided in "
        "float32",
    )
    do_mpc: bool = Field(
        False,
        description="Play plans of the models in the world's simulator, and count what they solve "
        "(model-predictive control)",
    )
    mpc_tasks: int = Field(20, ge=2, le=10_000, description="Playing: tasks")
    mpc_steps: int = Field(
        3, ge=1, le=1000, description="Playing: acts that a task takes at most, each of one Δ"
    )
    mpc_candidates: int = Field(
        256,
        ge=2,
        le=1_000_000,
        description="Playing: action sequences that are compared before each act; where actions "
        "are continuous, in each of cem_iters iterations",
    )

    @model_validator(mode="after")
    def _enough_samples(self) -> Self:
        if self.planner == "cem" and self.cem_samples < self.cem_elite:
            raise ValueError(
                f"cem_samples={self.cem_samples} samples are fewer than the "
                f"cem_elite={self.cem_elite} elites among them; raise cem_samples or lower "
                "cem_elite"
            )
        return self
