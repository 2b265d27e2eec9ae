"""Recipes, trackers and executors that break their contracts."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mezzanine_core.config import RecipeConfig
from mezzanine_core.context import RunContext
from mezzanine_core.executors import Executor
from mezzanine_core.recipes import Recipe
from mezzanine_core.results import Results
from mezzanine_core.trackers import Tracker

T = TypeVar("T")
R = TypeVar("R")


class Loose(Recipe[RecipeConfig]):
    def run(self, ctx: RunContext) -> dict[str, float]:  # error: [override] Return type
        return {"loss": 0.0}

    def latent_requests(self, ctx: RunContext) -> list[str]:  # error: [override] Return type
        return ["train"]


class Careless(Recipe[RecipeConfig]):
    def run(self, ctx: RunContext) -> Results:
        world = ctx.world(self.config.world)  # error: [attr-defined] has no attribute "world"
        ctx.latents(world, world)  # error: [arg-type] to "latents" of "RunContext"
        return Results(metrics=[])  # error: [arg-type] Argument "metrics" to "Results"


class Unfinished(Tracker):
    def start(self, recipe: str, out: Path, config: Mapping[str, Any]) -> None:
        pass

    def log(self, values: Mapping[str, float]) -> None:  # error: [override] Signature of "log"
        pass

    def artifact(self, path: str) -> None:  # error: [override] Argument 1 of "artifact"
        pass


Unfinished()  # error: [abstract] Cannot instantiate abstract class "Unfinished"


class Eager(Executor):
    workers = "two"  # error: [assignment] Incompatible types in assignment

    def map(  # error: [override] Return type "list[R]" of "map"
        self, function: Callable[[T], R], tasks: Iterable[T]
    ) -> list[R]:
        return [function(task) for task in tasks]
