"""Writing the files of a run, so that a full disk is told as such."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.figure import Figure

from mezzanine_core.errors import OutputDirectoryError

_DPI = 110


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell a user why a file cannot be written, rather than that a recipe is broken.

    Args:
        path: What is written within the context.

    Raises:
        OutputDirectoryError: In place of an :class:`OSError`; it names the file and the reason.
    """
    try:
        yield
    except OSError as error:
        raise OutputDirectoryError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="Make room or give another directory by --out; latents in the cache are kept.",
        ) from error


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a picture.

    Raises:
        OutputDirectoryError: If it cannot be written.
    """
    with writing(path):
        figure.savefig(path, dpi=_DPI)
