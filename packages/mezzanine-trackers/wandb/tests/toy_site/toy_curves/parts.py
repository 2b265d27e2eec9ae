"""A recipe without a world's worth of data: it logs two curves, writes three files, and ends."""

from typing import Annotated, Literal

import numpy as np
from PIL import Image

from mezzanine_core.config import RecipeConfig, Slot, WorldConfig
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.recipes import Recipe
from mezzanine_core.results import Estimate, Results, Verdict
from mezzanine_core.worlds import World, WorldData


class NothingConfig(WorldConfig):
    """A world without settings of its own."""


class Nothing(World[NothingConfig]):
    def source(self):
        return {"world": "nothing"}

    def fingerprint(self):
        return fingerprint(self.source())

    def load(self):
        return WorldData({})


class CurvesConfig(RecipeConfig):
    world: Annotated[WorldConfig, Slot("world", default="nothing")]
    then: Literal["end", "refuse"] = "end"


class Curves(Recipe[CurvesConfig]):
    def run(self, ctx):
        for model in ("first", "second"):
            for step in (0, 10, 20):
                ctx.tracker.log({f"train/{model}/loss": 1.0 / (1 + step)}, step)
        if self.config.then == "refuse":
            raise DataError("there is nothing to learn")
        ctx.tracker.log({"test/first/r@10": 0.5})
        Image.fromarray(np.full((4, 6, 3), 200, np.uint8)).save(ctx.artifact("montage.png"))
        ctx.artifact("model.bin").write_bytes(b"weights")
        ctx.artifact("plots/curve.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
        gain = {"r@10": Estimate(value=0.25, low=0.125, high=0.375)}
        return Results(
            metrics={"first": {"r@10": Estimate(value=0.5, low=0.25, high=0.75)}},
            deltas={"first_minus_second": gain},
            verdict=Verdict(label="MAKE", sentence="It learns.", warnings=("few items",)),
            artifacts=("montage.png", "model.bin", "plots/curve.svg"),
        )
