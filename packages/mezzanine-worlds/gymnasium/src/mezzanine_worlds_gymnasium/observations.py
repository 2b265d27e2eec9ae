"""Observations as numbers, and as digests that tell them apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import KEY_BYTES
from mezzanine_worlds_gymnasium.actions import one_line
from mezzanine_worlds_gymnasium.environments import gymnasium_library

Vector = npt.NDArray[np.float32]


def digest(observation: Any, *before: bytes) -> bytes:
    """A 16-byte digest of an observation, of whatever space it is.

    Args:
        observation: Arrays, numbers, texts, and dictionaries and sequences of them.
        before: What goes into the digest in front of it.
    """
    found = hashlib.blake2b(digest_size=KEY_BYTES)
    for part in before:
        found.update(part)
    for part in _parts(observation):
        found.update(part)
    return found.digest()


def _parts(value: Any) -> Iterator[bytes]:
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield f"key\0{key}\0".encode()
            yield from _parts(value[key])
    elif isinstance(value, str):
        yield b"text\0" + value.encode() + b"\0"
    elif isinstance(value, np.ndarray | np.generic | int | float):
        array = np.ascontiguousarray(value)
        yield f"array\0{array.dtype.str}\0{array.shape}\0".encode()
        yield array.tobytes()
    elif isinstance(value, Iterable):
        items = list(value)
        yield f"sequence\0{len(items)}\0".encode()
        for item in items:
            yield from _parts(item)
    else:
        yield f"other\0{value!r}\0".encode()


def all_finite(observation: Any) -> bool:
    """Whether an observation holds no NaN and no infinity."""
    if isinstance(observation, Mapping):
        return all(map(all_finite, observation.values()))
    if isinstance(observation, tuple | list):
        return all(map(all_finite, observation))
    array = np.asarray(observation)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


class Flattener:
    """Flattens the observations of a space to vectors, as ``gymnasium.spaces.flatten`` does.

    Args:
        space: The observation space.
        env_id: Whose it is, for messages.

    Attributes:
        size: D, the number of values.

    Raises:
        DataError: If observations of that space have no fixed number of values.
    """

    def __init__(self, space: Any, env_id: str) -> None:
        spaces = gymnasium_library().spaces
        if not space.is_np_flattenable:
            raise DataError(
                f"the environment {env_id!r} has the observation space {one_line(space)}, "
                "which cannot be flattened to a vector",
                hint="Use observations=frames.",
            )
        self._flatten = spaces.flatten
        self._space = space
        self.size = int(spaces.flatdim(space))

    def __call__(self, observation: Any) -> Vector:
        """The values of an observation, float32 [D]; one too large for float32 is infinite."""
        with np.errstate(over="ignore"):
            flat: Vector = np.asarray(self._flatten(self._space, observation), np.float32)
        return flat
