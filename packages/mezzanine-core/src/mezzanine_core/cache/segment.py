"""One immutable segment: written in one go, read with every block checked."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.cache.arrays import open_array, read_rows, write_array
from mezzanine_core.cache.digests import block_digests, digest
from mezzanine_core.cache.failures import corrupt, removed
from mezzanine_core.cache.index import Positions
from mezzanine_core.cache.layout import (
    COMMIT,
    KEYS,
    LATENTS,
    CommitRecord,
    Precision,
    now,
    read_commit,
    write_json,
)
from mezzanine_core.encoders import Latents
from mezzanine_core.errors import CacheError
from mezzanine_core.fingerprint import KEY_BYTES, Keys

if TYPE_CHECKING:
    import zarr

# The unit that is checked, so the least that is read for one row.
_BLOCK_BYTES = 128 * 1024
# One file. zarrs decodes chunks in parallel, each through a buffer of its own that should stay in
# the processor's cache.
_CHUNK_BYTES = 4 * 1024 * 1024
# What is read at once: a bound on memory, and how far reading runs ahead of checking.
_PORTION_BYTES = 32 * 1024 * 1024
# Reading on over rows that nobody asked for is cheaper than another call, up to about this much.
_GAP_BYTES = 1024 * 1024
# Digests keep hold of the interpreter. Zarr does not, once it has left Python: let it go first.
_HEAD_START_SECONDS = 0.001


def write_segment(directory: Path, keys: Keys, latents: npt.NDArray[Any]) -> CommitRecord:
    """Write arrays and, when they are whole, the commit record that makes them a segment.

    The arrays are not forced to the disk (that would take several times as long as writing them). A
    process that dies loses nothing that it had written. After a power loss a segment of the last
    seconds may be damaged; its digests tell, and its latents are encoded anew.

    Args:
        directory: The segment's directory, which exists and holds neither array yet.
        keys: uint8 [n, 16], C-contiguous, n ≥ 1.
        latents: float32 or float16 [n, D], C-contiguous.

    Raises:
        OSError: If it cannot be written; or a ``RuntimeError`` that says ``(os error …)``.
    """
    rows, dim = latents.shape
    row_bytes = dim * latents.itemsize
    block_rows = max(1, _BLOCK_BYTES // row_bytes)
    chunk_rows = _chunk_rows(rows, row_bytes, block_rows)
    with ThreadPoolExecutor(1) as thread:
        path = directory / LATENTS
        written = thread.submit(write_array, path, latents, chunk_rows, ("item", "feature"))
        time.sleep(_HEAD_START_SECONDS)
        digests = block_digests(latents, block_rows)
        written.result()
    write_array(directory / KEYS, keys, rows, ("item", "byte"))
    precision: Precision = "float32" if latents.dtype == np.float32 else "float16"
    record = CommitRecord(
        rows=rows,
        dim=dim,
        dtype=precision,
        block_rows=block_rows,
        latents_crc32c=digests.astype(">u4").tobytes().hex(),
        keys_crc32c=f"{digest(keys):08x}",
        created=now(),
    )
    write_json(directory / COMMIT, record)
    return record


class Segment:
    """A committed segment, open for reading.

    Args:
        directory: Where it lies.
        record: Its commit record.
    """

    def __init__(self, directory: Path, record: CommitRecord) -> None:
        self.directory = directory
        self.record = record

    @classmethod
    def open(cls, directory: Path) -> Segment | None:
        """The segment in a directory, or ``None`` where it is not committed.

        Raises:
            CorruptSegmentError: If its commit record is damaged.
            CacheError: If its commit record is of another layout, or cannot be read.
        """
        record = read_commit(directory)
        return None if record is None else cls(directory, record)

    def keys(self) -> Keys:
        """Keys of all rows, uint8 [n, 16], checked.

        Raises:
            CorruptSegmentError: If they are not what was committed.
            CacheError: If the segment was removed meanwhile.
        """
        keys = np.empty((self.record.rows, KEY_BYTES), np.uint8)
        self._read(self._open(KEYS, keys.shape, "uint8"), 0, keys)
        if digest(keys) != int(self.record.keys_crc32c, 16):
            raise self._failure("the keys differ from what was committed")
        return keys

    def gather(self, rows: Positions, out: Latents, targets: Positions) -> None:
        """Read rows into ``out[targets]``, checking every block that they lie in.

        Args:
            rows: Row numbers of this segment in ascending order, at least one; they may repeat.
            out: float32 [m, D], C-contiguous.
            targets: Where each row goes, each in [0, m).

        Raises:
            CorruptSegmentError: If a block is not what was committed. Some of ``out[targets]`` may
                have been overwritten by then.
            CacheError: If the segment was removed meanwhile.
        """
        for portion in self._checked(self._portions(rows, out, targets)):
            if portion.wanted is not None:
                out[portion.targets] = portion.room[portion.wanted]

    def verify(self) -> None:
        """Read everything and compare it with the commit record.

        Raises:
            CorruptSegmentError: If anything differs.
            CacheError: If the segment was removed meanwhile.
        """
        self.keys()
        scratch = _Scratch(self.record)
        parts = self._cut(np.arange(len(self._digests)))
        deque(self._checked(_Portion(part, scratch.next(self._rows(part))) for part in parts), 0)

    @cached_property
    def _digests(self) -> npt.NDArray[np.uint32]:
        return self.record.digests()

    @cached_property
    def _latents(self) -> zarr.Array[Any]:
        return self._open(LATENTS, (self.record.rows, self.record.dim), self.record.dtype)

    def _portions(
        self, rows: Positions, out: npt.NDArray[Any], targets: Positions
    ) -> Iterator[_Portion]:
        """What to read for ``rows``: straight into ``out`` where that is a run in both."""
        scratch = _Scratch(self.record)
        for blocks in self._cut(np.unique(rows // self.record.block_rows)):
            span = self._rows(blocks)
            here = slice(*np.searchsorted(rows, [span.start, span.stop]))
            wanted, places = rows[here] - span.start, targets[here]
            if out.dtype == self.record.dtype and _is_run(wanted, places, len(span)):
                yield _Portion(blocks, out[places[0] : places[0] + len(span)])
            else:
                yield _Portion(blocks, scratch.next(span), wanted, places)

    def _cut(self, blocks: Positions) -> list[Positions]:
        """Cut ascending blocks into portions that are each worth one call.

        They are cut where the next block is far, and where chunks end, to bound their size.
        """
        record = self.record
        block_bytes = record.block_rows * record.dim * np.dtype(record.dtype).itemsize
        chunk_blocks = max(1, self._latents.chunks[0] // record.block_rows)
        most = chunk_blocks * max(1, _PORTION_BYTES // (block_bytes * chunk_blocks))
        far = np.diff(blocks) > 1 + _GAP_BYTES // block_bytes
        full = np.diff(blocks // most) > 0
        return np.split(blocks, np.flatnonzero(far | full) + 1)

    def _rows(self, blocks: Positions) -> range:
        """All rows from the first to the last of ascending blocks."""
        size = self.record.block_rows
        return range(int(blocks[0]) * size, min((int(blocks[-1]) + 1) * size, self.record.rows))

    def _checked(self, portions: Iterable[_Portion]) -> Iterator[_Portion]:
        """Read portions and check their blocks; the next one is read while one is checked."""
        with ThreadPoolExecutor(1) as thread:
            before: tuple[_Portion, Future[None]] | None = None
            for portion in portions:
                start = self._rows(portion.blocks).start
                reading = thread.submit(self._read, self._latents, start, portion.room)
                if before is not None:
                    before[1].result()
                    if portion.room.nbytes > _CHUNK_BYTES:
                        time.sleep(_HEAD_START_SECONDS)
                    self._check(before[0])
                    yield before[0]
                before = portion, reading
            if before is not None:
                before[1].result()
                self._check(before[0])
                yield before[0]

    def _check(self, portion: _Portion) -> None:
        """Compare what was read of a portion's blocks, and of no others, with their digests."""
        size, blocks, room = self.record.block_rows, portion.blocks, portion.room
        if len(blocks) == -(-len(room) // size):
            actual = block_digests(room, size)
        else:
            starts = ((blocks - blocks[0]) * size).tolist()
            actual = np.array([digest(room[at : at + size]) for at in starts], np.uint32)
        wrong = np.flatnonzero(actual != self._digests[blocks])
        if wrong.size:
            bad = self._rows(blocks[wrong[:1]])
            raise self._failure(f"latents {bad[0]} to {bad[-1]} differ from what was committed")

    def _open(self, name: str, shape: tuple[int, ...], dtype: str) -> zarr.Array[Any]:
        try:
            array = open_array(self.directory / name)
        except CacheError:
            raise
        except Exception as error:  # damaged metadata meets any part of Zarr's parser
            raise self._failure(f"the array `{name}` cannot be opened ({error})") from error
        if array.shape != shape or array.dtype != dtype:
            raise self._failure(
                f"the array `{name}` is {array.dtype} {list(array.shape)}, "
                f"the record says {dtype} {list(shape)}"
            )
        return array

    def _read(self, array: zarr.Array[Any], start: int, out: npt.NDArray[Any]) -> None:
        try:
            read_rows(array, start, out)
        except Exception as error:  # Zarr and zarrs raise what they like for a chunk cut short
            raise self._failure(f"{array.store_path} cannot be read ({error})") from error

    def _failure(self, what: str) -> CacheError:
        """The error for ``what``: that the segment is corrupt, unless it is not there any more."""
        if not (self.directory / COMMIT).exists():
            return removed(self.directory)
        return corrupt(self.directory, what)


@dataclass(frozen=True, eq=False)
class _Portion:
    """Blocks that are read in one call.

    Attributes:
        blocks: Those to be checked, ascending; what lies between them is read, and not used.
        room: Where all rows from the first block to the last are read to.
        wanted: Which rows of ``room`` are to be copied from it; ``None`` where they stay.
        targets: Where they are copied to.
    """

    blocks: Positions
    room: npt.NDArray[Any]
    wanted: Positions | None = None
    targets: Positions | None = None


class _Scratch:
    """Room for two portions, one being read and one being checked, used again and again."""

    def __init__(self, record: CommitRecord) -> None:
        empty: npt.NDArray[Any] = np.empty((0, record.dim), record.dtype)
        self._rooms = [empty, empty]

    def next(self, rows: range) -> npt.NDArray[Any]:
        room = self._rooms.pop(0)
        if len(rows) > len(room):
            room = np.empty((len(rows), room.shape[1]), room.dtype)
        self._rooms.append(room)
        return room[: len(rows)]


def _chunk_rows(rows: int, row_bytes: int, block_rows: int) -> int:
    """Rows of a chunk: whole blocks, about equal chunks (the last one is padded on disk)."""
    chunks = max(1, round(rows * row_bytes / _CHUNK_BYTES))
    blocks = -(-rows // (block_rows * chunks))
    return min(rows, blocks * block_rows)


def _is_run(rows: Positions, targets: Positions, length: int) -> bool:
    """Whether rows are ``length`` consecutive ones that go to consecutive places."""
    return (
        len(rows) == length
        and bool((np.diff(rows) == 1).all())
        and bool((np.diff(targets) == 1).all())
    )
