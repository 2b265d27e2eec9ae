"""Trained predictors on disk: ``model.safetensors`` with a JSON card beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from mezzanine_core.config import MezzModel
from mezzanine_recipes_distill.storage import (
    damaged,
    read_card,
    read_tensors,
    write_card,
    write_tensors,
)
from mezzanine_recipes_dynamics.predictors import MODELS, Predictors

WEIGHTS = "model.safetensors"
CARD = "model.json"


class ModelCard(MezzModel):
    """What ``model.json`` says: enough to build the predictors and to know what they take."""

    format: Literal[1] = Field(1, description="Version of this layout")
    models: tuple[str, ...] = Field(
        MODELS, description="Models in the order in which the weights are stacked, seeds within"
    )
    seeds: tuple[int, ...] = Field(description="Repetitions; every one is stored")
    dim: int = Field(ge=1, description="Length of a latent")
    action_names: tuple[str, ...] = Field(description="What each action feature means")
    state_names: tuple[str, ...] = Field((), description="What each state feature means, if any")
    hidden: int = Field(ge=1, description="Width of the hidden layers")
    depth: int = Field(ge=0, description="Number of hidden layers")
    parameters: Annotated[int, Field(ge=0)] = Field(description="Weights of one predictor")
    encoder: dict[str, Any] = Field(description="Settings and fingerprint of the encoder")
    world: dict[str, Any] = Field(description="Settings and fingerprint of the world")


def save_predictors(
    folder: Path,
    predictors: Predictors,
    *,
    action_names: tuple[str, ...],
    encoder: Mapping[str, Any],
    world: Mapping[str, Any],
    state_names: tuple[str, ...] = (),
) -> tuple[str, str]:
    """Write the predictors of all seeds.

    Args:
        folder: An existing directory.
        predictors: What to write.
        action_names: What each action feature means.
        encoder: Settings and fingerprint of the encoder that made the latents, as JSON values.
        world: Settings and fingerprint of the world, as JSON values.
        state_names: What each state feature means, where the predictors take a state.

    Returns:
        The names of the two files.

    Raises:
        OutputDirectoryError: If one of them cannot be written.
    """
    members = len(MODELS) * len(predictors.seeds)
    card = ModelCard(
        seeds=predictors.seeds,
        dim=predictors.dim,
        action_names=action_names,
        state_names=state_names,
        hidden=predictors.hidden,
        depth=predictors.depth,
        parameters=sum(p.numel() for p in predictors.parameters()) // members,
        encoder=dict(encoder),
        world=dict(world),
    )
    write_tensors(folder / WEIGHTS, predictors.state_dict())
    write_card(folder / CARD, card)
    return WEIGHTS, CARD


def load_card(folder: str | Path) -> ModelCard:
    """The card of the predictors in a run directory.

    Raises:
        DataError: If there is none, or it is not one.
    """
    return read_card(Path(folder) / CARD, ModelCard)


def load_predictors(folder: str | Path, device: str = "cpu") -> Predictors:
    """Load the predictors that a run left in its directory.

    For example::

        predictors = load_predictors("out_iphyre")
        next_latents = predictors.predict("action", predictors.seeds[0], latents, actions)

    Args:
        folder: The run directory.
        device: Torch device to load to.

    Returns:
        The predictors of all seeds. They predict bit for bit what they predicted in the run, on
        the same kind of device and with the same number of threads.

    Raises:
        DataError: If the files are missing, damaged, or do not fit each other.
    """
    card = load_card(folder)
    predictors = Predictors(
        dim=card.dim,
        actions=len(card.action_names),
        hidden=card.hidden,
        depth=card.depth,
        seeds=card.seeds,
        states=len(card.state_names),
    )
    path = Path(folder) / WEIGHTS
    try:
        predictors.load_state_dict(read_tensors(path))
    except RuntimeError as error:
        raise damaged(path, error) from error
    return predictors.to(torch.device(device)).eval()
