"""One immutable segment: written in one go, read with every block checked."""

from __future__ import annotations

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
# What is read at once where rows are picked from it: a bound on memory, which is used again for the
# next portion while it is still in the processor's cache.
_PORTION_BYTES = 16 * 1024 * 1024
# Reading on over rows that nobody asked for is cheaper than another call, up to about this much.
_GAP_BYTES = 1024 * 1024


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
    # In turn, not at once: digests keep hold of the interpreter, and both wait for memory.
    digests = block_digests(latents, block_rows)
    write_array(directory / LATENTS, latents, chunk_rows, ("item", "feature"))
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
        scratch = _Scratch(self.record)
        for near in self._near(np.unique(rows // self.record.block_rows)):
            wanted, places = self._within(near, rows, targets)
            length = len(self._rows(near))
            if out.dtype == self.record.dtype and _is_run(wanted, places, length):
                self._read_checked(near, out[places[0] : places[0] + length])
                continue
            for blocks in self._portions(near):
                room = scratch.rows(len(self._rows(blocks)))
                self._read_checked(blocks, room)
                wanted, places = self._within(blocks, rows, targets)
                out[places] = room[wanted]

    def verify(self) -> None:
        """Read everything and compare it with the commit record.

        Raises:
            CorruptSegmentError: If anything differs.
            CacheError: If the segment was removed meanwhile.
        """
        self.keys()
        scratch = _Scratch(self.record)
        for blocks in self._portions(np.arange(len(self._digests))):
            self._read_checked(blocks, scratch.rows(len(self._rows(blocks))))

    @cached_property
    def _digests(self) -> npt.NDArray[np.uint32]:
        return self.record.digests()

    @cached_property
    def _latents(self) -> zarr.Array[Any]:
        return self._open(LATENTS, (self.record.rows, self.record.dim), self.record.dtype)

    def _rows(self, blocks: Positions) -> range:
        """All rows from the first to the last of ascending blocks."""
        size = self.record.block_rows
        return range(int(blocks[0]) * size, min((int(blocks[-1]) + 1) * size, self.record.rows))

    def _within(
        self, blocks: Positions, rows: Positions, targets: Positions
    ) -> tuple[Positions, Positions]:
        """Those of ``rows`` that lie in ``blocks``, counted from their first, and their targets."""
        span = self._rows(blocks)
        low, high = np.searchsorted(rows, [span.start, span.stop])
        return rows[low:high] - span.start, targets[low:high]

    def _near(self, blocks: Positions) -> list[Positions]:
        """Cut ascending blocks where the next one is so far that it is better read by itself."""
        far = np.diff(blocks) > 1 + _GAP_BYTES // self._block_bytes
        return np.split(blocks, np.flatnonzero(far) + 1)

    def _portions(self, blocks: Positions) -> list[Positions]:
        """Cut ascending blocks into portions of bounded size, where chunks end."""
        chunk_blocks = max(1, self._latents.chunks[0] // self.record.block_rows)
        most = chunk_blocks * max(1, _PORTION_BYTES // (self._block_bytes * chunk_blocks))
        return np.split(blocks, np.flatnonzero(np.diff(blocks // most)) + 1)

    @property
    def _block_bytes(self) -> int:
        record = self.record
        return record.block_rows * record.dim * np.dtype(record.dtype).itemsize

    def _read_checked(self, blocks: Positions, out: npt.NDArray[Any]) -> None:
        """Read all rows from the first of ``blocks`` to the last, and check these blocks."""
        self._read(self._latents, self._rows(blocks).start, out)
        size = self.record.block_rows
        if len(blocks) == -(-len(out) // size):
            actual = block_digests(out, size)
        else:
            starts = ((blocks - blocks[0]) * size).tolist()
            actual = np.array([digest(out[at : at + size]) for at in starts], np.uint32)
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


class _Scratch:
    """Room for rows as they are stored, used again and again."""

    def __init__(self, record: CommitRecord) -> None:
        self._room: npt.NDArray[Any] = np.empty((0, record.dim), record.dtype)

    def rows(self, count: int) -> npt.NDArray[Any]:
        if count > len(self._room):
            self._room = np.empty((count, self._room.shape[1]), self._room.dtype)
        return self._room[:count]


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
