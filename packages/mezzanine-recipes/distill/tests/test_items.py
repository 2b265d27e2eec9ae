import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.warrant import ViewGroups
from mezzanine_core.worlds import ArrayColumn
from mezzanine_recipes_distill.items import ChosenRows, Items, hold_out, part_of, rows_of

sizes = st.lists(st.integers(1, 5), min_size=2, max_size=12).map(np.array)


@given(sizes=sizes, data=st.data())
def test_part_of_items_has_all_of_their_views_and_no_others(sizes, data):
    groups = ViewGroups(sizes, sizes + 1.0)
    chosen = np.array(data.draw(st.permutations(range(len(sizes)))))[: len(sizes) // 2 + 1]
    item = np.repeat(np.arange(len(sizes)), sizes)
    rows = rows_of(groups, chosen)
    assert item[rows].tolist() == [one for one in chosen for _ in range(sizes[one])]
    assert sorted(rows.tolist()) == sorted(np.flatnonzero(np.isin(item, chosen)).tolist())
    part = part_of(groups, chosen)
    assert part.orbit_sizes.tolist() == (sizes[chosen] + 1.0).tolist()
    assert rows[part.starts()].tolist() == groups.starts()[chosen].tolist()


def test_part_keeps_what_belongs_together():
    sizes = np.array([2, 1, 3])
    views = [f"item {item} view {view}" for item in range(3) for view in range(sizes[item])]
    numbers = np.arange(6, dtype=np.float32)[:, None]
    items = Items(
        ArrayColumn(views, "text"),
        ViewGroups(sizes, np.array([2.0, 1.0, 6.0])),
        numbers,
        np.array([0, 1, 0]),
        numbers.astype(np.float64),
    )
    part = items.part(np.array([2, 0]))
    assert part.label.tolist() == [0, 0]
    assert part.latents[:, 0].tolist() == part.beliefs[:, 0].tolist() == [3, 4, 5, 0, 1]
    assert part.canonical[:, 0].tolist() == [3, 0]
    assert fetched(part.column, np.arange(5)) == [*views[3:], *views[:2]]


@given(data=st.data(), count=st.integers(1, 600))
def test_chosen_rows_give_the_items_of_the_column(data, count):
    base = ArrayColumn([f"text {row}" for row in range(count)], "text")
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    rows = rng.permutation(count)[: data.draw(st.integers(1, count))]
    column = ChosenRows(base, rows)
    asked = rng.permutation(len(rows))
    assert fetched(column, asked) == [f"text {rows[row]}" for row in asked]
    assert np.array_equal(column.keys, base.keys[rows])


@given(
    clusters=st.lists(st.integers(0, 6), min_size=2, max_size=30).filter(lambda c: len(set(c)) > 1),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 5),
)
def test_equal_items_are_held_out_together_and_never_all(clusters, share, seed):
    clusters = np.array(clusters)
    fit, held = hold_out(clusters, share, np.random.default_rng(seed))
    assert sorted([*fit, *held]) == list(range(len(clusters)))
    assert not set(clusters[fit]) & set(clusters[held])
    assert len(fit)
    assert len(held)


def test_share_is_held_out():
    fit, held = hold_out(np.arange(100), 0.2, np.random.default_rng(0))
    assert (len(fit), len(held)) == (80, 20)
    again = hold_out(np.arange(100), 0.2, np.random.default_rng(0))
    assert np.array_equal(again[1], held)
    other = hold_out(np.arange(100), 0.2, np.random.default_rng(1))
    assert not np.array_equal(other[1], held)


def fetched(column, rows):
    with LocalExecutor(LocalConfig(workers=1)) as executor:
        found = {
            row: item
            for part, batch in column.fetch(rows, executor)
            for row, item in zip(part.tolist(), batch, strict=True)
        }
    return [found[row] for row in rows]
