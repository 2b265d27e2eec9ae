"""What a recipe is given to run with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mezzanine_core.cache import LatentCache
from mezzanine_core.config import EncoderConfig, SymmetryConfig, WorldConfig
from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.executors import Executor
from mezzanine_core.latents import encode_column
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.progress import Progress
from mezzanine_core.results import CacheCounts
from mezzanine_core.runs.directory import RunDirectory
from mezzanine_core.runs.instances import Instances
from mezzanine_core.symmetries import Symmetry
from mezzanine_core.trackers import Tracker
from mezzanine_core.worlds import Column, World


@dataclass
class RunContext:
    """Everything a recipe may use besides its own settings.

    Attributes:
        out: The run directory; artifacts are written into it.
        cache: The latent cache.
        executor: Where independent tasks run.
        tracker: Where scalars and files are logged besides disk.
        registry: The installed plugins.
        progress: How long work is shown to the user.
        device: Torch device for encoders and training, such as ``cpu`` or ``cuda:0``; or ``auto``,
            the best there is. A recipe that uses torch says at its start which that is, by setting
            this: encoders follow it, and ``results.json`` records it.
        timings: Seconds of wall time that each stage took so far.
        counts: How the latents so far came about.
        views: Encoder fingerprint → label of a column → its numbers of items and distinct items.
        encoders: Encoder fingerprint → what the encoder says of how it encoded.
        directory: Keeps the list of the run's files; ``None`` where nobody keeps it.
        instances: Constructs the components; its own by default.
        deterministic: Whether the result must be the same bit for bit on the same machine. Only the
            recipe knows what computes; one that uses torch asks it for deterministic algorithms on
            one thread. Encoders compute under what the recipe has set.
    """

    out: Path
    cache: LatentCache
    executor: Executor
    tracker: Tracker
    registry: Registry
    progress: Progress
    device: str = "cpu"
    timings: dict[str, float] = field(default_factory=dict)
    counts: CacheCounts = field(default_factory=CacheCounts)
    views: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    encoders: dict[str, dict[str, Any]] = field(default_factory=dict)
    directory: RunDirectory | None = None
    instances: Instances | None = None
    deterministic: bool = False

    def __post_init__(self) -> None:
        self._instances = self.instances or Instances(self.registry)

    def world(self, config: WorldConfig) -> World[Any]:
        """The world that ``config`` describes; the same object for the same settings."""
        world: World[Any] = self._instances.get("world", config)
        world.progress = self.progress
        return world

    def encoder(self, config: EncoderConfig) -> Encoder[Any]:
        """The encoder that ``config`` describes, on the run's device."""
        encoder: Encoder[Any] = self._instances.get("encoder", config)
        return encoder.to(self.device)

    def symmetry(self, config: SymmetryConfig) -> Symmetry[Any, Any, Any]:
        """The symmetry that ``config`` describes."""
        return self._instances.get("symmetry", config)  # type: ignore[no-any-return]

    def artifact(self, name: str) -> Path:
        """Where to write a file of the run.

        A file that is announced so belongs to the run even if the run is killed before it ends.

        Args:
            name: Path relative to the run directory; its folders are made.
        """
        if self.directory is not None:
            return self.directory.announce(name)
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def latents(self, column: Column, encoder: Encoder[Any], label: str = "latents") -> Latents:
        """Latents of every item of a column, from the cache where they are there.

        Items whose keys the cache does not have are materialised and encoded once each, and
        committed to the cache as they come.

        Args:
            column: The items.
            encoder: What encodes them.
            label: What progress is shown as.

        Returns:
            float32 [len(column), D], in the column's order.

        Raises:
            LatentError: If the encoder gives NaN, infinities or a wrong shape.
            CacheError: If the cache cannot be read or written.
        """
        latents, counts = encode_column(
            column, encoder, self.cache, self.executor, self.progress, label=label
        )
        self.counts = CacheCounts(
            **{
                name: getattr(self.counts, name) + getattr(counts, name)
                for name in CacheCounts.model_fields
            }
        )
        name = encoder.fingerprint()
        self.encoders[name] = dict(encoder.report())
        view = self.views.setdefault(name, {})
        view[label] = {"items": counts.requested, "distinct": counts.unique}
        return latents

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of the run; its seconds land in ``results.json`` under ``name``."""
        self.progress.checkpoint()
        start = time.perf_counter()
        try:
            with self.progress.stage(name):
                yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + time.perf_counter() - start
        if self.directory is not None:
            self.directory.adopt()


def repetition_rng(seed: int, repetition: int) -> np.random.Generator:
    """The generator of one repetition of a recipe, seeded by the pair (seed, repetition).

    A repetition that needs several independent streams spawns them from this one.
    """
    return np.random.default_rng([seed, repetition])
