"""Nested JSON values as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from mezzanine_core.reports.numbers import estimate_text, plain_text_of
from mezzanine_core.results import Estimate

_LONGEST_LIST = 12
_LONGEST_TEXT = 400
MOST_ROWS = 400
"""Rows of one table of facts; a report is for reading, and ``results.json`` has all."""

Row = tuple[str, str]


def facts(values: Mapping[str, Any]) -> list[Row]:
    """Dotted names and values on a line each; long lists are told by their length and range.

    Args:
        values: Plain JSON values.

    Returns:
        At most :data:`MOST_ROWS` rows, and one that says how many are left out.
    """
    rows = list(_walk(values, ""))
    if len(rows) <= MOST_ROWS:
        return rows
    left = len(rows) - MOST_ROWS
    return [*rows[:MOST_ROWS], ("…", f"and {left:,} more in results.json")]


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted name of each setting → its value."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            found |= {f"{name}.{inner}": each for inner, each in settings_of(value).items()}
        else:
            found[name] = value
    return found


def _walk(values: Mapping[str, Any], lead: str) -> Iterator[Row]:
    for key, value in values.items():
        name = f"{lead}{key}"
        if isinstance(value, Mapping):
            yield from _mapping(value, name)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield name, _list(value)
        else:
            yield name, _cut(plain_text_of(value))


def _mapping(value: Mapping[str, Any], name: str) -> Iterator[Row]:
    if not value:
        yield name, "nothing"
        return
    try:
        yield name, estimate_text(Estimate.model_validate(value))
    except ValidationError:
        yield from _walk(value, f"{name}.")


def _list(values: Sequence[Any]) -> str:
    if not values:
        return "nothing"
    plain = not any(isinstance(value, Mapping | list | tuple) for value in values)
    if plain and len(values) <= _LONGEST_LIST:
        return _cut(", ".join(map(plain_text_of, values)))
    numbers = [value for value in _flat(values) if isinstance(value, int | float)]
    if not numbers:
        return f"{len(values):,} entries"
    return (
        f"{len(numbers):,} numbers from {plain_text_of(min(numbers))} "
        f"to {plain_text_of(max(numbers))}"
    )


def _flat(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        elif isinstance(value, Mapping):
            yield from _flat(list(value.values()))
        else:
            yield value


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
