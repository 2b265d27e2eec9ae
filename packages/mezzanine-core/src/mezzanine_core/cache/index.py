"""Finding item keys among millions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mezzanine_core.fingerprint import KEY_BYTES, Keys

Positions = npt.NDArray[np.int64]
"""Positions in a sequence of keys: int64 [n]."""

# Odd 64-bit constants (of xxHash64), so that the two halves of a key mix into one number in which
# keys that differ in either half alone never collide.
_MIX_FIRST = np.uint64(0x9E3779B185EBCA87)
_MIX_SECOND = np.uint64(0xC2B2AE3D27D4EB4F)


class KeyIndex:
    """An index over keys: built once by sorting, searched by bisection.

    Keys are sorted by a 64-bit mix of their halves, which numpy sorts and bisects at native speed;
    a hit is compared in full, and keys whose mix collides are searched through.

    Args:
        keys: uint8 [n, 16]; a key may occur several times.
    """

    def __init__(self, keys: Keys) -> None:
        halves = _halves(keys)
        mixed = _mix(halves)
        self._order: Positions = np.argsort(mixed, kind="stable")
        self._mixed = mixed[self._order]
        self._halves = halves[self._order]

    def __len__(self) -> int:
        return len(self._order)

    def find(self, keys: Keys) -> Positions:
        """Position of each key, int64 [n]; -1 where it is not there.

        Of a key that occurs several times, the lowest position is given.
        """
        found = np.full(len(keys), -1, np.int64)
        halves = _halves(keys)
        if not len(self):
            return found
        mixed = _mix(halves)
        # In the order of their mix, keys are bisected and compared close to one another in memory.
        query = np.argsort(mixed)
        mixed = mixed[query]
        at = np.searchsorted(self._mixed, mixed)
        while query.size:
            inside = at < len(self)
            candidates, wanted = self._halves.take(at, axis=0, mode="clip"), halves[query]
            hit = inside & (candidates[:, 0] == wanted[:, 0]) & (candidates[:, 1] == wanted[:, 1])
            found[query[hit]] = self._order[at[hit]]
            # The same mix but another key: go on to the next one of that mix.
            next_ = inside & ~hit & (self._mixed.take(at, mode="clip") == mixed)
            query, mixed, at = query[next_], mixed[next_], at[next_] + 1
        return found


def _halves(keys: Keys) -> npt.NDArray[np.uint64]:
    if keys.ndim != 2 or keys.shape[1] != KEY_BYTES or keys.dtype != np.uint8:
        raise ValueError(
            f"keys of shape {keys.shape} and dtype {keys.dtype}; expected uint8 [n, {KEY_BYTES}]"
        )
    return np.ascontiguousarray(keys).view(np.uint64)


def _mix(halves: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return halves[:, 0] * _MIX_FIRST + halves[:, 1] * _MIX_SECOND
