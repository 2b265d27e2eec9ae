"""Zarr arrays through the ``zarrs`` codec pipeline, and never through another.

Zarr's own pipeline is several times slower, and ``zarrs`` hands over to it without a word for what
it does not support, unless its strict setting is on. Zarr takes the pipeline from a configuration
that the whole process shares, at the moment an array is opened; so the setting is made around that
moment only, and what came out is looked at.

``zarr`` is imported when the first array is opened: listing a cache needs none of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from mezzanine_core.errors import CacheError

if TYPE_CHECKING:
    import zarr

_PIPELINE = {"codec_pipeline.path": "zarrs.ZarrsCodecPipeline", "codec_pipeline.strict": True}
# zarr.config belongs to the process: two threads that set and restore it at once would leave one
# of them with the other's setting.
_CONFIG_LOCK = threading.Lock()


def write_array(
    path: Path, data: npt.NDArray[Any], chunk_rows: int, names: tuple[str, str]
) -> None:
    """Write a C-contiguous array as a new uncompressed Zarr v3 array.

    Args:
        path: Where; nothing must lie there.
        data: [n, m].
        chunk_rows: Rows of a chunk.
        names: Names of the two dimensions.

    Raises:
        OSError: If it cannot be written; or a ``RuntimeError`` that says ``(os error …)``.
    """
    import zarr
    from zarr.buffer.cpu import buffer_prototype

    with _zarrs_pipeline():
        array = zarr.create_array(
            zarr.storage.LocalStore(path),
            shape=data.shape,
            dtype=data.dtype,
            chunks=(chunk_rows, data.shape[1]),
            compressors=None,
            # What a reader sees in place of a chunk that is missing; no encoder's latents are NaN.
            fill_value=float("nan") if data.dtype.kind == "f" else 0,
            # All chunks in one directory: a directory for each costs as much as writing it.
            chunk_key_encoding={"name": "default", "separator": "."},
            dimension_names=names,
            config={"write_empty_chunks": True},
        )
    _check(array)
    array.set_basic_selection(slice(None), data, prototype=buffer_prototype)


def open_array(path: Path) -> zarr.Array[Any]:
    """Open an array for reading.

    Raises:
        Exception: Whatever Zarr meets in damaged metadata.
    """
    import zarr

    with _zarrs_pipeline():
        array = zarr.open_array(
            zarr.storage.LocalStore(path, read_only=True), mode="r", zarr_format=3
        )
    _check(array)
    return array


def read_rows(array: zarr.Array[Any], start: int, out: npt.NDArray[Any]) -> None:
    """Read rows ``start`` … ``start + len(out)`` into ``out``, C-contiguous, of the array's dtype.

    Raises:
        RuntimeError: If a chunk is cut short or cannot be read. A chunk that is missing is *not* an
            error: it reads as the fill value.
    """
    from zarr.buffer.cpu import NDBuffer, buffer_prototype

    array.get_basic_selection(
        slice(start, start + len(out)),
        out=NDBuffer.from_numpy_array(out),
        prototype=buffer_prototype,
    )


@contextmanager
def _zarrs_pipeline() -> Iterator[None]:
    import zarr

    with _CONFIG_LOCK, zarr.config.set(_PIPELINE):
        yield


def _check(array: zarr.Array[Any]) -> None:
    from zarrs import ZarrsCodecPipeline

    pipeline = array.async_array.codec_pipeline
    if not isinstance(pipeline, ZarrsCodecPipeline) or pipeline.python_impl is not None:
        raise CacheError(
            f"the array {array.store_path} came with {type(pipeline).__name__}, not strict zarrs",
            hint="Something else in this process changes zarr.config while latents are read.",
        )
