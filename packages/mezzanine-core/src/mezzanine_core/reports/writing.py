"""Writing pages where nothing else is lost by it."""

from __future__ import annotations

from pathlib import Path

from mezzanine_core.errors import ConfigError, OutputDirectoryError
from mezzanine_core.files import write_atomically
from mezzanine_core.reports.rendering import GENERATOR

_HEAD = 1024
_MARK = f'<meta name="generator" content="{GENERATOR} '


def check_page(path: Path, option: str = "--out") -> None:
    """Check, before anything is made, that a page may be written to a path.

    Args:
        path: The path.
        option: The option that named it.

    Raises:
        ConfigError: If it is a directory, its directory is absent, or it is a file that is not an
            earlier page of ours.
    """
    if path.is_dir() or not path.parent.is_dir():
        what = "it is a directory" if path.is_dir() else f"there is no directory {path.parent}"
        raise ConfigError(f"{option}: {path} cannot be written: {what}")
    if path.exists() and not is_page(path):
        raise ConfigError(
            f"{option}: {path} is there already, and is no report",
            hint="Choose another name, or move that file away.",
        )


def is_page(path: Path) -> bool:
    """Whether a file is a page that was made here, which may be replaced by another."""
    try:
        with path.open("rb") as file:
            return _MARK.encode() in file.read(_HEAD)
    except OSError:
        return False


def write_page(path: Path, page: str) -> None:
    """Write a page, whole or not at all.

    Raises:
        OutputDirectoryError: If it cannot be written.
    """
    try:
        write_atomically(path, page)
    except OSError as error:
        raise OutputDirectoryError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="Choose another place by --out, or see to its permissions and to the space on "
            "its disk.",
        ) from error
