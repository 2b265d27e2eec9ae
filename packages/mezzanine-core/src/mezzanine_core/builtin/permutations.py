"""Permutations as tuples, and the symmetries whose elements they are."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

import numpy as np

from mezzanine_core.errors import DataError
from mezzanine_core.symmetries import C, GroupSymmetry, X

Permutation = tuple[int, ...]
"""Place ``i`` of the result holds what stood at place ``element[i]``."""


@dataclass(frozen=True, slots=True)
class Parts(Generic[X]):
    """An item taken apart.

    Attributes:
        labels: One for each part in its original order; parts of equal label are interchangeable.
        join: Puts the parts together in another order.
        first: How many parts at the start stay in place.
        last: How many parts at the end stay in place.
    """

    labels: Sequence[Hashable]
    join: Callable[[Permutation], X]
    first: int = 0
    last: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def movable(self) -> range:
        """The places between those that stay."""
        start = min(self.first, len(self))
        return range(start, max(start, len(self) - self.last))

    def movable_labels(self) -> list[Hashable]:
        """Labels of the parts that may move."""
        return [self.labels[place] for place in self.movable()]


class PermutationSymmetry(GroupSymmetry[C, X, Permutation]):
    """A symmetry that rearranges the parts of an item.

    Attributes:
        moves: Parts of a sample that elements act on.
    """

    moves: ClassVar[frozenset[str]] = frozenset({"input"})

    @abstractmethod
    def parts(self, x: X) -> Parts[X]:
        """What ``x`` consists of, and what of it may move.

        Raises:
            DataError: If ``x`` is nothing that this symmetry can take apart.
        """

    def identity(self, x: X) -> Permutation:
        """The order as it is."""
        return tuple(range(len(self.parts(x))))

    def sample(self, x: X, rng: np.random.Generator) -> Permutation:
        """An order drawn uniformly from those that leave the pinned parts in place."""
        parts = self.parts(x)
        element = np.arange(len(parts))
        movable = parts.movable()
        element[movable.start : movable.stop] = rng.permutation(np.asarray(movable, dtype=np.int64))
        return tuple(element.tolist())

    def act(self, element: Permutation, x: Any, part: str = "input") -> Any:
        """Rearrange ``x``; parts of a sample that the symmetry does not move come back unchanged.

        Raises:
            DataError: If the element is not a permutation of the parts of ``x``, or moves one that
                stays in place.
        """
        if part not in self.moves:
            return x
        parts = self.parts(x)
        places = range(len(parts))
        if sorted(element) != list(places):
            raise DataError(
                f"{_shown(element)} is not a permutation of the {len(places)} parts of this item"
            )
        movable = parts.movable()
        if any(element[place] != place for place in places if place not in movable):
            raise DataError(f"{_shown(element)} moves a part that stays in place")
        return parts.join(element)

    def orbit(self, x: X) -> Iterator[Permutation]:
        """Every distinct arrangement once, identity first, the others in lexicographic order."""
        parts = self.parts(x)
        identity = tuple(range(len(parts)))
        movable = parts.movable()
        head, tail = identity[: movable.start], identity[movable.stop :]
        yield identity
        for order in distinct_orders(parts.movable_labels()):
            element = (*head, *(movable.start + place for place in order), *tail)
            if element != identity:
                yield element

    def orbit_size(self, x: X) -> int:
        """The multinomial coefficient of the multiplicities of the movable parts."""
        return count_orders(self.parts(x).movable_labels())

    def compose(self, second: Permutation, first: Permutation) -> Permutation:
        """The permutation that acts as ``first``, then ``second``."""
        return tuple(first[place] for place in second)

    def inverse(self, element: Permutation) -> Permutation:
        """The permutation that undoes ``element``."""
        undone = [0] * len(element)
        for place, source in enumerate(element):
            undone[source] = place
        return tuple(undone)


def count_orders(labels: Sequence[Hashable]) -> int:
    """How many distinct orders a multiset has: n! over the factorials of the multiplicities."""
    count = math.factorial(len(labels))
    for multiplicity in Counter(labels).values():
        count //= math.factorial(multiplicity)
    return count


def distinct_orders(labels: Sequence[Hashable]) -> Iterator[Permutation]:
    """One permutation for each distinct order of ``labels``, without passing over repeated ones.

    Algorithm L of Knuth, The Art of Computer Programming 7.2.1.2, over the labels numbered by first
    appearance; parts of equal label keep their original order, so an order that equals the original
    one is given by the identity.
    """
    numbers: dict[Hashable, int] = {}
    sequence = sorted(numbers.setdefault(label, len(numbers)) for label in labels)
    places: list[list[int]] = [[] for _ in numbers]
    for place, label in enumerate(labels):
        places[numbers[label]].append(place)
    while True:
        sources = [iter(group) for group in places]
        yield tuple(next(sources[number]) for number in sequence)
        pivot = len(sequence) - 2
        while pivot >= 0 and sequence[pivot] >= sequence[pivot + 1]:
            pivot -= 1
        if pivot < 0:
            return
        swap = len(sequence) - 1
        while sequence[pivot] >= sequence[swap]:
            swap -= 1
        sequence[pivot], sequence[swap] = sequence[swap], sequence[pivot]
        sequence[pivot + 1 :] = sequence[:pivot:-1]


def _shown(element: Permutation) -> str:
    return str(element) if len(element) <= 12 else f"an element of {len(element)} places"
