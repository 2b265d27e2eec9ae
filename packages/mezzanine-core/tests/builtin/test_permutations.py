"""Laws of permutations of multisets, against enumerating all permutations."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.builtin.permutations import Parts, count_orders, distinct_orders

laws = settings(deadline=None, max_examples=60)
multisets = st.lists(st.integers(0, 3), max_size=6)


@laws
@given(multisets)
def test_each_distinct_order_comes_once(labels):
    orders = [tuple(labels[place] for place in order) for order in distinct_orders(labels)]
    assert len(orders) == len(set(orders)) == count_orders(labels)
    assert set(orders) == set(itertools.permutations(labels))


@laws
@given(multisets)
def test_orders_are_permutations_and_the_original_order_is_the_identity(labels):
    for order in distinct_orders(labels):
        assert sorted(order) == list(range(len(labels)))
        if [labels[place] for place in order] == labels:
            assert order == tuple(range(len(labels)))


def test_orders_of_many_repeated_parts_come_without_passing_over_all_permutations():
    labels = ["a"] * 30 + ["b"]
    assert len(list(distinct_orders(labels))) == count_orders(labels) == 31


def test_a_long_orbit_is_lazy():
    orders = distinct_orders(range(100))
    assert next(orders) == tuple(range(100))
    assert next(orders) == (*range(98), 99, 98)


@given(st.integers(0, 6), st.integers(0, 8), st.integers(0, 8))
def test_movable_places_lie_between_those_that_stay(n, first, last):
    movable = Parts(range(n), join=list, first=first, last=last).movable()
    assert list(movable) == [place for place in range(n) if first <= place < n - last]
    assert 0 <= movable.start <= movable.stop <= n
