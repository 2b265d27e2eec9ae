"""Reading new items from a file: texts, JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mezzanine_core.errors import ConfigError, DataError, MissingDependencyError

Item = Mapping[str, Any]
"""A new item: field → value; a mere text is ``{"text": …}``."""


def items_of(data: bytes, file_format: str, name: str) -> list[Item]:
    """The items that the bytes of a file hold.

    Args:
        data: The whole file.
        file_format: One of :data:`FORMATS`.
        name: What errors call the file.

    Returns:
        One item at least, in the order of the file.

    Raises:
        DataError: If the bytes are not of that format, or hold no item; the message names the line.
        MissingDependencyError: If the format needs a library that is not installed.
    """
    items = list(_READERS[file_format](data, name))
    if not items:
        raise DataError(f"{name} holds no items")
    return items


def format_of(path: Path) -> str:
    """The format that the ending of a file's name stands for.

    Raises:
        ConfigError: If it stands for none.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise ConfigError(
            f"--input: the name {path.name!r} does not say what format the file has",
            hint=f"Say it with --format; there are {', '.join(FORMATS)}.",
        )
    return ending


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}:{line}: is not UTF-8 text (byte 0x{data[error.start]:02x})",
            hint="Save the file as UTF-8.",
        ) from None


def _lines(data: bytes, name: str) -> Iterator[tuple[str, str]]:
    """The lines of a text, each with its place; only line feeds end lines, as in JSON lines."""
    text = _text(data, name)
    lines = text.removesuffix("\n").split("\n") if text else []
    for number, line in enumerate(lines, 1):
        where, line = f"{name}:{number}", line.removesuffix("\r")
        if not line.strip():
            raise DataError(f"{where}: the line is blank", hint="Give one item on each line.")
        yield where, line


def _texts(data: bytes, name: str) -> Iterator[Item]:
    for _, line in _lines(data, name):
        yield {"text": line}


def _json_lines(data: bytes, name: str) -> Iterator[Item]:
    for where, line in _lines(data, name):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise DataError(f"{where}: is not JSON: {reason}") from error
        if isinstance(value, str):
            value = {"text": value}
        if not isinstance(value, dict):
            raise DataError(
                f"{where}: holds neither an object nor a text, but {line.strip()[:40]!r}",
                hint='Write each item as {"field": value, …} or as "text", on a line of its own.',
            )
        yield value


def _csv(data: bytes, name: str) -> Iterator[Item]:
    rows = csv.reader(io.StringIO(_text(data, name), newline=""), strict=True)
    try:
        fields = next(rows, [])
        if fields and (not all(fields) or len(set(fields)) < len(fields)):
            raise DataError(f"{name}:1: the header {fields} has a field without a name of its own")
        for row in rows:
            if len(row) != len(fields):
                raise DataError(
                    f"{name}:{rows.line_num}: has {len(row)} fields where the header has "
                    f"{len(fields)}: {', '.join(fields)}",
                    hint='A field with commas or line ends in it stands in quotes: "…".',
                )
            yield dict(zip(fields, row, strict=True))
    except csv.Error as error:
        raise DataError(f"{name}:{rows.line_num}: is not CSV: {error}") from error


def _parquet(data: bytes, name: str) -> Iterator[Item]:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingDependencyError(
            f"{name}: reading Parquet needs pyarrow, which is not installed",
            hint="pip install pyarrow",
        ) from error
    try:
        table = parquet.read_table(io.BytesIO(data))
    except (arrow.ArrowException, OSError) as error:
        raise DataError(f"{name}: is not Parquet: {error}") from error
    yield from table.to_pylist()


_READERS: Mapping[str, Callable[[bytes, str], Iterator[Item]]] = {
    "txt": _texts,
    "jsonl": _json_lines,
    "csv": _csv,
    "parquet": _parquet,
}

FORMATS = tuple(_READERS)
"""Formats of files of new items: one text a line, JSON lines, CSV with a header, Parquet."""
