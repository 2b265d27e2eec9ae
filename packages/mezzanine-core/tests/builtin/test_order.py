"""Laws of the symmetry `order`."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.builtin.configs import OrderConfig
from mezzanine_core.builtin.order import Order
from mezzanine_core.builtin.sentences import split_sentences
from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.testing.symmetries import check_group, check_identity, check_orbit, check_views

laws = settings(deadline=None, max_examples=60)
seeds = st.integers(0, 2**32 - 1)

SENTENCES = ["One.", "Two (or 2).", 'He said "Three."', "One.", "Five!", "So… six?"]
sentence_texts = st.lists(st.sampled_from(SENTENCES), max_size=5).flatmap(
    lambda units: st.lists(
        st.sampled_from([" ", "\n", "<br />"]), min_size=len(units), max_size=len(units)
    ).map(lambda gaps: "".join(unit + gap for unit, gap in zip(units, gaps, strict=True)))
)
ragged_texts = sentence_texts.map(lambda text: "lower first. " + text + "No stop")
line_texts = st.lists(st.sampled_from(["a", "b", "c d."]), max_size=5).map("\n".join)
item_lists = st.lists(st.sampled_from([1, 1.0, True, "1", None, [1], {"a": 1}]), max_size=5)

cases = st.one_of(
    st.tuples(st.just("sentences"), sentence_texts | ragged_texts),
    st.tuples(st.just("lines"), line_texts),
    st.tuples(st.just("items"), item_lists | item_lists.map(tuple)),
)
pins = st.tuples(st.integers(0, 2), st.integers(0, 2))


def order(unit="sentences", keep_first=0, keep_last=0):
    return Order(OrderConfig(unit=unit, keep_first=keep_first, keep_last=keep_last))


@laws
@given(cases, pins, seeds)
def test_orders_form_a_group_that_acts(case, pins, seed):
    (unit, x), rng = case, np.random.default_rng(seed)
    symmetry = order(unit, *pins)
    check_identity(symmetry, x)
    check_group(symmetry, x, symmetry.sample(x, rng), symmetry.sample(x, rng))


@laws
@given(cases, pins, st.integers(1, 30), seeds)
def test_views_are_distinct_with_the_identity_first(case, pins, k, seed):
    unit, x = case
    check_views(order(unit, *pins), x, k, seed)


@laws
@given(cases)
def test_the_orbit_is_what_all_permutations_reach(case):
    unit, x = case
    symmetry = order(unit)
    movable = symmetry.parts(x).movable()
    every = order_elements(len(symmetry.parts(x)), movable)
    check_orbit(symmetry, x, reachable=[symmetry.act(element, x) for element in every])


def order_elements(n, movable):
    for middle in itertools.permutations(movable):
        yield (*range(movable.start), *middle, *range(movable.stop, n))


@pytest.mark.parametrize("n", range(6))
def test_the_orbit_of_n_distinct_items_has_n_factorial_elements(n):
    assert order("items").orbit_size(list(range(n))) == math.factorial(n)


def test_repeated_sentences_give_one_text():
    text = "Same. Same. Other."
    views = order().views(text, 10, seed=0)
    assert views.exact
    assert set(views.values) == {text, "Same. Other. Same.", "Other. Same. Same."}


def test_kept_units_stay_in_place():
    symmetry = order("items", keep_first=1, keep_last=2)
    for element in symmetry.orbit([*"abcdef"]):
        moved = symmetry.act(element, [*"abcdef"])
        assert (moved[0], moved[-2:]) == ("a", ["e", "f"])
    assert symmetry.orbit_size([*"abcdef"]) == math.factorial(3)


@laws
@given(sentence_texts | ragged_texts, pins, st.integers(1, 12), seeds)
def test_views_hold_the_same_sentences_and_kept_ones_stay_in_place(text, pins, k, seed):
    first, last = pins
    units = split_sentences(text).units
    for value in order("sentences", first, last).views(text, k, seed).values:
        moved = split_sentences(value).units
        assert sorted(moved) == sorted(units)
        assert moved[:first] == units[:first]
        assert moved[len(units) - last :] == units[len(units) - last :]


ABBREVIATED = [
    "Mr. Smith met Dr. Jones.",
    "The U.S. Senate rose at 5 p.m. sharp.",
    "J. R. R. Tolkien wrote it.",
    "Fruit, e.g. Apples, costs $3.50.",
    'He said "Go. Now." and left.',
]


@laws
@given(st.lists(st.sampled_from(ABBREVIATED), min_size=2, max_size=4, unique=True), seeds)
def test_no_view_takes_a_sentence_apart_at_an_abbreviation(sentences, seed):
    symmetry = order()
    text = " ".join(sentences)
    views = symmetry.views(text, 30, seed)
    assert views.exact
    assert set(views.values) == {" ".join(each) for each in itertools.permutations(sentences)}


def test_separators_stay_in_place():
    assert order().act((2, 0, 1), " Aa.\n\nBb. Cc. ") == " Cc.\n\nAa. Bb. "


def test_a_sentence_that_would_run_into_its_neighbour_stays():
    values = order().views("and one. Two. Three. And no stop", 10, seed=0).values
    assert sorted(values) == [
        "and one. Three. Two. And no stop",
        "and one. Two. Three. And no stop",
    ]


def test_every_view_of_a_long_text_is_equally_likely():
    symmetry, items = order("items"), list(range(5))
    drawn = [symmetry.views(items, 2, seed).elements[1] for seed in range(3000)]
    counts = np.unique(np.array(drawn), axis=0, return_counts=True)[1]
    assert len(counts) == 119
    expected = 3000 / 119
    assert ((counts - expected) ** 2 / expected).sum() < 118 + 5 * math.sqrt(2 * 118)


@pytest.mark.parametrize("k", [100, 500, 719, 720, 721])
def test_most_of_an_orbit_can_be_asked_for(k):
    check_views(order("items"), [*"abcdef"], k, seed=0)


def test_texts_of_equal_length_get_different_orders_from_the_same_seed():
    symmetry = order("items")
    elements = {symmetry.views([text, *range(9)], 2, seed=0).elements[1] for text in "abcdefgh"}
    assert len(elements) == 8


def test_a_hundred_sentences_are_sampled_without_counting_their_orders_out():
    text = " ".join(f"Number {index}." for index in range(100))
    views = check_views(order(), text, 32, seed=1)
    assert len(views.values) == 32
    assert order().orbit_size(text) == math.factorial(100)


@pytest.mark.parametrize("element", [(0, 1), (0, 1, 2, 3), (0, 0, 1), (0, 1, 3)])
def test_an_element_of_another_item_is_refused(element):
    with pytest.raises(DataError, match="not a permutation of the 3 parts"):
        order("items").act(element, ["a", "b", "c"])


def test_an_element_that_moves_a_kept_unit_is_refused():
    with pytest.raises(DataError, match="stays in place"):
        order("items", keep_first=1).act((1, 0), ["a", "b"])


@pytest.mark.parametrize(("unit", "x"), [("items", "text"), ("sentences", ["a"]), ("lines", 3)])
def test_items_of_the_wrong_kind_are_refused(unit, x):
    with pytest.raises(DataError, match=f"order of {unit} takes"):
        order(unit).views(x, 2, seed=0)


def test_no_views_cannot_be_asked_for():
    with pytest.raises(ConfigError, match="at least 1"):
        order("items").views(["a"], 0, seed=0)


def test_parts_that_do_not_move_come_back_unchanged():
    assert order("items").act((1, 0), "label", part="label") == "label"


def test_the_fingerprint_covers_the_settings_but_not_how_the_name_is_spelled():
    base = Order(OrderConfig(name="order")).fingerprint()
    assert base == Order(OrderConfig(name="order@mezzanine-core")).fingerprint()
    for other in ({"unit": "lines"}, {"keep_first": 1}, {"keep_last": 1}):
        assert Order(OrderConfig(**other)).fingerprint() != base


def test_the_fingerprint_covers_the_version_of_the_code():
    class Later(Order):
        code_version = Order.code_version + 1

    assert Later(OrderConfig()).fingerprint() != order().fingerprint()
