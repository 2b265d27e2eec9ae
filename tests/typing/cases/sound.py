"""A plugin as its author should write it: nothing in it may be an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mezzanine_core import Spec, hookimpl
from mezzanine_core.config import (
    EncoderConfig,
    RecipeConfig,
    SymmetryConfig,
    WorldConfig,
)
from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.recipes import Recipe
from mezzanine_core.results import Results
from mezzanine_core.symmetries import Symmetry
from mezzanine_core.trackers import Tracker
from mezzanine_core.worlds import ArrayColumn, Batch, Labelled, World, WorldData

T = TypeVar("T")
R = TypeVar("R")


@hookimpl
def mezz_worlds() -> list[Spec]:
    return [Spec(kind="world", name="dust", summary="Dust", config="a.b:C", factory="a.b:D")]


@hookimpl
def mezz_encoders() -> Iterable[Spec]:
    yield Spec(kind="encoder", name="mean", summary="Mean", config="a.b:C", factory="a.b:D")


@hookimpl
def mezz_run_started(recipe: str, out: Path) -> None:
    out.joinpath("recipe.txt").write_text(recipe)


@hookimpl(specname="mezz_run_finished")
def finished(error: BaseException | None) -> None:
    raise SystemExit(error is not None)


class DustConfig(WorldConfig):
    grains: int = 10


class Dust(World[DustConfig]):
    def source(self) -> Mapping[str, Any]:
        return {"world": "dust"}

    def fingerprint(self) -> str:
        return fingerprint({**self.source(), **self.config.fingerprint_payload()})

    def load(self) -> WorldData:
        grains = np.zeros((self.config.grains, 3), np.float32)
        column = ArrayColumn(grains, "vector")
        split = Labelled(column, np.zeros(len(column), np.int64), ("dust",))
        return WorldData({"train": split, "test": split})


class MeanConfig(EncoderConfig):
    scale: float = Field(default=1.0, gt=0)


class Mean(Encoder[MeanConfig]):
    accepts = frozenset({"vector"})

    @property
    def dim(self) -> int:
        return 1

    def fingerprint(self) -> str:
        return fingerprint({"encoder": "mean", "scale": self.config.scale})

    def encode(self, batch: Batch) -> Latents:
        mean = np.asarray(batch, np.float32).mean(axis=1, keepdims=True)
        return np.asarray(mean * self.config.scale, np.float32)


class Turn(Symmetry[SymmetryConfig, tuple[int, ...], int]):
    family = "turn"
    code_version = 1

    def identity(self, x: tuple[int, ...]) -> int:
        return 0

    def sample(self, x: tuple[int, ...], rng: np.random.Generator) -> int:
        return int(rng.integers(len(x)))

    def act(self, element: int, x: Any, part: str = "input") -> Any:
        return x[element:] + x[:element]

    def orbit(self, x: tuple[int, ...]) -> Iterator[int] | None:
        return iter(range(len(x)))

    def orbit_size(self, x: tuple[int, ...]) -> int | None:
        return len(x)


class CountingConfig(RecipeConfig):
    steps: int = 1


class Counting(Recipe[CountingConfig]):
    def run(self, ctx: RunContext) -> Results:
        ctx.artifact("count.txt").write_text(str(self.config.steps))
        return Results(metrics={}, artifacts=("count.txt",))


class Listing(Tracker):
    def __init__(self, config: Any) -> None:
        self.values: list[Mapping[str, float]] = []

    def start(self, recipe: str, out: Path, config: Mapping[str, Any]) -> None:
        self.values.clear()

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        self.values.append(values)

    def artifact(self, path: Path) -> None:
        path.exists()

    def finish(self, results: Mapping[str, Any] | None) -> None:
        self.values.clear()


class Serial(Executor):
    workers = 1

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        return map(function, tasks)

    def close(self) -> None:
        return None


def latents(batch: npt.NDArray[np.float32]) -> Latents:
    return Mean(MeanConfig(name="mean")).encode(batch)


PARTS = (Dust(DustConfig(name="dust")), Turn(SymmetryConfig(name="turn")), Listing(None), Serial())
