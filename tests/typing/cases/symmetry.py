"""Symmetries whose elements are not what they say, or are no elements at all."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mezzanine_core.config import SymmetryConfig
from mezzanine_core.symmetries import Symmetry


class Turn(Symmetry[SymmetryConfig, tuple[int, ...], int]):
    family = 3  # error: [assignment] Incompatible types in assignment
    code_version = 1

    def identity(self, x: tuple[int, ...]) -> tuple[int, ...]:  # error: [override] Return type
        return x

    def sample(self, x: tuple[int, ...], rng: np.random.Generator) -> int:
        return rng.normal()  # error: [return-value] got "float", expected "int"

    def act(self, element: int, x: Any) -> Any:  # error: [override] Signature of "act"
        return x[element:] + x[:element]

    def orbit(self, x: tuple[int, ...]) -> list[int]:  # error: [override] Return type "list[int]"
        return list(range(len(x)))

    def orbit_size(self, x: tuple[int, ...]) -> float:  # error: [override] Return type "float"
        return float("inf")


class Words(Symmetry[SymmetryConfig, str, tuple[int, ...]]):
    def orbit(self, x: str) -> Iterator[str]:  # error: [override] Return type "Iterator[str]"
        yield x


class Mutable(
    Symmetry[SymmetryConfig, str, list[int]]  # error: [type-var] Type argument "list[int]"
):
    pass
