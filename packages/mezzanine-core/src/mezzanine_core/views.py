"""Views of the items of a labelled split, as one column that an encoder takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import DataError
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import KEY_BYTES, Keys, content_keys
from mezzanine_core.symmetries import Symmetry, Views
from mezzanine_core.warrant import ViewGroups
from mezzanine_core.worlds import ArrayColumn, Batch, Column, Labelled, Rows


@dataclass(frozen=True, eq=False)
class SplitViews:
    """Views of every item of a split.

    Attributes:
        column: All views as an encoder reads them, a column of V items: those of the first item,
            identity first, then those of the second, and so on.
        groups: Which rows of the column belong to which item.
    """

    column: Column
    groups: ViewGroups

    @property
    def exact(self) -> npt.NDArray[np.bool_]:
        """Of which items the views are the whole orbit, bool [n]."""
        whole: npt.NDArray[np.bool_] = self.groups.sizes == self.groups.population()
        return whole

    @property
    def canonical(self) -> npt.NDArray[np.int64]:
        """The row of each item's identity, int64 [n]."""
        return self.groups.starts()


def draw_views(
    split: Labelled,
    symmetry: Symmetry[Any, Any, Any],
    k: int,
    seed: int,
    executor: Executor,
) -> SplitViews:
    """At most ``k`` views of every item, the identity first; see :meth:`Symmetry.views`.

    Items are materialised, as the orbit of an item hangs on what it looks like; views of images are
    materialised a second time where the encoder wants them, and not held. The identity of an item
    without a frame has the item's own key, so its latent is that of the item; other views have
    those of their content, so equal ones are encoded once.

    Args:
        split: What to draw views of.
        symmetry: What the views are equal under.
        k: How many views at most, the identity included; at least 1.
        seed: Seeds the draws together with the content of each item.
        executor: Where the column may render or decode.

    Raises:
        DataError: If an item is nothing that the symmetry acts on, or its column does not give it,
            where the message says which; or if there are no items.
        ConfigError: If ``k`` is less than one.
    """
    n = len(split.input)
    drawn: list[_Drawn | None] = [None] * n
    for rows, batch in split.input.fetch(np.arange(n), executor):
        for row, item in zip(rows.tolist(), batch, strict=True):
            drawn[row] = _draw(split, row, item, symmetry, k, seed)
    whole = [one for one in drawn if one is not None]
    if not whole:
        raise DataError("there are no items to draw views of")
    if len(whole) < n:
        raise DataError(f"item {drawn.index(None)} was asked for, but its column did not give it")
    groups = ViewGroups.of([one.views for one in whole])
    keys = np.concatenate([one.keys for one in whole])
    if split.input.kind == "text":
        texts = [text for one in whole for text in one.values]
        return SplitViews(ArrayColumn(texts, "text", keys), groups)
    elements = [element for one in whole for element in one.views.elements]
    return SplitViews(_ViewColumn(split.input, symmetry, elements, groups, keys), groups)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Views of one item; ``values`` are empty where they are materialised anew."""

    views: Views[Any, Any]
    keys: Keys
    values: Sequence[str]


def _draw(
    split: Labelled, row: int, item: Any, symmetry: Symmetry[Any, Any, Any], k: int, seed: int
) -> _Drawn:
    try:
        views = symmetry.views(item, k, seed)
    except DataError as error:
        raise DataError(f"item {row}: {error.message}", hint=error.hint) from error
    if split.frame is not None:
        frame = split.frame
        texts = [frame.around(row, value) for value in views.values]
        return _Drawn(_without_values(views), content_keys(texts), texts)
    keys = np.concatenate([split.input.keys[row][None], content_keys(list(views.values[1:]))])
    texts = list(views.values) if split.input.kind == "text" else []
    return _Drawn(_without_values(views), keys.reshape(-1, KEY_BYTES), texts)


def _without_values(views: Views[Any, Any]) -> Views[Any, Any]:
    """The views with nothing in place of their values, which for images would fill the memory."""
    return Views(views.elements, (None,) * len(views.values), views.orbit_size)


class _ViewColumn(Column):
    """Views of images or vectors, made from the items of another column when they are fetched."""

    def __init__(
        self,
        base: Column,
        symmetry: Symmetry[Any, Any, Any],
        elements: Sequence[Any],
        groups: ViewGroups,
        keys: Keys,
    ) -> None:
        self.kind = base.kind
        self.keys = keys
        self._base = base
        self._symmetry = symmetry
        self._elements = elements
        self._item = np.repeat(np.arange(len(groups.sizes)), groups.sizes)

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """See :meth:`Column.fetch`; the views of one item come together."""
        if not len(rows):
            return
        order = rows[np.argsort(self._item[rows], kind="stable")]
        items, starts = np.unique(self._item[order], return_index=True)
        wanted = dict(zip(items.tolist(), np.split(order, starts[1:]), strict=True))
        for found, batch in self._base.fetch(items, executor):
            for item, value in zip(found.tolist(), batch, strict=True):
                views = [self._symmetry.act(self._elements[row], value) for row in wanted[item]]
                yield wanted[item], np.stack(views)
