"""What the recipe works on: the two splits of a world, and the encoder of their observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Encoder
from mezzanine_core.errors import ConfigError
from mezzanine_core.worlds import Column, Transitions, World
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig


@dataclass(frozen=True, eq=False)
class Inputs:
    """A world's splits and an encoder that takes their observations.

    Attributes:
        world: The world.
        encoder: The encoder.
        train: Transitions to train on.
        test: Transitions to test on.
        report: What the world says of how the data came about.
    """

    world: World[Any]
    encoder: Encoder[Any]
    train: Transitions
    test: Transitions
    report: Mapping[str, Any]

    def columns(self) -> dict[str, Column]:
        """What is encoded, in this order."""
        return {
            "train/obs": self.train.obs,
            "train/next_obs": self.train.next_obs,
            "test/obs": self.test.obs,
            "test/next_obs": self.test.next_obs,
        }


def load_inputs(config: LatentDynamicsConfig, ctx: RunContext) -> Inputs:
    """Load the world's splits; materialises no observation.

    Raises:
        ConfigError: If the encoder does not take the world's observations.
        DataError: If the world cannot give the splits ``train`` and ``test`` of transitions.
    """
    world, encoder = ctx.world(config.world), ctx.encoder(config.encoder)
    data = world.load()
    inputs = Inputs(
        world, encoder, data.transitions("train"), data.transitions("test"), data.report
    )
    for label, column in inputs.columns().items():
        if column.kind not in encoder.accepts:
            raise ConfigError(
                f"the encoder {config.encoder.name!r} takes {_listed(encoder.accepts)} items, but "
                f"{label} of the world {config.world.name!r} holds {column.kind} items",
                hint="Name another encoder; `mezz list encoders` shows what is installed.",
            )
    return inputs


def _listed(kinds: frozenset[Any]) -> str:
    return " or ".join(sorted(kinds)) or "no"
