"""Laws that every symmetry has to obey, as assertions to be tried on many items.

Each takes a symmetry and an item; a property test (with hypothesis, say) supplies the items::

    @given(st.lists(st.text()), st.integers(1, 20), st.integers(0, 99))
    def test_views_are_distinct(items, k, seed):
        check_views(MySymmetry(MyConfig()), items, k, seed)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mezzanine_core.symmetries import GroupSymmetry, Symmetry, Views, value_key


def check_identity(symmetry: Symmetry[Any, Any, Any], x: Any) -> None:
    """The identity gives the item back losslessly."""
    assert value_key(symmetry.act(symmetry.identity(x), x)) == value_key(x)


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
    assert keys == _keys(symmetry.act(element, x) for element in views.elements)
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


def check_group(symmetry: GroupSymmetry[Any, Any, Any], x: Any, a: Any, b: Any) -> None:
    """Composing elements is acting with one after the other, inverses undo, the orbit is closed.

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
    assert symmetry.compose(inverse, a) == symmetry.compose(a, inverse) == identity
    assert symmetry.compose(a, identity) == symmetry.compose(identity, a) == a
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
