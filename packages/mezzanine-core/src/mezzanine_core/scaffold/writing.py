"""The files of a new package on disk: all of them, or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from mezzanine_core.errors import OutputDirectoryError

_MAY_BE_THERE = frozenset({".git"})
"""What a directory may hold and count as empty: a repository that was made for the package."""


def check_folder(folder: Path) -> None:
    """Check that a package can go into a directory, which need not exist.

    Raises:
        OutputDirectoryError: If it holds anything but a git repository, is no directory, or cannot
            be read.
    """
    try:
        if not folder.exists():
            return
        there = sorted({path.name for path in folder.iterdir()} - _MAY_BE_THERE)
    except OSError as error:
        raise _unusable(folder, error) from error
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise OutputDirectoryError(
            f"{folder} is not empty: it holds {there[0]}{more}",
            hint="Nothing is overwritten. Choose another directory with --dir.",
        )


def write_package(folder: Path, files: Mapping[PurePosixPath, str]) -> None:
    """Write files into a directory; where one cannot be written, none is left behind.

    Args:
        folder: The directory; made where it does not exist.
        files: Path inside it → text, written as UTF-8 with line feeds.

    Raises:
        OutputDirectoryError: As :func:`check_folder`, and if something cannot be written.
    """
    check_folder(folder)
    made: list[Path] = []
    try:
        for name, text in files.items():
            path = folder / name
            _make_folder(path.parent, made)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                made.append(path)
                file.write(text)
    except BaseException as error:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, OSError):
            raise _unusable(folder, error) from error
        raise


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def _unusable(folder: Path, error: OSError) -> OutputDirectoryError:
    return OutputDirectoryError(
        f"the package cannot be written to {folder}: {error.strerror or error}",
        hint="Choose another directory with --dir.",
    )
