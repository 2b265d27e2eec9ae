"""Materialising some items of a column, held to the contract that each row comes once."""

from __future__ import annotations

from typing import Any

import numpy as np

from mezzanine_core.executors import Executor
from mezzanine_core.testing.laws import require
from mezzanine_core.testing.portraits import columns_of
from mezzanine_core.worlds import Column, Rows, WorldData

Places = list[tuple[Column, int]]
"""Columns, and a row of each."""

_ROWS = 12
"""Rows of a column that are looked at."""


def sample_rows(column: Column) -> Rows:
    """Some rows of a column in a random order, the first and the last among them."""
    count = min(len(column), _ROWS)
    rows = np.unique(np.linspace(0, len(column) - 1, count).astype(np.int64))
    return np.random.default_rng(2).permutation(rows)


def fetched(column: Column, rows: Rows, executor: Executor) -> dict[int, Any]:
    """The items of some rows.

    Raises:
        BrokenLawError: If a row does not come exactly once, or another comes.
    """
    items: dict[int, Any] = {}
    for given, batch in column.fetch(rows, executor):
        numbers = np.asarray(given).tolist()
        require(len(numbers) == len(batch), f"{len(numbers)} rows came with {len(batch)} items")
        for row, item in zip(numbers, batch, strict=True):
            require(row not in items, f"row {row} came twice")
            items[row] = item
    wanted = set(rows.tolist())
    require(not wanted - items.keys(), f"rows {sorted(wanted - items.keys())} did not come")
    require(not items.keys() - wanted, f"rows {sorted(items.keys() - wanted)} were not asked for")
    return items


def places_of(data: WorldData) -> dict[bytes, Places]:
    """Item key → where in the data it occurs."""
    places: dict[bytes, Places] = {}
    for split in data.splits.values():
        for column in columns_of(split).values():
            for row, key in enumerate(column.keys):
                places.setdefault(key.tobytes(), []).append((column, row))
    return places


def shown(item: Any) -> str:
    """An item in a few words."""
    if isinstance(item, np.ndarray):
        finite = "" if item.dtype.kind != "f" or np.isfinite(item).all() else ", not finite"
        return f"{item.dtype} {list(item.shape)}{finite}"
    return f"a {type(item).__name__}"
