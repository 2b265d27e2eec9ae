"""What a run would do, without doing it: ``mezz run --dry-run``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mezzanine_core.builtin.noop import NoopConfig, NoopTracker
from mezzanine_core.cache import LatentCache
from mezzanine_core.config.resolve import Resolved
from mezzanine_core.context import RunContext
from mezzanine_core.fingerprint import Keys
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.progress import SILENT, Progress
from mezzanine_core.recipes import LatentRequest, Recipe
from mezzanine_core.results import ComponentRecord
from mezzanine_core.runs.directory import check_out
from mezzanine_core.runs.identity import identify
from mezzanine_core.runs.instances import Instances, construct, world_data_expected
from mezzanine_core.runs.settings import RunSettings


@dataclass(frozen=True)
class LatentCounts:
    """How many latents are there, and how many a run would have to encode.

    Attributes:
        items: Latents asked for, duplicates included.
        unique: Distinct items among them.
        cached: Distinct items whose latents are cached.
    """

    items: int
    unique: int
    cached: int

    @property
    def to_encode(self) -> int:
        """Distinct items that would be materialised and encoded."""
        return self.unique - self.cached


@dataclass(frozen=True)
class PlannedLatents:
    """Latents that a run would ask for.

    Attributes:
        label: What they are, such as ``train/obs``.
        encoder: Fingerprint of what encodes them.
        counts: How many there are.
    """

    label: str
    encoder: str
    counts: LatentCounts


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes:
        fingerprint: The run's.
        components: Slot of the recipe → what fills it, with its fingerprint.
        latents: What the run would ask for, in its order; empty where the recipe does not say.
        total: All of it, where an item that occurs in several requests of one encoder counts once
            among the distinct ones.
    """

    fingerprint: str
    components: dict[str, ComponentRecord]
    latents: tuple[PlannedLatents, ...]
    total: LatentCounts


def plan(
    resolved: Resolved, settings: RunSettings, registry: Registry, progress: Progress = SILENT
) -> Plan:
    """Find out what a run would do.

    The world draws its samples, which may take a simulator a moment; nothing is rendered, encoded
    or written, and no directory is made.

    Args:
        resolved: The recipe and its settings.
        settings: Where and how it would run.
        registry: The installed plugins.
        progress: Where long work is shown.

    Raises:
        MezzError: If the run would be refused, or the data do not allow it.
    """
    check_out(settings.out)
    settings.check_cache_dir()
    instances = Instances(registry)
    identity = identify(resolved, instances)
    with settings.make_executor(registry) as executor:
        ctx = RunContext(
            out=settings.out or Path("runs", resolved.recipe.spec.name),
            cache=LatentCache(settings.cache_dir),
            executor=executor,
            tracker=NoopTracker(NoopConfig()),
            registry=registry,
            progress=progress,
            # Nothing is encoded, so that no encoder needs to be where it would encode.
            device="cpu",
            instances=instances,
        )
        recipe: Recipe[Any] = construct(resolved.recipe, resolved.config)
        with world_data_expected(resolved.components.values()):
            requests = recipe.latent_requests(ctx)
        return Plan(
            fingerprint=identity.fingerprint,
            components=identity.components,
            latents=tuple(_planned(request, ctx.cache) for request in requests),
            total=_total(requests, ctx.cache),
        )


def _planned(request: LatentRequest, cache: LatentCache) -> PlannedLatents:
    encoder = request.encoder.fingerprint()
    counts = _counts(cache, encoder, [request.column.keys])
    return PlannedLatents(request.label, encoder, counts)


def _total(requests: Sequence[LatentRequest], cache: LatentCache) -> LatentCounts:
    keys: dict[str, list[Keys]] = {}
    for request in requests:
        keys.setdefault(request.encoder.fingerprint(), []).append(request.column.keys)
    each = [_counts(cache, encoder, of_one) for encoder, of_one in keys.items()]
    return LatentCounts(
        items=sum(counts.items for counts in each),
        unique=sum(counts.unique for counts in each),
        cached=sum(counts.cached for counts in each),
    )


def _counts(cache: LatentCache, encoder: str, keys: Sequence[Keys]) -> LatentCounts:
    joined = np.concatenate(keys)
    distinct = np.unique(joined, axis=0)
    return LatentCounts(len(joined), len(distinct), int(cache.find(encoder, distinct).sum()))
