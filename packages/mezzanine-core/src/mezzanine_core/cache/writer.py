"""Writing: a segment in flight belongs to one writer, and is committed last."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mezzanine_core.cache.failures import writing
from mezzanine_core.cache.layout import (
    CARD,
    COMMIT,
    CardRecord,
    Precision,
    now,
    plain,
    read_card,
    write_json,
)
from mezzanine_core.cache.liveness import WriterLock
from mezzanine_core.cache.segment import write_segment
from mezzanine_core.encoders import Latents
from mezzanine_core.errors import CacheError, LatentError
from mezzanine_core.fingerprint import KEY_BYTES, Keys

# Keys are one chunk, and are read whole.
_MOST_ROWS = 1 << 20


class SegmentWriter:
    """Appends latents to an encoder's directory in segments of bounded size.

    A segment is committed when it is full, when it was begun ``segment_seconds`` ago, and when the
    ``with`` block ends well. When the block ends in an exception, Ctrl-C included, committed
    segments stay and the one in flight is dropped. A process that is killed leaves its segment in
    flight behind, uncommitted; :meth:`LatentCache.gc <mezzanine_core.cache.LatentCache.gc>`
    collects it.

    Args:
        directory: The encoder's directory.
        dim: Length D of a latent.
        card: What the encoder is, for people and listings.
        segment_bytes: Most bytes of latents in a segment, and so in memory.
        segment_seconds: After this long a segment is committed though it is not full.
        dtype: How latents are stored.
    """

    def __init__(
        self,
        directory: Path,
        dim: int,
        *,
        card: Mapping[str, Any],
        segment_bytes: int,
        segment_seconds: float,
        dtype: Precision,
    ) -> None:
        self._directory = directory
        self._dim = dim
        self._card = card
        self._dtype = np.dtype(dtype)
        self._precision: Precision = dtype
        self._capacity = min(max(1, segment_bytes // (dim * self._dtype.itemsize)), _MOST_ROWS)
        self._seconds = segment_seconds
        self._segment: _InFlight | None = None
        self._keys: Keys = np.empty((0, KEY_BYTES), np.uint8)
        self._latents: npt.NDArray[Any] = np.empty((0, dim), self._dtype)
        self._filled = 0
        self._begun = 0.0

    def __enter__(self) -> Self:
        # The segment's directory is made before anything is encoded, so that a cache that cannot
        # be written is noticed at once.
        self._segment = self._begin()
        return self

    def append(self, keys: Keys, latents: Latents) -> Latents:
        """Add rows.

        Args:
            keys: uint8 [n, 16].
            latents: float32 [n, D], finite (which :func:`~mezzanine_core.latents.encode_column`
                checks, knowing the items).

        Returns:
            float32 [n, D]: the latents as a later read gives them.

        Raises:
            CacheError: If they cannot be written.
            LatentError: If the cache stores float16 and a latent does not fit into it.
        """
        if self._segment is None:
            raise CacheError("a segment writer works inside its `with` block only")
        _check_rows(keys, latents, self._dim)
        stored = self._as_stored(latents)
        if not self._filled and len(stored) >= self._capacity:
            self._commit_directly(keys, stored)
        else:
            at = 0
            while at < len(stored):
                at += self._buffer(keys[at:], stored[at:])
        if self._filled and time.monotonic() - self._begun >= self._seconds:
            self._commit_buffer()
        return stored.astype(np.float32, copy=False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._filled:
                self._commit_buffer(last=True)
        finally:
            if self._segment is not None:
                self._segment.discard()
                self._segment = None

    def _commit_directly(self, keys: Keys, stored: npt.NDArray[Any]) -> None:
        """Commit rows in segments of about equal size, without a copy in the buffer."""
        segments = -(-len(stored) // self._capacity)
        for part in np.array_split(np.arange(len(stored)), segments):
            rows = slice(part[0], part[-1] + 1)
            self._commit(np.ascontiguousarray(keys[rows]), np.ascontiguousarray(stored[rows]))

    def _buffer(self, keys: Keys, stored: npt.NDArray[Any]) -> int:
        """Put as many rows into the buffer as fit; the number of them."""
        if not len(self._latents):
            self._keys = np.empty((self._capacity, KEY_BYTES), np.uint8)
            self._latents = np.empty((self._capacity, self._dim), self._dtype)
        if not self._filled:
            self._begun = time.monotonic()
        count = min(self._capacity - self._filled, len(stored))
        rows = slice(self._filled, self._filled + count)
        self._keys[rows], self._latents[rows] = keys[:count], stored[:count]
        self._filled += count
        if self._filled == self._capacity:
            self._commit_buffer()
        return count

    def _commit_buffer(self, *, last: bool = False) -> None:
        filled, self._filled = self._filled, 0
        self._commit(self._keys[:filled], self._latents[:filled], last=last)

    def _commit(self, keys: Keys, latents: npt.NDArray[Any], *, last: bool = False) -> None:
        assert self._segment is not None  # append and __exit__ look
        with writing(self._directory):
            self._segment.commit(keys, latents)
        self._segment = None
        if not last:
            self._segment = self._begin()

    def _begin(self) -> _InFlight:
        with writing(self._directory):
            self._directory.mkdir(parents=True, exist_ok=True)
            self._write_card()
            return _begin(self._directory / "segments")

    def _write_card(self) -> None:
        card = read_card(self._directory)
        if card is None:
            write_json(
                self._directory / CARD,
                CardRecord(
                    dim=self._dim, dtype=self._precision, created=now(), encoder=plain(self._card)
                ),
            )
        elif card.dim != self._dim:
            raise CacheError(
                f"the encoder of {self._directory} gave latents of length {card.dim}, now "
                f"{self._dim}: its fingerprint does not cover its output",
                hint="Report this to the encoder's author, and use another --cache-dir meanwhile.",
            )

    def _as_stored(self, latents: Latents) -> npt.NDArray[Any]:
        if self._dtype == np.float32:
            return latents
        with np.errstate(over="ignore"):
            stored = latents.astype(self._dtype)
        if not np.isfinite(stored).all():
            raise LatentError(
                f"a latent of magnitude {np.abs(latents).max():g} does not fit into float16",
                hint="Store latents as float32.",
            )
        return stored


def _begin(segments: Path, attempts: int = 20) -> _InFlight:
    try:
        return _InFlight(segments / uuid.uuid4().hex)
    except (TimeoutError, FileNotFoundError, FileExistsError):
        # `mezz cache gc` took it, in the moment between its making and its locking.
        if attempts == 1:
            raise
        return _begin(segments, attempts - 1)


class _InFlight:
    """A segment's directory before it is committed, held by a lock that dies with its writer."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True)
        try:
            self._lock = WriterLock(directory)
        except TimeoutError:
            raise  # whoever holds it removes it
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    def commit(self, keys: Keys, latents: npt.NDArray[Any]) -> None:
        try:
            write_segment(self._directory, keys, latents)
        except BaseException:
            self.discard()
            raise
        self._lock.remove()

    def discard(self) -> None:
        """Remove it, unless Ctrl-C struck when it had just been committed. Idempotent."""
        if (self._directory / COMMIT).exists():
            self._lock.remove()
        else:
            self._lock.release()
            shutil.rmtree(self._directory, ignore_errors=True)


def _check_rows(keys: Keys, latents: Latents, dim: int) -> None:
    if latents.ndim != 2 or latents.shape[1] != dim or latents.dtype != np.float32:
        raise LatentError(
            f"latents of shape {latents.shape} and dtype {latents.dtype}; "
            f"expected float32 [n, {dim}]"
        )
    if keys.shape != (len(latents), KEY_BYTES) or keys.dtype != np.uint8:
        raise CacheError(
            f"{len(latents)} latents but keys of shape {keys.shape} and dtype {keys.dtype}; "
            f"expected uint8 [{len(latents)}, {KEY_BYTES}]"
        )
