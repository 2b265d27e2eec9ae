"""Views of the items of a split, as one column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.builtin.configs import OrderConfig, ViewConfig
from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.builtin.order import Order
from mezzanine_core.builtin.view import View
from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.fingerprint import content_keys, item_keys
from mezzanine_core.views import SplitViews, draw_views
from mezzanine_core.worlds import ArrayColumn, Column, Frame, Labelled

SERIAL = LocalExecutor(LocalConfig(workers=1))
ORDER = Order(OrderConfig())
CROPS = View(ViewConfig(min_scale=0.5))
FLIPS = View(ViewConfig(min_scale=1))

laws = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)
texts = st.lists(st.sampled_from(["One.", "Two!", "Three?", "Four."]), max_size=5).map(" ".join)
splits = st.lists(texts, min_size=1, max_size=6)


def labelled(column: Column, frame: Frame | None = None) -> Labelled:
    return Labelled(column, np.zeros(len(column), np.int64), ("only",), frame)


def text_split(items: list[str], frame: Frame | None = None) -> Labelled:
    """Texts whose keys are not those of their content, as worlds may choose them."""
    keys = item_keys("test", [[number, item] for number, item in enumerate(items)])
    return labelled(ArrayColumn(items, "text", keys), frame)


def framed_split(items: list[str]) -> Labelled:
    before = [f"Question {number}? " for number in range(len(items))]
    return text_split(items, Frame(before, [" Answer:"] * len(items)))


def image_split(n: int = 4, shape: tuple[int, int] = (9, 7)) -> Labelled:
    images = np.random.default_rng(0).integers(0, 256, (n, *shape, 3), dtype=np.uint8)
    return labelled(ArrayColumn(images, "image", item_keys("test", range(n))))


def fetched(column: Column, rows: Any = None) -> dict[int, Any]:
    """The items of some rows (all of them by default) by their row."""
    rows = np.arange(len(column)) if rows is None else np.asarray(rows, np.int64)
    pairs = [
        (int(row), item)
        for part, batch in column.fetch(rows, SERIAL)
        for row, item in zip(part, batch, strict=True)
    ]
    assert sorted(row for row, _ in pairs) == sorted(rows.tolist()), "rows are lost or repeated"
    return dict(pairs)


def by_item(views: SplitViews) -> list[list[Any]]:
    values = fetched(views.column)
    every = [values[row] for row in range(len(views.column))]
    stops = np.cumsum(views.groups.sizes).tolist()
    return [every[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


@laws
@given(splits, st.integers(1, 30), seeds)
def test_each_items_views_are_those_of_the_symmetry_the_identity_first(
    items: list[str], k: int, seed: int
) -> None:
    views = draw_views(text_split(items), ORDER, k, seed, SERIAL)

    expected = [ORDER.views(item, k, seed) for item in items]
    assert by_item(views) == [list(one.values) for one in expected]
    values = fetched(views.column)
    assert [values[row] for row in views.canonical.tolist()] == items
    assert views.exact.tolist() == [one.exact for one in expected]
    assert views.groups.population().tolist() == [one.orbit_size for one in expected]
    assert views.column.kind == "text"


@laws
@given(splits, st.integers(1, 8), seeds)
def test_an_identity_has_its_items_key_and_other_views_those_of_their_content(
    items: list[str], k: int, seed: int
) -> None:
    split = text_split(items)

    views = draw_views(split, ORDER, k, seed, SERIAL)

    np.testing.assert_array_equal(views.column.keys[views.canonical], split.input.keys)
    values = fetched(views.column)
    others = np.setdiff1d(np.arange(len(values)), views.canonical)
    expected = content_keys([values[row] for row in others.tolist()])
    np.testing.assert_array_equal(views.column.keys[others], expected)


def test_equal_views_of_different_items_share_a_key() -> None:
    views = draw_views(text_split(["One. Two.", "Two. One.", "One. Two."]), ORDER, 2, 0, SERIAL)

    moved = views.column.keys[views.canonical + 1]
    np.testing.assert_array_equal(moved[0], moved[2])
    assert moved[0].tolist() != moved[1].tolist()


@laws
@given(splits, st.integers(1, 8), seeds)
def test_framed_views_are_the_frame_around_the_views(items: list[str], k: int, seed: int) -> None:
    split = framed_split(items)
    assert split.frame is not None

    views = draw_views(split, ORDER, k, seed, SERIAL)

    bare = by_item(draw_views(text_split(items), ORDER, k, seed, SERIAL))
    assert by_item(views) == [
        [split.frame.around(row, value) for value in values] for row, values in enumerate(bare)
    ]
    values = fetched(views.column)
    expected = content_keys([values[row] for row in range(len(values))])
    np.testing.assert_array_equal(views.column.keys, expected)


def test_one_passage_under_two_questions_has_two_latents() -> None:
    views = draw_views(framed_split(["One. Two."] * 2), ORDER, 2, 0, SERIAL)

    assert len(np.unique(views.column.keys, axis=0)) == 4


@pytest.mark.parametrize("symmetry", [CROPS, FLIPS], ids=["crops", "flips"])
def test_views_of_images_are_what_their_elements_make_of_them(symmetry: View) -> None:
    split = image_split()

    views = draw_views(split, symmetry, 3, 5, SERIAL)

    images = fetched(split.input)
    for item, values in enumerate(by_item(views)):
        expected = symmetry.views(images[item], 3, 5).values
        np.testing.assert_array_equal(np.stack(values), np.stack(expected))
    assert views.column.kind == "image"
    assert views.exact.tolist() == [symmetry is FLIPS] * 4


@laws
@given(st.data())
def test_views_of_images_come_in_any_order_of_rows(data: st.DataObject) -> None:
    column = draw_views(image_split(), CROPS, 3, 0, SERIAL).column
    rows = data.draw(st.lists(st.integers(0, len(column) - 1), unique=True))

    found, every = fetched(column, rows), fetched(column)

    for row in rows:
        np.testing.assert_array_equal(found[row], every[row])


def test_only_images_whose_views_are_asked_for_are_materialised() -> None:
    split = image_split()
    asked: list[int] = []

    class Watched(ArrayColumn):
        def fetch(self, rows: Any, executor: Any) -> Any:
            asked.extend(rows.tolist())
            return super().fetch(rows, executor)

    images = np.stack(list(fetched(split.input).values()))
    watched = labelled(Watched(images, "image", split.input.keys))
    column = draw_views(watched, CROPS, 3, 0, SERIAL).column
    asked.clear()

    fetched(column, [4, 3, 10])

    assert sorted(asked) == [1, 3]


def test_images_have_the_keys_of_their_content_but_for_the_identity() -> None:
    split = image_split()

    views = draw_views(split, CROPS, 3, 0, SERIAL)

    values = fetched(views.column)
    expected = content_keys([values[row] for row in range(len(values))])
    expected = expected.copy()
    expected[views.canonical] = split.input.keys
    np.testing.assert_array_equal(views.column.keys, expected)


@pytest.mark.parametrize(
    ("split", "symmetry"),
    [
        (text_split([" ".join(f"Number {n}." for n in range(12)), "One. Two."]), ORDER),
        (framed_split([" ".join(f"Number {n}." for n in range(12)), "One. Two."]), ORDER),
        (image_split(), CROPS),
    ],
    ids=["texts", "framed", "images"],
)
def test_the_views_of_a_smaller_number_are_among_those_of_a_larger(
    split: Labelled, symmetry: Any
) -> None:
    fewer = draw_views(split, symmetry, 8, 3, SERIAL)
    more = draw_views(split, symmetry, 16, 3, SERIAL)

    assert {*map(bytes, fewer.column.keys)} < {*map(bytes, more.column.keys)}
    assert (fewer.groups.sizes <= more.groups.sizes).all()


def test_equal_seeds_give_equal_views_and_others_give_others() -> None:
    split = text_split([" ".join(f"Number {n}." for n in range(12))])

    first, same, other = (draw_views(split, ORDER, 8, seed, SERIAL) for seed in (0, 0, 1))

    np.testing.assert_array_equal(first.column.keys, same.column.keys)
    assert by_item(first) == by_item(same)
    assert set(by_item(first)[0]) != set(by_item(other)[0])


@pytest.mark.parametrize("split", [text_split, framed_split])
def test_an_item_that_the_symmetry_does_not_act_on_is_named(split: Any) -> None:
    items = Order(OrderConfig(unit="items"))

    with pytest.raises(DataError, match=r"^item 0: order of items takes a list") as caught:
        draw_views(split(["One. Two."]), items, 2, 0, SERIAL)
    assert caught.value.hint is not None


def test_a_column_that_keeps_an_item_back_is_refused() -> None:
    class Leaky(ArrayColumn):
        def fetch(self, rows: Any, executor: Any) -> Any:
            return super().fetch(rows[rows != 1], executor)

    with pytest.raises(DataError, match="item 1 was asked for, but its column did not give it"):
        draw_views(labelled(Leaky(["a", "b", "c"], "text")), ORDER, 2, 0, SERIAL)


def test_a_split_without_items_has_no_views() -> None:
    with pytest.raises(DataError, match="there are no items"):
        draw_views(text_split([]), ORDER, 2, 0, SERIAL)


def test_no_views_cannot_be_asked_for() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        draw_views(text_split(["One."]), ORDER, 0, 0, SERIAL)
