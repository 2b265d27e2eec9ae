"""Items with their views and latents, and parts of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mezzanine_core.encoders import Latents
from mezzanine_core.executors import Executor
from mezzanine_core.warrant import ViewGroups
from mezzanine_core.worlds import Batch, Column, Rows

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Items:
    """n items with V views in all, those of one item after the other, the identity first.

    Attributes:
        column: The views themselves.
        groups: Which rows are views of which item.
        latents: float32 [V, D].
        label: Class indices, int64 [n].
        beliefs: Log-probabilities of the choices, float64 [V, C], where the base model is the
            encoder's own belief; else ``None``.
    """

    column: Column
    groups: ViewGroups
    latents: Latents
    label: Ints
    beliefs: Floats | None

    def __len__(self) -> int:
        return len(self.label)

    @property
    def canonical(self) -> Latents:
        """Latents of the items as they are, float32 [n, D]."""
        canonical: Latents = self.latents[self.groups.starts()]
        return canonical

    def part(self, chosen: Ints) -> Items:
        """Some of the items, each with all of its views."""
        rows = rows_of(self.groups, chosen)
        return Items(
            column=ChosenRows(self.column, rows),
            groups=part_of(self.groups, chosen),
            latents=self.latents[rows],
            label=self.label[chosen],
            beliefs=None if self.beliefs is None else self.beliefs[rows],
        )


class ChosenRows(Column):
    """Some rows of another column.

    Args:
        base: The column.
        rows: Distinct rows of it, int64 [m].
    """

    def __init__(self, base: Column, rows: Rows) -> None:
        self.kind = base.kind
        self.keys = base.keys[rows]
        self._base = base
        self._rows = rows

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """See :meth:`Column.fetch`."""
        wanted = self._rows[rows]
        order = np.argsort(wanted)
        for found, batch in self._base.fetch(wanted, executor):
            yield rows[order[np.searchsorted(wanted[order], found)]], batch


def rows_of(groups: ViewGroups, items: Ints) -> Ints:
    """The rows of all views of some items, int64 [number of their views]."""
    sizes = groups.sizes[items]
    before = np.cumsum(sizes) - sizes
    rows: Ints = np.arange(sizes.sum()) + np.repeat(groups.starts()[items] - before, sizes)
    return rows


def part_of(groups: ViewGroups, items: Ints) -> ViewGroups:
    """The groups of some items, when their rows are taken out."""
    orbits = groups.orbit_sizes
    return ViewGroups(groups.sizes[items], None if orbits is None else orbits[items])


def hold_out(clusters: Ints, share: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Part items at random, equal ones together.

    Args:
        clusters: Which items are equal, int64 [n]; at least two different ones.
        share: Share of the different items that is held out, in (0, 1); at least one is, and at
            least one is not.
        rng: Decides which.

    Returns:
        Which items are fitted to, and which are held out, both ascending.
    """
    names = np.unique(clusters)
    count = min(max(1, round(share * len(names))), len(names) - 1)
    held = np.isin(clusters, rng.permutation(names)[:count])
    return np.flatnonzero(~held), np.flatnonzero(held)
