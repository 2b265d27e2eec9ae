"""A world, an encoder, a recipe that can end in every way, trackers and executors."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from mezzanine_core.config import (
    UNFINGERPRINTED,
    ComponentConfig,
    EncoderConfig,
    RecipeConfig,
    Slot,
    WorldConfig,
)
from mezzanine_core.encoders import Encoder
from mezzanine_core.errors import DataError
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import fingerprint, item_keys
from mezzanine_core.recipes import LatentRequest, Recipe
from mezzanine_core.results import Estimate, Results
from mezzanine_core.trackers import Tracker
from mezzanine_core.worlds import Column, Labelled, World, WorldData

HEARD = []
FETCHED = []
MADE = []
DEVICES = []


class PointsConfig(WorldConfig):
    n_train: int = Field(40, ge=1)
    n_test: int = Field(20, ge=1)


class PointColumn(Column):
    kind = "vector"

    def __init__(self, source, numbers):
        self.numbers = numbers
        self.keys = item_keys(source, [int(number) for number in numbers])

    def fetch(self, rows, executor):
        for start in range(0, len(rows), 16):
            part = rows[start : start + 16]
            numbers = [int(number) for number in self.numbers[part]]
            FETCHED.extend(numbers)
            yield part, np.stack(list(executor.map(point, numbers)))


def point(number):
    return np.random.default_rng(number).normal(size=3).astype(np.float32)


class Points(World[PointsConfig]):
    def __init__(self, config):
        super().__init__(config)
        MADE.append("world")

    def source(self):
        return {"points": 1}

    def fingerprint(self):
        return fingerprint([self.source(), self.config.fingerprint_payload()])

    def load(self):
        rng = np.random.default_rng(self.config.seed)
        sizes = {"train": self.config.n_train, "test": self.config.n_test}
        return WorldData(
            {
                name: Labelled(
                    PointColumn(fingerprint(self.source()), rng.integers(0, 50, size)),
                    np.zeros(size, np.int64),
                    ("point",),
                )
                for name, size in sizes.items()
            }
        )


class ScaleConfig(EncoderConfig):
    factor: float = 2.0
    batch: Annotated[int, UNFINGERPRINTED] = 8


class Scale(Encoder[ScaleConfig]):
    accepts = frozenset({"vector"})
    dim = 3

    def __init__(self, config):
        super().__init__(config)
        MADE.append("encoder")

    def fingerprint(self):
        return fingerprint(["scale", self.config.fingerprint_payload()])

    def encode(self, batch):
        return (batch * np.float32(self.config.factor)).astype(np.float32)

    def to(self, device):
        DEVICES.append(device)
        return self


class NormsConfig(RecipeConfig):
    world: Annotated[WorldConfig, Slot("world")]
    encoder: Annotated[EncoderConfig, Slot("encoder")]
    then: Literal["end", "refuse", "break", "leave", "nap", "fill"] = "end"
    where: Literal["start", "encode", "stage", "end"] = "end"


class Norms(Recipe[NormsConfig]):
    def latent_requests(self, ctx):
        data = ctx.world(self.config.world).load()
        encoder = ctx.encoder(self.config.encoder)
        return [
            LatentRequest(name, data.labelled(name).input, encoder) for name in ("train", "test")
        ]

    def run(self, ctx):
        self.pause("start", ctx)
        if ctx.device == "auto":
            ctx.device = "abacus"
        norms = {}
        with ctx.stage("encode"):
            for request in self.latent_requests(ctx):
                latents = ctx.latents(request.column, request.encoder, request.label)
                norms[request.label] = float(np.linalg.norm(latents, axis=1).mean())
                self.pause("encode", ctx)
        with ctx.stage("write"):
            ctx.artifact("figures/norms.txt").write_text(str(norms))
            self.pause("stage", ctx)
            (ctx.out / "loose.txt").write_text("not announced")
        ctx.tracker.log({"norm": norms["test"]}, step=1)
        self.pause("end", ctx)
        return Results(
            metrics={
                name: {"norm": Estimate(value=norm, low=norm - 1, high=norm + 1)}
                for name, norm in norms.items()
            },
            diagnostics={"norms": np.array(list(norms.values()))},
            artifacts=("figures/norms.txt", "promised.txt"),
        )

    def pause(self, where, ctx):
        if self.config.where != where:
            return
        if self.config.then == "refuse":
            raise DataError("the points are wrong", hint="take others")
        if self.config.then == "break":
            raise KeyError("points")
        if self.config.then == "leave":
            sys.exit("goodbye")
        if self.config.then == "fill":
            Path("/dev/full").write_text("figure")
        if self.config.then == "nap":
            list(ctx.executor.map(nap, range(4)))


def nap(number):
    with Path(os.environ["NAPS"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(600)


class NonsenseConfig(NormsConfig):
    pass


class Nonsense(Recipe[NonsenseConfig]):
    def run(self, ctx):
        return {"metrics": {}}


class SilentConfig(NormsConfig):
    pass


class Silent(Recipe[SilentConfig]):
    def run(self, ctx):
        return Results(metrics={})


class DiaryConfig(ComponentConfig):
    pass


class Diary(Tracker):
    """A tracker that keeps a file in the run directory."""

    def __init__(self, config):
        pass

    def start(self, recipe, out, config):
        (out / "diary").mkdir()
        self.file = out / "diary" / "events"
        self.write("start", recipe, config["world"]["n_train"])

    def log(self, values, step=None):
        self.write("log", *values, step)

    def artifact(self, path):
        self.write("artifact", path.name, path.exists())

    def finish(self, results):
        self.write("finish", results is not None and sorted(results["metrics"]))

    def write(self, *words):
        if os.environ.get("DIARY_IS_SLOW_TO") == words[0]:
            time.sleep(1.5)
        with self.file.open("a") as file:
            print(*words, file=file)


class BrokenConfig(ComponentConfig):
    pass


class Broken(Diary):
    def start(self, recipe, out, config):
        raise ConnectionError("no network")


class DemandingConfig(ComponentConfig):
    project: str
    tags: tuple[str, ...] = ()


class Demanding(Diary):
    def __init__(self, config):
        self.config = config

    def start(self, recipe, out, config):
        (out / "project.txt").write_text(f"{self.config.project} {self.config.tags}")

    def write(self, *words):
        pass


class InlineConfig(ComponentConfig):
    workers: int | None = None


class Inline(Executor):
    """Runs tasks in the calling thread, and tells that it was there."""

    def __init__(self, config):
        self.workers = config.workers or 1
        HEARD.append(("executor", config.model_dump()))

    def map(self, function, tasks):
        return map(function, tasks)

    def close(self):
        pass


class QueueConfig(InlineConfig):
    address: str
    tags: tuple[str, ...] = ()


class Queue(Inline):
    pass
