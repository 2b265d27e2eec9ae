"""Laws of symmetries; and assertions on one item each, to be tried on many.

Each assertion takes a symmetry and an item; a property test (with hypothesis, say) supplies them::

    @given(st.lists(st.text()), st.integers(1, 20), st.integers(0, 99))
    def test_views_are_distinct(items, k, seed):
        check_views(MySymmetry(MyConfig()), items, k, seed)
"""

from __future__ import annotations

import copy
import itertools
import pickle
import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from mezzanine_core.errors import MezzError
from mezzanine_core.symmetries import GroupSymmetry, Symmetry, Views, value_key
from mezzanine_core.testing import fingerprints
from mezzanine_core.testing.laws import BrokenLawError, Law, NotApplicableError, law, require
from mezzanine_core.testing.portraits import views_portrait
from mezzanine_core.testing.subject import Case


def check_identity(symmetry: Symmetry[Any, Any, Any], x: Any) -> None:
    """The identity gives the item back losslessly."""
    kept = value_key(symmetry.act(symmetry.identity(x), x)) == value_key(x)
    assert kept, "the identity changes the item"


def check_views(symmetry: Symmetry[Any, Any, Any], x: Any, k: int, seed: int) -> Views[Any, Any]:
    """Views are distinct, identity first, equal for equal seeds, and exact where they are few.

    Returns:
        The views, for further checks.
    """
    views, again = symmetry.views(x, k, seed), symmetry.views(x, k, seed)
    keys = _keys(views.values)
    assert views.elements == again.elements, "the same seed gave other elements"
    assert keys == _keys(again.values), "the same seed gave other values"
    assert views.elements[0] == symmetry.identity(x), "the first view is not the identity"
    assert keys[0] == value_key(x), "the first view is not the item"
    acted = _keys(symmetry.act(element, x) for element in views.elements)
    assert keys == acted, "the values are not what the elements make of the item"
    assert len(set(keys)) == len(keys) <= k, "views repeat, or are too many"
    size = symmetry.orbit_size(x)
    assert views.exact == (size is not None and size <= k), "exactness is stated wrongly"
    assert size is None or len(keys) == min(k, size), f"{len(keys)} views of {size}, asked for {k}"
    fewer = _keys(symmetry.views(x, max(1, k // 2), seed).values)
    assert set(fewer) <= set(keys), "asking for more views gave others"
    return views


def check_orbit(
    symmetry: Symmetry[Any, Any, Any], x: Any, reachable: Iterable[Any] | None = None
) -> None:
    """The orbit starts with the identity, repeats nothing, and is as large as stated.

    Args:
        symmetry: One whose orbit of ``x`` can be enumerated.
        x: An item with a small orbit.
        reachable: Every realisation of ``x``, found by other means; repetitions do not matter.
    """
    orbit = symmetry.orbit(x)
    assert orbit is not None, "the orbit cannot be enumerated"
    elements = list(orbit)
    keys = _keys(symmetry.act(element, x) for element in elements)
    assert elements[0] == symmetry.identity(x), "the orbit does not start with the identity"
    assert len(set(keys)) == len(keys), "the orbit repeats a realisation"
    assert len(keys) == symmetry.orbit_size(x), "the orbit has another size than stated"
    assert reachable is None or set(keys) == set(_keys(reachable)), "the orbit is not complete"


_CLOSED_BELOW = 200
"""Orbits of up to this many elements are compared element by element."""

_DRAWS = 6
"""Elements that are drawn for each item."""

_VIEWS = (1, 2, 5, 24)
"""Numbers of views that are asked for."""


def check_group(symmetry: GroupSymmetry[Any, Any, Any], x: Any, a: Any, b: Any) -> None:
    """Composing is associative and acts in turn, inverses undo, the orbit is closed.

    Closed: an item that was acted on has the same orbit as the item, compared in full where it can
    be enumerated and is small, by its size otherwise.

    Args:
        symmetry: One whose elements form a group.
        x: An item.
        a: An element that can act on ``x``.
        b: Another.
    """
    moved = symmetry.act(a, x)
    identity, inverse = symmetry.identity(x), symmetry.inverse(a)
    composed = symmetry.act(symmetry.compose(b, a), x)
    assert value_key(composed) == value_key(symmetry.act(b, moved)), "composition is not in turn"
    assert value_key(symmetry.act(inverse, moved)) == value_key(x), "the inverse does not undo"
    undone = symmetry.compose(inverse, a) == symmetry.compose(a, inverse) == identity
    assert undone, "an element composed with its inverse is not the identity"
    kept = symmetry.compose(a, identity) == symmetry.compose(identity, a) == a
    assert kept, "an element composed with the identity is another one"
    left = symmetry.compose(symmetry.compose(a, b), a)
    right = symmetry.compose(a, symmetry.compose(b, a))
    assert left == right, "what three elements compose to hangs on where brackets are"
    size = symmetry.orbit_size(x)
    assert symmetry.orbit_size(moved) == size, "an orbit is left by acting"
    if size is not None and size <= _CLOSED_BELOW:
        assert _realisations(symmetry, moved) == _realisations(symmetry, x), (
            "an orbit is left by acting"
        )


def _realisations(symmetry: Symmetry[Any, Any, Any], x: Any) -> set[bytes]:
    return set(_keys(symmetry.act(element, x) for element in symmetry.orbit(x) or ()))


def _keys(values: Iterable[Any]) -> list[bytes]:
    return [value_key(value) for value in values]


@law("Let identity(x) be the element that does nothing, so that act gives x back, to the letter.")
def the_identity_changes_nothing(case: Case) -> None:
    """The identity gives every item back as it is."""
    for item in case.items:
        check_identity(case.instance, item)


@law("Let sample() draw other elements than the identity, and act() apply them.")
def some_item_is_changed(case: Case) -> None:
    """One of the items at least has a view besides itself."""
    if all(len(case.instance.views(item, 2, 0).values) < 2 for item in case.items):
        if case.lenient:
            raise NotApplicableError("it changes none of the items that were tried")
        raise BrokenLawError("no item has a view besides itself")


@law("Copy before you change, in act(), sample() and orbit(): the item belongs to the caller.")
def acting_leaves_the_item_alone(case: Case) -> None:
    """Drawing and acting do not change the item, and acting again gives the same."""
    for item, element in _drawn(case):
        before, kept = value_key(item), copy.deepcopy(item)
        first = value_key(case.instance.act(element, item))
        again = value_key(case.instance.act(element, item))
        require(value_key(item) == before, f"acting with {element!r} changed the item {kept!r}")
        require(first == again, f"acting twice with {element!r} gave two different values")


@law("Make elements tuples, frozen dataclasses, or other plain values without references.")
def elements_are_plain_values(case: Case) -> None:
    """Elements are hashable, survive pickling as equals, and act the same after it."""
    for item, element in _drawn(case):
        try:
            hash(element)
            revived = pickle.loads(pickle.dumps(element))
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise BrokenLawError(f"the element {element!r} is no plain value: {what}") from error
        require(revived == element, f"the element {element!r} is not equal to its pickled self")
        require(
            value_key(case.instance.act(revived, item))
            == value_key(case.instance.act(element, item)),
            f"the element {element!r} acts otherwise after pickling",
        )


@law("Draw from the generator that sample() is given, and from nothing else.")
def draws_come_from_the_given_generator(case: Case) -> None:
    """The same generator gives the same elements; no global generator is used."""
    before = random.getstate(), pickle.dumps(np.random.get_state())
    for item in case.items:
        one, other = (np.random.default_rng(7) for _ in range(2))
        for _ in range(_DRAWS):
            drawn, again = (case.instance.sample(item, rng) for rng in (one, other))
            require(drawn == again, f"the same generator gave {drawn!r} and {again!r}")
    after = random.getstate(), pickle.dumps(np.random.get_state())
    require(before == after, "it draws from a global generator")


@law("Leave views() as Symmetry has it, or keep to what its docstring promises.")
def views_are_distinct_and_repeatable(case: Case) -> None:
    """Views differ, begin with the identity, follow from the seed, and are exact where few."""
    for item, k, seed in itertools.product(case.items, _VIEWS, (0, 5)):
        check_views(case.instance, item, k, seed)


@law("Let nothing enter but the item and the seed: no hash(), no set order, no global state.")
def views_are_the_same_in_another_process(case: Case) -> None:
    """Another process gives the same views."""
    here, there = views_portrait(case.instance, case.items), case.elsewhere["views"]
    for number, (one, other) in enumerate(zip(here, there, strict=True)):
        require(one == other, f"item {number} has other views in another process")


@law("Let orbit() give each distinct realisation once, identity first, as many as orbit_size says.")
def orbits_are_exact(case: Case) -> None:
    """Orbits begin with the identity, repeat nothing, and are as large as orbit_size says."""
    for item in _with_small_orbits(case):
        check_orbit(case.instance, item)


@law("Let orbit() reach whatever sample() can draw.")
def draws_stay_within_the_orbit(case: Case) -> None:
    """What a drawn element makes of an item is in its orbit."""
    for item in _with_small_orbits(case):
        reachable = _realisations(case.instance, item)
        for element in _elements(case, item):
            inside = value_key(case.instance.act(element, item)) in reachable
            require(inside, f"the drawn element {element!r} leaves the orbit of the item")


@law("Let compose(second, first) act as first, then second, and inverse(a) undo a.")
def elements_form_a_group(case: Case) -> None:
    """Elements compose, have inverses, and do not leave the orbit."""
    if not isinstance(case.instance, GroupSymmetry):
        raise NotApplicableError("it is no GroupSymmetry: its elements need no inverses")
    for item in case.items:
        drawn = list(_elements(case, item))
        for first, second in itertools.pairwise(drawn):
            check_group(case.instance, item, first, second)


@law("Let act() give back unchanged what `part` names if the symmetry does not move that.")
def other_parts_come_back_unchanged(case: Case) -> None:
    """A part that the symmetry leaves alone comes back as it is."""
    other = np.arange(6, dtype=np.float32)
    for _, element in _drawn(case):
        found = case.instance.act(element, other, "a part that nobody moves")
        require(value_key(found) == value_key(other), "a part that it does not know is changed")


@law("Check the item first, and raise mezzanine_core.errors.DataError that says what it is.")
def what_it_cannot_act_on_is_refused(case: Case) -> None:
    """An item that is nothing the symmetry acts on raises a typed error."""
    try:
        case.instance.views(object(), 2, 0)
    except MezzError:
        return
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise BrokenLawError(f"views of an object() raise {what}, no MezzError") from error
    raise BrokenLawError("an object() has views")


def _elements(case: Case, item: Any) -> Iterator[Any]:
    rng = np.random.default_rng(3)
    for _ in range(_DRAWS):
        try:
            yield case.instance.sample(item, rng)
        except MezzError:
            return  # an item may be too small to draw for, as one sample is for a derangement


def _drawn(case: Case) -> Iterator[tuple[Any, Any]]:
    """Every item with each of some elements that can act on it."""
    for item in case.items:
        for element in _elements(case, item):
            yield item, element


def _with_small_orbits(case: Case) -> list[Any]:
    sizes = [(item, case.instance.orbit_size(item)) for item in case.items]
    small = [item for item, size in sizes if size is not None and size <= _CLOSED_BELOW]
    if not small:
        raise NotApplicableError("none of the items has an orbit that is small enough to enumerate")
    return small


LAWS: tuple[Law, ...] = (
    the_identity_changes_nothing,
    some_item_is_changed,
    acting_leaves_the_item_alone,
    elements_are_plain_values,
    draws_come_from_the_given_generator,
    views_are_distinct_and_repeatable,
    views_are_the_same_in_another_process,
    orbits_are_exact,
    draws_stay_within_the_orbit,
    elements_form_a_group,
    other_parts_come_back_unchanged,
    what_it_cannot_act_on_is_refused,
    *fingerprints.LAWS,
)
