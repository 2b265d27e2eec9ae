"""Fingerprints: canonical JSON, hashed.

A fingerprint names *what something is*, never where it lies or how fast it was made: paths,
devices, batch sizes and worker counts stay out of it (they belong to a run's provenance).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import ConfigError, DataError

KEY_BYTES = 16
"""Length of an item key in bytes."""

Keys = npt.NDArray[np.uint8]
"""Item keys: uint8 array of shape [n, 16]."""


def canonical_json(value: Any) -> str:
    """Serialise ``value`` to the one JSON text that all equal values share.

    Keys are sorted, separators are minimal, text is ASCII-escaped. Floats use the shortest repr
    that round-trips, and a float with an integral value differs from the integer (``1.0`` is not
    ``1``). Tuples and lists are the same; sets are refused, having no order.

    Args:
        value: Mappings with string keys, sequences, strings, numbers, booleans, ``None``, numpy
            scalars, paths (as POSIX text), and nestings of these.

    Raises:
        ConfigError: If the value holds NaN, an infinity, or a type without a canonical form; the
            message names where in the value it stands.
    """
    return json.dumps(
        _plain(value, "$"),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
    )


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ConfigError(f"cannot fingerprint {value!r} at {where}: not a finite number")
        return value
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ConfigError(f"cannot fingerprint the key {key!r} at {where}: not a string")
        return {key: _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise ConfigError(
        f"cannot fingerprint a value of type {type(value).__name__} at {where}: no canonical form"
    )


def fingerprint(value: Any) -> str:
    """SHA-256 of :func:`canonical_json` of ``value``, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits; read as a stream.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error


def item_key(source: str, identity: Any) -> bytes:
    """The 16-byte key of one item.

    Args:
        source: The source fingerprint: where items of this kind come from.
        identity: What tells this item from every other of the same source, as JSON-able values.

    Returns:
        The first 16 bytes of the BLAKE2b digest of both.
    """
    digest = hashlib.blake2b(digest_size=KEY_BYTES)
    digest.update(source.encode("utf-8"))
    digest.update(b"\0")
    digest.update(canonical_json(identity).encode("ascii"))
    return digest.digest()


def item_keys(source: str, identities: Iterable[Any]) -> Keys:
    """Keys of many items of one source, as uint8 [n, 16]; see :func:`item_key`."""
    joined = b"".join(item_key(source, identity) for identity in identities)
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, KEY_BYTES)


def content_keys(items: Iterable[npt.NDArray[Any] | str | bytes]) -> Keys:
    """Keys of items that are identified by their content (arrays, texts, bytes), uint8 [n, 16].

    Arrays are keyed by dtype, shape and C-order bytes; text by its UTF-8 bytes.
    """
    digests = []
    for item in items:
        digest = hashlib.blake2b(digest_size=KEY_BYTES)
        if isinstance(item, str):
            digest.update(b"text\0" + item.encode("utf-8"))
        elif isinstance(item, bytes):
            digest.update(b"bytes\0" + item)
        else:
            array = np.ascontiguousarray(item)
            digest.update(f"array\0{array.dtype.str}\0{array.shape}\0".encode("ascii"))
            digest.update(array.data)
        digests.append(digest.digest())
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, KEY_BYTES)
