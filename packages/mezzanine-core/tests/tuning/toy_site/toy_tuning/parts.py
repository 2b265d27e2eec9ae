"""A hill: the effect is largest at the top, and the baseline grows along the way."""

import os
import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mezzanine_core.config import RecipeConfig, Slot, WorldConfig
from mezzanine_core.context import repetition_rng
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.recipes import Recipe, Tunable
from mezzanine_core.results import Estimate, Results
from mezzanine_core.worlds import World, WorldData


class LandConfig(WorldConfig):
    name: str = "land"
    tags: tuple[str, ...] = ()


class Land(World[LandConfig]):
    def source(self):
        return {"land": 1}

    def fingerprint(self):
        return fingerprint(self.config.fingerprint_payload())

    def load(self):
        return WorldData({})


class HillConfig(RecipeConfig):
    world: Annotated[WorldConfig, Slot("world", default="land")] = Field(description="The land")
    x: float = Field(5.0, ge=0, le=10, description="How far along the way")
    side: Literal["north", "south"] = "north"
    step: int = Field(1, ge=1, le=100)
    n: int = Field(1000, ge=1)
    width: float = Field(4.0, gt=0)
    noise: float = Field(0.0, ge=0)
    offset: float = 0.0
    cliff: float = Field(11.0, description="Where runs begin to fail")
    luck: float = Field(0.0, ge=0, description="What seed 0 adds to the effect, and no other")
    own: bool = False


class Hill(Recipe[HillConfig]):
    def tunable(self):
        if not self.config.own:
            return None
        return Tunable(
            space=("x=0:10:1", "side=north|south"),
            baseline="flat.score",
            low=0.05,
            high=0.6,
            effect="hill_minus_flat.score",
            pilot=("n=10", "seeds=0"),
        )

    def run(self, ctx):
        config = self.config
        if "HILL_DIARY" in os.environ:
            with Path(os.environ["HILL_DIARY"]).open("a") as diary:
                diary.write(f"{config.x} {config.n} {os.getpid()}\n")
            time.sleep(float(os.environ.get("HILL_SECONDS", "0")))
        if config.x > config.cliff:
            raise DataError(f"x={config.x:g} is beyond the cliff")
        height = max(0.0, 1 - abs(config.x - 4) / config.width)
        height = height if config.side == "north" else height / 2
        seeds = [
            height
            + config.offset
            + (config.luck if config.seed == 0 else 0.0)
            + config.noise * float(repetition_rng(config.seed, seed).normal())
            for seed in config.seeds
        ]
        effect = sum(seeds) / len(seeds)
        return Results(
            metrics={"flat": {"score": self._estimate(config.x / 10)}},
            deltas={"hill_minus_flat": {"score": self._estimate(effect, seeds)}},
            diagnostics={"height": {"exact": height}},
        )

    def _estimate(self, value, seeds=()):
        half = 1 / self.config.n
        return Estimate(value=value, low=value - half, high=value + half, per_seed=tuple(seeds))
