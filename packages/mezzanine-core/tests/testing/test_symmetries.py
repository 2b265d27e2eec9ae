"""The laws for plugin authors find the symmetries that break them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mezzanine_core.builtin.configs import OrderConfig
from mezzanine_core.builtin.order import Order
from mezzanine_core.builtin.permutations import Permutation
from mezzanine_core.symmetries import Views
from mezzanine_core.testing.symmetries import check_group, check_identity, check_orbit, check_views

ITEMS = [*"abc"]
CONFIG = OrderConfig(unit="items")
SWAP: Permutation = (1, 0, 2)
TURN: Permutation = (1, 2, 0)


class MovingIdentity(Order):
    def identity(self, x: object) -> Permutation:
        return SWAP


class OneWay(Order):
    def inverse(self, element: Permutation) -> Permutation:
        return element


class Backwards(Order):
    def compose(self, second: Permutation, first: Permutation) -> Permutation:
        return super().compose(first, second)


class Repeating(Order):
    def orbit(self, x: object) -> Iterator[Permutation]:
        yield from super().orbit(x)
        yield SWAP


class Forgetful(Order):
    def orbit(self, x: object) -> Iterator[Permutation]:
        yield from [*super().orbit(x)][:-1]


class Shuffled(Order):
    def orbit(self, x: object) -> Iterator[Permutation]:
        yield from reversed([*super().orbit(x)])


class Fickle(Order):
    turn = 0

    def views(self, x: object, k: int, seed: int) -> Views[object, Permutation]:
        self.turn += 1
        return super().views(x, k, seed + self.turn)


class Boastful(Order):
    def views(self, x: object, k: int, seed: int) -> Views[object, Permutation]:
        views = super().views(x, k, seed)
        return Views(views.elements, views.values, len(views.values))


class Bracketing(Order):
    """Confuses the first two places after a turn, which acts alike where they hold equal items."""

    def compose(self, second: Permutation, first: Permutation) -> Permutation:
        composed = super().compose(second, first)
        if second != TURN or {first, composed} & {(0, 1, 2)}:
            return composed
        return tuple({0: 1, 1: 0}.get(place, place) for place in composed)


class Wandering(Order):
    """Has an orbit of three turns, from which swaps lead away."""

    def orbit(self, x: object) -> Iterator[Permutation]:
        return iter([(0, 1, 2), (1, 2, 0), (2, 0, 1)])

    def orbit_size(self, x: object) -> int:
        return 3


def test_an_honest_symmetry_passes() -> None:
    symmetry = Order(CONFIG)
    check_identity(symmetry, ITEMS)
    check_group(symmetry, ITEMS, SWAP, TURN)
    check_orbit(symmetry, ITEMS)
    check_views(symmetry, ITEMS, 4, 0)


def test_an_identity_that_moves_is_found() -> None:
    with pytest.raises(AssertionError):
        check_identity(MovingIdentity(CONFIG), ITEMS)
    with pytest.raises(AssertionError, match="the first view is not the identity"):
        check_views(MovingIdentity(CONFIG), ITEMS, 4, 0)


@pytest.mark.parametrize(
    ("symmetry", "words"),
    [
        (OneWay, "the inverse does not undo"),
        (Backwards, "composition is not in turn"),
        (Wandering, "an orbit is left by acting"),
    ],
)
def test_what_is_no_group_is_found(symmetry: type[Order], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_group(symmetry(CONFIG), ITEMS, SWAP if symmetry is Wandering else TURN, SWAP)


def test_composing_that_hangs_on_brackets_is_found() -> None:
    check_group(Order(CONFIG), ["a", "a", "b"], SWAP, TURN)
    with pytest.raises(AssertionError, match="hangs on where brackets are"):
        check_group(Bracketing(CONFIG), ["a", "a", "b"], SWAP, TURN)


@pytest.mark.parametrize(
    ("symmetry", "words"),
    [
        (Repeating, "repeats a realisation"),
        (Forgetful, "another size than stated"),
        (Shuffled, "does not start with the identity"),
    ],
)
def test_an_orbit_that_is_none_is_found(symmetry: type[Order], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_orbit(symmetry(CONFIG), ITEMS)


def test_an_orbit_that_misses_what_can_be_reached_is_found() -> None:
    with pytest.raises(AssertionError, match="the orbit is not complete"):
        check_orbit(Wandering(CONFIG), ITEMS, reachable=[["b", "a", "c"]])


@pytest.mark.parametrize(
    ("symmetry", "k", "words"),
    [
        (Fickle, 4, "the same seed gave other elements"),
        (Boastful, 4, "exactness is stated wrongly"),
        (Repeating, 10, "views repeat"),
    ],
)
def test_views_that_break_the_contract_are_found(symmetry: type[Order], k: int, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_views(symmetry(CONFIG), ITEMS, k, 0)
