"""Items to try encoders and symmetries on, the same in every process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mezzanine_core.worlds import Batch, ItemKind

_WORDS = ("ice", "melts", "slowly", "Kelvin", "42", "the", "a", "river", "finds", "its", "way")
_LENGTHS = (3, 1, 12, 7, 30, 5)


def batch_of(kind: ItemKind, count: int, seed: int = 0) -> Batch:
    """A batch of random items.

    Args:
        kind: What they are.
        count: How many.
        seed: Decides which.

    Returns:
        uint8 [count, 40, 48, 3] images, float32 [count, 6] vectors, or texts of 1 to 30 words.
    """
    rng = np.random.default_rng([seed, 11])
    if kind == "image":
        return rng.integers(0, 256, (count, 40, 48, 3), dtype=np.uint8)
    if kind == "vector":
        return rng.normal(size=(count, 6)).astype(np.float32)
    lengths = [_LENGTHS[number % len(_LENGTHS)] for number in range(count)]
    return [" ".join(rng.choice(_WORDS, length).tolist()) + "." for length in lengths]


def rows_of(batch: Batch, rows: Sequence[int]) -> Batch:
    """Those items of a batch, in that order."""
    if isinstance(batch, np.ndarray):
        return batch[np.asarray(rows, np.intp)]
    return [batch[row] for row in rows]


def things() -> tuple[Any, ...]:
    """Items of many kinds, for a symmetry of which nobody says what it acts on."""
    images = batch_of("image", 2)
    return (
        "Ice melts. Water flows.",
        "One line. Another one.\nA third line. The end.\n",
        "colour: red\nsize: 3",
        ["a", "b", "c", "a"],
        {"colour": "red", "size": 3, "weight": 2.5},
        np.asarray(images)[0],
        np.asarray(images)[1, :24, :24],
        np.asarray(batch_of("vector", 4)),
        np.asarray(batch_of("vector", 1))[0],
    )
