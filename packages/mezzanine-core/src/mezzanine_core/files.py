"""Writing files so that readers never see half of one."""

from __future__ import annotations

import os
from pathlib import Path

TEMPORARY = ".tmp"
"""How the name of a file ends while it is written; a killed process may leave one behind."""


def write_atomically(path: Path, text: str, *, writer: str = "") -> None:
    """Write a UTF-8 file that appears whole or not at all, even if the machine loses power.

    Args:
        path: The file.
        text: What it is to hold.
        writer: Tells writers apart that may write this path at the same time; the last one wins.

    Raises:
        OSError: If it cannot be written; an earlier file of that name stays as it was.
    """
    temporary = path.with_name(f".{path.name}{writer}{TEMPORARY}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
