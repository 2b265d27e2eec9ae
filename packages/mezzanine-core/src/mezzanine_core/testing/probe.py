"""A tiny encoder of every kind of item, and means to see what is asked of columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import numpy as np

from mezzanine_core.config import EncoderConfig
from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.symmetries import value_key
from mezzanine_core.worlds import Batch, Column, ItemKind, Rows


class ProbeConfig(EncoderConfig):
    """The probe has no settings."""


class ProbeEncoder(Encoder[ProbeConfig]):
    """Maps an item to numbers that hang on all of it: a digest of its content."""

    accepts = frozenset(get_args(ItemKind))

    @property
    def dim(self) -> int:
        """Length of a latent."""
        return 8

    def fingerprint(self) -> str:
        """Names the map."""
        return fingerprint({"encoder": "conformance probe", "version": 1})

    def encode(self, batch: Batch) -> Latents:
        """See :meth:`Encoder.encode`; values are whole numbers from 0 to 255."""
        latents = np.zeros((len(batch), self.dim), np.float32)
        for row, item in enumerate(batch):
            digest = hashlib.sha256(value_key(item)).digest()[: self.dim]
            latents[row] = np.frombuffer(digest, np.uint8)
        return latents


class Counted(Column):
    """Some rows of a column, as a column that counts the items that it materialises.

    Args:
        column: The column.
        rows: Which of its rows.

    Attributes:
        asked: How many items were asked for so far.
    """

    def __init__(self, column: Column, rows: Rows) -> None:
        self.kind = column.kind
        self.keys = column.keys[rows]
        self.asked = 0
        self._column = column
        self._rows = rows

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """See :meth:`Column.fetch`."""
        self.asked += len(rows)
        places = {int(self._rows[row]): row for row in rows.tolist()}
        for given, batch in self._column.fetch(self._rows[rows], executor):
            yield np.array([places[int(row)] for row in given], np.int64), batch


@contextmanager
def watching(kind: type[Column], seen: list[str]) -> Iterator[None]:
    """Note in ``seen`` whenever a column of that class is asked for items in the block."""
    own = vars(kind).get("fetch")
    fetch = kind.fetch

    def watched(self: Column, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        seen.append(f"{kind.__name__}.fetch")
        return fetch(self, rows, executor)

    kind.fetch = watched  # type: ignore[method-assign]
    try:
        yield
    finally:
        if own is None:
            del kind.fetch
        else:
            kind.fetch = own  # type: ignore[method-assign]
