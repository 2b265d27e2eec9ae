"""How commands print: aligned text for people, JSON for programs; both on stdout."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Sequence
from typing import Annotated, Any

import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
"""The ``--json`` option of every command that reads."""


def print_json(data: Any) -> None:
    """Print plain data as indented JSON. It is ASCII, so every terminal and pipe takes it."""
    typer.echo(json.dumps(data, indent=2, allow_nan=False))


def width() -> int:
    """Columns of the terminal, between 40 and 120; 80 where there is none."""
    return max(40, min(120, shutil.get_terminal_size((80, 24)).columns))


def print_columns(rows: Sequence[Sequence[str]], *, indent: int = 0) -> None:
    """Print rows as aligned columns; the last one is wrapped to the width of the terminal.

    Args:
        rows: Rows of equal length.
        indent: Spaces before the first column.
    """
    if not rows:
        return
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    left = indent + sum(widths) + 2 * len(widths)
    for row in rows:
        head = "".join(f"{cell:<{size}}  " for cell, size in zip(row[:-1], widths, strict=True))
        lines = wrapped(row[-1], width() - left)
        typer.echo((" " * indent + head + lines[0]).rstrip())
        for line in lines[1:]:
            typer.echo(" " * left + line)


def print_field(label: str, text: str, *, indent: int = 4) -> None:
    """Print ``label: text``, wrapped, the further lines indented below the text."""
    lead = f"{' ' * indent}{label}: "
    lines = wrapped(text, width() - len(lead))
    typer.echo(lead + lines[0])
    for line in lines[1:]:
        typer.echo(" " * len(lead) + line)


def wrapped(text: str, columns: int) -> list[str]:
    """Break text at spaces into lines of at most ``columns``, and one line at least.

    Words are never broken: names and paths stay whole, to be copied.
    """
    lines = textwrap.wrap(text, max(20, columns), break_long_words=False, break_on_hyphens=False)
    return lines or [""]


def size(number_of_bytes: int) -> str:
    """``1.5 MB``, in powers of ten."""
    from rich.filesize import decimal

    return decimal(number_of_bytes)


def minute(timestamp: str | None) -> str:
    """An ISO 8601 time, cut after the minute; ``-`` where there is none."""
    return "-" if timestamp is None else timestamp[:16].replace("T", " ")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 plugin``, ``2 plugins``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
