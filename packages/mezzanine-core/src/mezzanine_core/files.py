"""Writing files so that readers never see half of one."""

from __future__ import annotations

import os
from pathlib import Path

TEMPORARY = ".tmp"
"""How the name of a file ends while it is written; a killed process may leave one behind."""


def write_atomically(path: Path, text: str) -> None:
    """Write a UTF-8 file that appears whole or not at all, even if the machine loses power.

    Two writers of the same path must not be at work at once.

    Raises:
        OSError: If it cannot be written; an earlier file of that name stays as it was.
    """
    temporary = path.with_name(f".{path.name}{TEMPORARY}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
