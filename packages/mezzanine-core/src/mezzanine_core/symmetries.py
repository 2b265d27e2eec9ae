"""The symmetry contract: what may change without changing the meaning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from mezzanine_core.config import SymmetryConfig
from mezzanine_core.errors import ConfigError
from mezzanine_core.fingerprint import content_keys, fingerprint, item_key

C = TypeVar("C", bound=SymmetryConfig)
X = TypeVar("X")
G = TypeVar("G", bound=Hashable)

_ENUMERATE_BELOW = 4
"""An orbit of up to this many times the views asked for is enumerated and drawn from.

Drawing elements until enough are distinct takes long only where most of the orbit is asked for.
"""

_DRAWS_PER_VIEW = 64
"""Draws after which a family of unknown size is taken to have no further realisations."""


@dataclass(frozen=True, eq=False)
class Views(Generic[X, G]):
    """Several realisations of one item.

    Attributes:
        elements: The group elements, identity first, all giving different values.
        values: What each element makes of the item, in the same order.
        exact: Whether these are the whole orbit.
    """

    elements: tuple[G, ...]
    values: tuple[X, ...]
    exact: bool


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
        elements are drawn without replacement, deterministically in ``x`` and ``seed``. The first
        ``j`` of ``k`` drawn views need not be the ``j`` views of the same seed.

        There are fewer than ``k`` without being the whole orbit only where the orbit cannot be
        enumerated and many draws gave nothing new (crops of an image of one colour, say).

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
        orbit = self.orbit(x) if size is not None and size <= _ENUMERATE_BELOW * k else None
        rng = np.random.default_rng([seed, int.from_bytes(value_key(x), "big")])
        if orbit is None:
            return self._distinct_draws(x, k, rng)
        elements = tuple(orbit)
        if len(elements) > k:
            chosen = 1 + rng.choice(len(elements) - 1, size=k - 1, replace=False)
            return self._views(
                x, (elements[0], *(elements[index] for index in chosen)), exact=False
            )
        return self._views(x, elements, exact=True)

    def _views(self, x: X, elements: tuple[G, ...], *, exact: bool) -> Views[X, G]:
        return Views(elements, tuple(self.act(element, x) for element in elements), exact)

    def _distinct_draws(self, x: X, k: int, rng: np.random.Generator) -> Views[X, G]:
        """Draw until ``k`` realisations differ, or draws stop giving new ones."""
        identity = self.identity(x)
        found: dict[bytes, tuple[G, X]] = {}
        value = self.act(identity, x)
        found[value_key(value)] = (identity, value)
        for _ in range(_DRAWS_PER_VIEW * (k - 1)):
            if len(found) == k:
                break
            element = self.sample(x, rng)
            value = self.act(element, x)
            found.setdefault(value_key(value), (element, value))
        elements, values = zip(*found.values(), strict=True)
        return Views(elements, values, exact=False)


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
