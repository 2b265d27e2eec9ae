"""What the cache says about itself: plain records for listings and ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EncoderEntry:
    """What the cache holds of one encoder.

    Attributes:
        fingerprint: The encoder's fingerprint.
        name: Its short name, or ``?`` where its card is missing.
        dim: Length of a latent, or ``None`` where nothing says.
        dtype: How latents are stored: ``float32``, ``float16``, or both with a comma.
        segments: Number of committed segments that can be read.
        rows: Number of latents in them, an item that was stored twice counted twice.
        bytes: Size on disk of all files of the encoder.
        created: When the first segment was committed, ISO 8601 in UTC; ``None`` without any.
        modified: When the last segment was committed.
        views: Number of worlds recorded.
        broken: Number of segments whose commit record cannot be read.
        uncommitted: Number of segments in flight or abandoned.
        card: What the encoder is: its name and settings.
    """

    fingerprint: str
    name: str
    dim: int | None
    dtype: str
    segments: int
    rows: int
    bytes: int
    created: str | None
    modified: str | None
    views: int
    broken: int
    uncommitted: int
    card: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One committed segment.

    Attributes:
        name: Its directory.
        rows: Number of latents.
        dtype: How they are stored.
        bytes: Size on disk.
        created: When it was committed, ISO 8601 in UTC.
    """

    name: str
    rows: int
    dtype: str
    bytes: int
    created: str


@dataclass(frozen=True, slots=True)
class ViewEntry:
    """A world that was encoded.

    Attributes:
        world: The world's fingerprint.
        created: When it was last recorded, ISO 8601 in UTC.
        summary: What the run said about it.
    """

    world: str
    created: str
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """An encoder's latents in detail.

    Attributes:
        entry: The same as in the listing.
        path: Its directory.
        items: Number of distinct items that are cached.
        segments: Its segments, in the order of their commits.
        views: The worlds recorded.
    """

    entry: EncoderEntry
    path: str
    items: int
    segments: tuple[SegmentEntry, ...]
    views: tuple[ViewEntry, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A segment that :meth:`LatentCache.verify <mezzanine_core.cache.LatentCache.verify>` faults.

    Attributes:
        encoder: The encoder's fingerprint.
        segment: The segment's directory.
        what: What is wrong with it.
        remedy: What to do about it.
        removed: Whether it was deleted.
    """

    encoder: str
    segment: str
    what: str
    remedy: str
    removed: bool


@dataclass(frozen=True, slots=True)
class GcReport:
    """What was collected, or would be.

    Attributes:
        removed: Paths that were deleted.
        bytes: Size of them.
        in_flight: Number of uncommitted segments left alone, since a process may be writing them.
    """

    removed: tuple[str, ...]
    bytes: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class RmReport:
    """What was deleted, or would be.

    Attributes:
        encoders: Their fingerprints.
        segments: Number of committed segments.
        rows: Number of latents in them.
        bytes: Size of all files.
        in_flight: Number of uncommitted segments left alone, since a process may be writing them.
    """

    encoders: tuple[str, ...]
    segments: int
    rows: int
    bytes: int
    in_flight: int
