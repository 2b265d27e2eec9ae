"""A world of points, an encoder of vectors, and a recipe that compares their norms."""

from __future__ import annotations

import json

import numpy as np

from mezzanine_core.encoders import Encoder
from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.fingerprint import fingerprint, item_keys
from mezzanine_core.recipes import LatentRequest, Recipe
from mezzanine_core.results import Estimate, Results, Verdict
from mezzanine_core.worlds import ArrayColumn, Labelled, World, WorldData

DIM = 3


class Nothing:
    """An implementation that nothing constructs."""


class Blobs(World):
    """Points around one centre for each game; the label is the game."""

    def source(self):
        return {"world": "toy blobs", "version": 1}

    def fingerprint(self):
        return fingerprint({**self.source(), **self.config.fingerprint_payload()})

    def load(self):
        if self.config.note == "print":
            print("a simulator that talks to stdout")  # noqa: T201 - what the test is about
        if self.config.note == "fail":
            raise DataError("the toy world has run out of points", hint="Ask for fewer.")
        if self.config.note == "bug":
            raise ZeroDivisionError("division by zero")
        return WorldData({"train": self._split("train"), "test": self._split("test")})

    def _split(self, split):
        n = self.config.n_train if split == "train" else self.config.n_test
        rngs = [np.random.default_rng([self.config.seed, len(split), row]) for row in range(n)]
        label = np.array([rng.integers(len(self.config.games)) for rng in rngs])
        points = np.array([rng.normal(size=DIM) for rng in rngs], np.float32)
        points += label[:, None].astype(np.float32)
        identity = [[self.config.seed, split, list(self.config.games), row] for row in range(n)]
        keys = item_keys(fingerprint(self.source()), identity)
        return Labelled(ArrayColumn(points, "vector", keys), label, self.config.games)


class Plain(Encoder):
    """The vector itself, or its first ``dim`` values."""

    accepts = frozenset({"vector"})

    @property
    def dim(self):
        return self.config.dim or DIM

    def fingerprint(self):
        return fingerprint({"encoder": "toy plain", "dim": self.dim})

    def encode(self, batch):
        return np.asarray(batch, np.float32)[:, : self.dim]


class Norms(Recipe):
    """Mean norm of the latents of each split, and their difference."""

    def run(self, ctx):
        norms = {}
        for label, column, encoder in self._requests(ctx):
            latents = ctx.latents(column, encoder, label)
            norms[label] = np.linalg.norm(latents, axis=1)
        gain = norms["train"].mean() - norms["test"].mean()
        (ctx.out / "norms.txt").write_text("\n".join(map(str, norms["test"])))
        return Results(
            metrics={label: {"norm": _estimate(each)} for label, each in norms.items()},
            deltas={"train - test": {"norm": Estimate(value=gain, low=gain - 1, high=gain + 1)}},
            verdict=Verdict(
                label="BREAK",
                sentence=f"Training points are longer by {gain:.3f}.",
                warnings=("the points are toys",),
            ),
            artifacts=("norms.txt",),
        )

    def latent_requests(self, ctx):
        return [LatentRequest(*request) for request in self._requests(ctx)]

    def _requests(self, ctx):
        data = ctx.world(self.config.world).load()
        encoder = ctx.encoder(self.config.encoder)
        return [(name, data.labelled(name).input, encoder) for name in ("train", "test")]


class Nearest(Norms):
    """The centres of the games, and which of them is nearest to new points.

    The repetition ``seed`` sees a point away from the others at all, so that repetitions differ.
    """

    def run(self, ctx):
        split = ctx.world(self.config.world).load().labelled("train")
        latents = ctx.latents(split.input, ctx.encoder(self.config.encoder))
        centres = {
            seed: [
                (latents[split.label == label].mean(axis=0) + seed).tolist()
                for label in range(len(split.label_names))
            ]
            for seed in self.config.seeds
        }
        ctx.artifact("centres.json").write_text(json.dumps(centres))
        return Results(metrics={}, artifacts=("centres.json",))

    def predict(self, ctx, folder, records, *, model=None, repetition=None):
        if model not in (None, "nearest", "first"):
            raise ConfigError(f"there is no model {model!r}", hint="There are nearest, first.")
        print("a recipe that talks to stdout")  # noqa: T201 - what the test is about
        seed = self.config.seeds[0] if repetition is None else repetition
        centres = np.array(json.loads((folder / "centres.json").read_text())[str(seed)])
        encoder = ctx.encoder(self.config.encoder)
        if self.config.predicts == "nothing":
            return
        for number, record in enumerate(records):
            if "text" not in record:
                raise DataError(f"item {number + 1} has no field 'text'; it has {sorted(record)}")
            point = np.array([record["text"].split()], np.float32)
            distance = np.linalg.norm(encoder.encode(point) - centres, axis=1)
            label = 0 if model == "first" else int(distance.argmin())
            found = {"label": self.config.world.games[label], "distance": distance}
            yield {"labels": found, "numbers": label, "objects": {"at": object()}}.get(
                self.config.predicts, found
            )
            if self.config.predicts == "too few":
                return


def _estimate(values):
    half = 1.96 * values.std() / len(values) ** 0.5
    return Estimate(value=values.mean(), low=values.mean() - half, high=values.mean() + half)
