"""The one way to latents: from the cache what it has, from the encoder what it has not."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.cache import LatentCache
from mezzanine_core.cache.index import KeyIndex
from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.errors import LatentError, PluginError
from mezzanine_core.executors import Executor
from mezzanine_core.results import CacheCounts
from mezzanine_core.worlds import Batch, Column, Rows

if TYPE_CHECKING:
    from mezzanine_core.progress import Progress

# Latents of items that occur several times are copied within the result in blocks of this size.
_COPY_ROWS = 8192


def encode_column(
    column: Column,
    encoder: Encoder[Any],
    cache: LatentCache,
    executor: Executor,
    progress: Progress,
    *,
    label: str,
) -> tuple[Latents, CacheCounts]:
    """Latents of every item of a column.

    Each distinct item is looked up once. What the cache has is read and checked; a cached segment
    that turns out damaged counts as missing. What is missing is materialised and encoded once each,
    and committed to the cache as it comes. Where everything is cached, ``column.fetch`` and
    ``encoder.encode`` are never called and nothing is written.

    Memory besides the result is bounded by one cache segment, one batch of the column, and the
    batches that the encoder takes ahead.

    Args:
        column: The items.
        encoder: What encodes them.
        cache: Where latents are looked up and kept.
        executor: Where the column may render or decode in parallel.
        progress: Where encoding is shown; nothing is shown where nothing is encoded.
        label: What it is shown as.

    Returns:
        float32 [len(column), D] in the column's order, and how they came about. Latents are the
        same whether they were encoded now or read (also where the cache stores float16).

    Raises:
        LatentError: If the encoder gives NaN, infinities, another dtype or a wrong shape. What was
            committed before is kept.
        PluginError: If the column does not give each row that it is asked for exactly once.
        CacheError: If the cache cannot be read or written.
    """
    name = encoder.fingerprint()
    latents = np.empty((len(column), encoder.dim), np.float32)
    same = KeyIndex(column.keys).find(column.keys)
    distinct = np.flatnonzero(same == np.arange(len(column)))
    cached = cache.read_into(name, column.keys[distinct], latents, distinct)
    missing = distinct[~cached]
    if missing.size:
        with (
            cache.writer(name, encoder.dim, card=_card(encoder)) as writer,
            progress.task(label, total=missing.size) as task,
        ):
            for rows, encoded in _encode(encoder, column, _fetch(column, missing, executor)):
                latents[rows] = writer.append(column.keys[rows], encoded)
                task.advance(len(rows))
    repeated = np.flatnonzero(same != np.arange(len(column)))
    for start in range(0, len(repeated), _COPY_ROWS):
        rows = repeated[start : start + _COPY_ROWS]
        latents[rows] = latents[same[rows]]
    return latents, CacheCounts(
        requested=len(column),
        unique=len(distinct),
        cached=int(cached.sum()),
        materialised=len(missing),
        encoded=len(missing),
    )


def _encode(
    encoder: Encoder[Any], column: Column, fetched: Iterator[tuple[Rows, Batch]]
) -> Iterator[tuple[Rows, Latents]]:
    """Encode batches, and hold the encoder to its contract: sound latents for each, in order."""
    waiting: deque[Rows] = deque()

    def batches() -> Iterator[Batch]:
        for rows, batch in fetched:
            step = encoder.batch_rows or max(1, len(rows))
            for start in range(0, len(rows), step):
                waiting.append(rows[start : start + step])
                yield batch[start : start + step]

    with closing(_generator(encoder.encode_stream(batches()))) as stream:
        for latents in stream:
            if not waiting:
                raise _misbehaved(encoder, "gave more batches of latents than it took of items")
            rows = waiting.popleft()
            _check_latents(encoder, column, rows, latents)
            yield rows, latents
    if waiting:
        raise _misbehaved(encoder, f"gave no latents for {len(waiting)} batches of items")


def _generator(stream: Iterator[Latents]) -> Generator[Latents]:
    """Something to close, whatever kind of iterator an encoder gives."""
    yield from stream


def _check_latents(encoder: Encoder[Any], column: Column, rows: Rows, latents: Latents) -> None:
    expected = (len(rows), encoder.dim)
    if not isinstance(latents, np.ndarray):
        raise _misbehaved(
            encoder,
            f"gave a {type(latents).__name__} for a batch of {len(rows)} items; "
            f"expected a numpy array, float32 {list(expected)}",
        )
    if latents.shape != expected or latents.dtype != np.float32:
        raise _misbehaved(
            encoder,
            f"gave {latents.dtype} {list(latents.shape)} for a batch of {len(rows)} items; "
            f"expected float32 {list(expected)}",
        )
    finite = np.isfinite(latents).all(axis=1)
    if not finite.all():
        row = int(rows[np.flatnonzero(~finite)[0]])
        raise LatentError(
            f"{_encoder(encoder)} gave NaN or infinite values for {(~finite).sum()} of "
            f"{len(rows)} items; the first is row {row} (key {column.keys[row].tobytes().hex()})",
            hint="Look at that item for NaN or extreme values; if it is sound, run the encoder in "
            "float32 or on the CPU. None of these latents was cached.",
        )


def _misbehaved(encoder: Encoder[Any], what: str) -> LatentError:
    return LatentError(
        f"{_encoder(encoder)} {what}",
        hint="The encoder breaks its contract; report this to its author.",
    )


def _fetch(column: Column, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
    """The column's own batches, held to the contract that each row comes exactly once."""
    wanted = np.zeros(len(column), np.bool_)
    wanted[rows] = True
    for given, batch in column.fetch(rows, executor):
        got: npt.NDArray[np.int64] = np.asarray(given)
        if got.ndim != 1 or not np.issubdtype(got.dtype, np.integer) or len(got) != len(batch):
            raise _broken(
                column, f"gave {len(batch)} items for row numbers {got.dtype} {list(got.shape)}"
            )
        inside = (got >= 0) & (got < len(column))
        asked = inside & wanted[np.where(inside, got, 0)]
        if not asked.all():
            raise _broken(column, f"gave row {got[~asked][0]} twice, or without being asked for it")
        wanted[got] = False
        if len(np.unique(got)) != len(got):
            raise _broken(column, "gave a row twice in one batch")
        yield got, batch
    if wanted.any():
        left = np.flatnonzero(wanted)
        raise _broken(column, f"left out {left.size} of {len(rows)} rows, row {left[0]} first")


def _broken(column: Column, what: str) -> PluginError:
    kind = type(column)
    return PluginError(
        f"{kind.__module__}.{kind.__qualname__}.fetch {what}",
        hint="Every requested row must come exactly once; report this to the world's author.",
    )


def _encoder(encoder: Encoder[Any]) -> str:
    return f"encoder {encoder.config.name or type(encoder).__qualname__!r}"


def _card(encoder: Encoder[Any]) -> dict[str, Any]:
    kind = type(encoder)
    return {
        "name": encoder.config.name or kind.__qualname__,
        "class": f"{kind.__module__}:{kind.__qualname__}",
        "config": encoder.config.model_dump(mode="json"),
    }
