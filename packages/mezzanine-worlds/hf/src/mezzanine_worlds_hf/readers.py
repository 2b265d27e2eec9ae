"""Files to Arrow tables: parquet, CSV, TSV and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzanine_core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1 << 20
_LARGEST_BLOCK = 1 << 30


def read_table(path: Path) -> pa.Table:
    """Read a data file; its suffix says its format.

    The types of CSV and JSON columns are inferred from the whole file (of the first GiB of it). An
    empty cell of a CSV column of texts is an empty text, not a missing one.

    Raises:
        DataError: If it cannot be read, or does not hold what its suffix says.
    """
    import pyarrow as pa

    try:
        return READERS[path.suffix.lower()](path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as {path.suffix.lower()[1:]} ({_first_line(error)})",
            hint="The file is broken, cut off, or of another format than its name says.",
        ) from error


def _parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    # Not read_table, which takes the name of a folder above the file (`subset=a`) for a column.
    return pq.ParquetFile(path, memory_map=True).read()


def _delimited(delimiter: str) -> Callable[[Path], pa.Table]:
    def read(path: Path) -> pa.Table:
        from pyarrow import csv

        return csv.read_csv(
            path,
            read_options=csv.ReadOptions(block_size=_block(path)),
            parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        )

    return read


def _json(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json as arrow_json

    with path.open("rb") as file:
        is_array = file.read(64).lstrip()[:1] == b"["
    if is_array:
        rows: Any = json.loads(path.read_bytes())
        if not all(isinstance(row, dict) for row in rows):
            raise ValueError("it is no list of objects")
        return pa.Table.from_pylist(rows)
    # An object must lie within a block, and types are inferred from the first one.
    options = arrow_json.ReadOptions(block_size=_block(path))
    return arrow_json.read_json(path, read_options=options)


def _block(path: Path) -> int:
    return min(max(path.stat().st_size + 1, _BLOCK), _LARGEST_BLOCK)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__


READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".parquet": _parquet,
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".jsonl": _json,
    ".ndjson": _json,
    ".json": _json,
}
"""Suffix of a file → what reads it."""
