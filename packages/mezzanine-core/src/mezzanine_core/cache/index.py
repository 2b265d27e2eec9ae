"""Finding item keys among millions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mezzanine_core.fingerprint import KEY_BYTES, Keys

Positions = npt.NDArray[np.int64]
"""Positions in a sequence of keys: int64 [n]."""

_Halves = npt.NDArray[np.uint64]  # keys as uint64 [n, 2]

# Odd 64-bit constants (of xxHash64). Item keys are digests, but a world may make keys of its own,
# such as counters, and these must spread over the table too.
_MIX_FIRST = np.uint64(0x9E3779B185EBCA87)
_MIX_SECOND = np.uint64(0xC2B2AE3D27D4EB4F)


class KeyIndex:
    """A hash table over keys, built and searched with whole-array operations.

    Open addressing with linear probing, at most a quarter full (Knuth, The Art of Computer
    Programming, vol. 3, section 6.4). All keys probe their slots at once; those that meet another
    key go on to their next slot together, so there are as many passes as the longest probe, over
    ever fewer keys. It measured faster than sorting and bisection.

    Args:
        keys: uint8 [n, 16]; a key may occur several times.
    """

    def __init__(self, keys: Keys) -> None:
        self._halves = _halves(keys)
        self._bits = max(2, (4 * len(keys) - 1).bit_length())
        self._table: Positions = np.full(1 << self._bits, -1, np.int64)
        # Where several want one slot, the last assignment stays: that of the lowest position.
        waiting = np.arange(len(keys))[::-1]
        slots = self._slots(self._halves)[waiting]
        while waiting.size:
            free = self._table[slots] < 0
            self._table[slots[free]] = waiting[free]
            settled = _equal(self._halves[self._table[slots]], self._halves[waiting])
            waiting, slots = waiting[~settled], self._next(slots[~settled])

    def find(self, keys: Keys) -> Positions:
        """Position of each key, int64 [n]; -1 where it is not there.

        Of a key that occurs several times, the lowest position is given.
        """
        halves = _halves(keys)
        found = np.full(len(halves), -1, np.int64)
        waiting = np.arange(len(halves))
        slots = self._slots(halves)
        while waiting.size:
            held = self._table[slots]
            taken = held >= 0
            waiting, slots, held = waiting[taken], slots[taken], held[taken]
            hit = _equal(self._halves[held], halves[waiting])
            found[waiting[hit]] = held[hit]
            waiting, slots = waiting[~hit], self._next(slots[~hit])
        return found

    def _slots(self, halves: _Halves) -> Positions:
        mixed = halves[:, 0] * _MIX_FIRST + halves[:, 1] * _MIX_SECOND
        # A product mixes upwards: its high bits depend on all of the key.
        return (mixed >> np.uint64(64 - self._bits)).astype(np.int64)

    def _next(self, slots: Positions) -> Positions:
        return (slots + 1) & (len(self._table) - 1)


def first_position(keys: Keys, key: npt.NDArray[np.uint8]) -> int:
    """Position of one key, found by looking through all of them; -1 where it is not there."""
    hits = np.flatnonzero(_equal(_halves(keys), _halves(key[np.newaxis])))
    return int(hits[0]) if hits.size else -1


def _halves(keys: Keys) -> _Halves:
    if keys.ndim != 2 or keys.shape[1] != KEY_BYTES or keys.dtype != np.uint8:
        raise ValueError(
            f"keys of shape {keys.shape} and dtype {keys.dtype}; expected uint8 [n, {KEY_BYTES}]"
        )
    return np.ascontiguousarray(keys).view(np.uint64)


def _equal(first: _Halves, second: _Halves) -> npt.NDArray[np.bool_]:
    """Whether each row is the same. A reduction over two columns would take longer."""
    same: npt.NDArray[np.bool_] = first[:, 0] == second[:, 0]
    same &= first[:, 1] == second[:, 1]
    return same
