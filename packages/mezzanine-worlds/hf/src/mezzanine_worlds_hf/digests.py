"""Digests of files, read as streams."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mezzanine_core.errors import DataError


def sha256(path: Path) -> str:
    """The sha256 of a file, 64 hexadecimal digits.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error
