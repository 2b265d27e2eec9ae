"""The pictures of a run, made fit to stand in a page."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from markupsafe import Markup

from mezzanine_core.presentation import Picture
from mezzanine_core.reports.vectors import inlined, width_of
from mezzanine_core.runs.state import is_inside

MOST_BYTES = 1_200_000
"""Of all pictures in a page; those beyond it are linked."""

_RASTER = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
_VECTOR = ".svg"
_NARROW = 480.0
"""Pictures up to this width, in their own units, are shown side by side."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in a page.

    Attributes:
        title: What it is of.
        caption: What to see; may be empty.
        alt: What it shows, in words.
        file: Its file, relative to the run directory.
        svg: Markup, where it is a vector picture.
        data: A ``data:`` address, where it is not.
        problem: Why it is not here, where it is not.
        wide: Whether it needs the whole width of a page.
    """

    title: str
    caption: str
    alt: str
    file: str
    svg: Markup | None = None
    data: str | None = None
    problem: str | None = None
    wide: bool = True


def shown(directory: Path, pictures: Sequence[Picture], artifacts: Sequence[str]) -> list[Shown]:
    """The pictures of a run: those that its recipe captions, or else all that are artifacts.

    A picture that is missing, damaged, or too much for a page is not shown, and said to be so.

    Args:
        directory: The run directory.
        pictures: What the recipe says of its pictures.
        artifacts: Files of the run, relative to its directory.
    """
    chosen = list(pictures) or [_uncaptioned(name) for name in artifacts if is_picture(name)]
    return list(_within_bounds(directory, chosen))


def is_picture(name: str) -> bool:
    """Whether a file can be shown, by its name."""
    return PurePosixPath(name).suffix.lower() in {_VECTOR, *_RASTER}


def _uncaptioned(name: str) -> Picture:
    alt = f"The picture {name}, of which the recipe gives no description."
    return Picture(file=name, title=name, caption="", alt=alt)


def _within_bounds(directory: Path, pictures: Sequence[Picture]) -> Iterator[Shown]:
    left = MOST_BYTES
    for number, picture in enumerate(pictures, start=1):
        try:
            one = _read(directory, picture, f"p{number}")
        except OSError as error:
            yield _absent(picture, f"cannot be read: {error.strerror or error}")
            continue
        except ValueError as error:
            yield _absent(picture, f"cannot be shown: {error}")
            continue
        size = len(one.svg or one.data or "")
        if size > left:
            yield _absent(picture, "is too large to be shown here")
        else:
            left -= size
            yield one


def _absent(picture: Picture, problem: str) -> Shown:
    return Shown(picture.title, picture.caption, picture.alt, picture.file, problem=problem)


def _read(directory: Path, picture: Picture, prefix: str) -> Shown:
    if not is_inside(picture.file) or not is_picture(picture.file):
        raise ValueError("it is no picture inside the run directory")
    path = directory / picture.file
    if not path.resolve().is_relative_to(directory.resolve()):
        raise ValueError("it leads out of the run directory")
    content = path.read_bytes()
    said = (picture.title, picture.caption, picture.alt, picture.file)
    suffix = path.suffix.lower()
    if suffix == _VECTOR:
        svg = inlined(content, prefix, picture.title, picture.alt)
        return Shown(*said, svg=Markup(svg), wide=width_of(svg) > _NARROW)
    data = f"data:{_RASTER[suffix]};base64,{base64.b64encode(content).decode()}"
    return Shown(*said, data=data, wide=_pixels(content) > _NARROW)


def _pixels(content: bytes) -> int:
    """Width of a PNG; of other pictures it is not known, and taken to be large."""
    if content.startswith(b"\x89PNG") and len(content) >= 24:
        width: int = struct.unpack(">I", content[16:20])[0]
        return width
    return 10_000
