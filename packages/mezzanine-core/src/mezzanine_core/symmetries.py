"""The symmetry contract: what may change without changing the meaning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from mezzanine_core.config import SymmetryConfig
from mezzanine_core.errors import ConfigError
from mezzanine_core.fingerprint import content_keys, fingerprint, item_key

C = TypeVar("C", bound=SymmetryConfig)
X = TypeVar("X")
G = TypeVar("G", bound=Hashable)

_SMALL_ORBIT = 128
"""Orbits of up to this size are enumerated to be drawn from, whatever number is asked for."""

_FRUITLESS_DRAWS = 256
"""Draws in a row without a new realisation after which drawing ends."""


@dataclass(frozen=True, eq=False)
class Views(Generic[X, G]):
    """Several realisations of one item.

    Attributes:
        elements: The group elements, identity first, all giving different values.
        values: What each element makes of the item, in the same order.
        orbit_size: How many distinct realisations there are in all; ``None`` where unknown.
    """

    elements: tuple[G, ...]
    values: tuple[X, ...]
    orbit_size: int | None

    @property
    def exact(self) -> bool:
        """Whether these are the whole orbit."""
        return self.orbit_size == len(self.values)


class Symmetry(ABC, Generic[C, X, G]):
    """A family of transformations with explicit elements.

    Elements are hashable, picklable values. They carry everything random: acting is deterministic.

    Args:
        config: The symmetry's settings.

    Attributes:
        family: Name of the family, part of the fingerprint.
        code_version: Grows with every change of what an element does or of what is drawn from a
            seed; part of the fingerprint.
    """

    family: ClassVar[str]
    code_version: ClassVar[int]

    def __init__(self, config: C) -> None:
        self.config = config

    def fingerprint(self) -> str:
        """Names the family, its settings and the version of its code."""
        settings = self.config.fingerprint_payload()
        # How the user spelled the component ("order", "order@dist") is not what it is.
        settings.pop("name")
        return fingerprint(
            {"symmetry": self.family, "code_version": self.code_version, "config": settings}
        )

    @abstractmethod
    def identity(self, x: X) -> G:
        """The element that leaves ``x`` as it is: ``act(identity(x), x) == x``, losslessly."""

    @abstractmethod
    def sample(self, x: X, rng: np.random.Generator) -> G:
        """Draw an element that can act on ``x``. All randomness comes from ``rng``."""

    @abstractmethod
    def act(self, element: G, x: Any, part: str = "input") -> Any:
        """Apply an element.

        Args:
            element: From :meth:`identity`, :meth:`sample` or :meth:`orbit`.
            x: The item, or another part of the sample that the symmetry moves along with it.
            part: Which part ``x`` is: ``input``, or for instance ``action`` for a flip that
                mirrors the action too. Parts that the symmetry leaves alone come back unchanged.
        """

    @abstractmethod
    def orbit(self, x: X) -> Iterator[G] | None:
        """Elements that give every distinct realisation of ``x`` exactly once, identity first.

        Lazy: an orbit may be large. ``None`` where it cannot be enumerated (a continuous family).
        """

    @abstractmethod
    def orbit_size(self, x: X) -> int | None:
        """How many distinct realisations :meth:`orbit` gives, without enumerating them.

        ``None`` where it cannot be enumerated.
        """

    def views(self, x: X, k: int, seed: int) -> Views[X, G]:
        """At most ``k`` distinct realisations of ``x``, the identity first.

        If the orbit has at most ``k`` elements it is enumerated exactly; otherwise ``k`` distinct
        elements are drawn without replacement, deterministically in ``x`` and ``seed``. The views
        for a smaller ``k`` are among those for a larger one, so that asking for more encodes only
        the new ones. There are fewer than ``k`` that are not the whole orbit only where the orbit
        cannot be enumerated and draws stopped giving anything new (crops of a uniform image, say).

        Args:
            x: The item.
            k: How many views at most, identity included; at least 1.
            seed: Seeds the draws, together with the content of ``x``; not negative.

        Raises:
            ConfigError: If ``k`` is less than one.
        """
        if k < 1:
            raise ConfigError(f"the number of views must be at least 1, not {k}")
        size = self.orbit_size(x)
        rng = np.random.default_rng([seed, int.from_bytes(value_key(x), "big")])
        if size is not None and size <= max(k, _SMALL_ORBIT):
            orbit = tuple(self.orbit(x) or ())
            order = 1 + rng.permutation(len(orbit) - 1)[: k - 1]
            elements = (orbit[0], *(orbit[place] for place in order))
            return Views(elements, tuple(self.act(one, x) for one in elements), size)
        drawn, values = zip(*islice(self._distinct(x, rng), k), strict=True)
        return Views(drawn, values, size)

    def _distinct(self, x: X, rng: np.random.Generator) -> Iterator[tuple[G, X]]:
        """Elements with different values: the identity, draws, then what the orbit has left."""
        seen: set[bytes] = set()
        last_new = 0
        draws = (self.sample(x, rng) for _ in count())
        for turn, element in enumerate(chain([self.identity(x)], draws)):
            if turn - last_new > _FRUITLESS_DRAWS:
                break
            value = self.act(element, x)
            key = value_key(value)
            if key not in seen:
                last_new = turn
                seen.add(key)
                yield element, value
        for element in self.orbit(x) or ():
            value = self.act(element, x)
            key = value_key(value)
            if key not in seen:
                yield element, value


class GroupSymmetry(Symmetry[C, X, G]):
    """A symmetry whose elements form a group: they compose and have inverses."""

    @abstractmethod
    def compose(self, second: G, first: G) -> G:
        """The element that acts as ``first``, then ``second``."""

    @abstractmethod
    def inverse(self, element: G) -> G:
        """The element that undoes ``element``."""


def value_key(value: Any) -> bytes:
    """A 16-byte key that values share exactly if they are equal, order included.

    Args:
        value: An array, text, bytes, or JSON-able values; two mappings with the same items in a
            different order are different.

    Raises:
        ConfigError: If the value has no canonical form.
    """
    if isinstance(value, str | bytes | np.ndarray):
        return content_keys([value]).tobytes()
    if isinstance(value, Mapping):
        value = [[key, item] for key, item in value.items()]
    return item_key("", value)
