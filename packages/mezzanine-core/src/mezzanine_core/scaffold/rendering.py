"""Templates filled in: the files of a new package, as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from string import Template

from packaging.version import Version

from mezzanine_core._version import __version__
from mezzanine_core.errors import ConfigError
from mezzanine_core.plugins.components import PLURALS
from mezzanine_core.scaffold.examples import EXAMPLES
from mezzanine_core.scaffold.names import Names, article

COMMON = "common"
"""The folder of templates that packages of every kind have; those of a kind go before them."""

LONGEST_DESCRIPTION = 70
"""Letters of a description at most: it is one line of ``mezz list``."""

_SUFFIX = ".tmpl"
_AUTHOR = re.compile(r"(?P<name>[^<>]*[^<>\s])\s*(<(?P<email>[^<>\s]+@[^<>\s]+)>)?")


@dataclass(frozen=True, slots=True)
class Details:
    """What a package says of itself besides its names.

    Attributes:
        description: One line of printable text; ``None`` for what the example of the kind is.
        author: ``Name``, or ``Name <address>``; ``None`` to leave the author out.

    Raises:
        ConfigError: If one of them is not of that form.
    """

    description: str | None = None
    author: str | None = None

    def __post_init__(self) -> None:
        for what, text in (("description", self.description), ("author", self.author)):
            if text is not None and not (text.isprintable() and text.strip()):
                raise ConfigError(f"the {what} {text!r} is not one line of printable text")
        if self.description is not None and len(self.description) > LONGEST_DESCRIPTION:
            raise ConfigError(
                f"the description has {len(self.description)} letters; at most "
                f"{LONGEST_DESCRIPTION} are allowed",
                hint="It is one line of `mezz list`. Say the rest in the README.",
            )
        if self.author is not None and not _AUTHOR.fullmatch(self.author.strip()):
            raise ConfigError(
                f"{self.author!r} is no author",
                hint="Give a name, and an address if you like: 'Ada Lovelace <ada@example.org>'.",
            )


def render_package(names: Names, details: Details | None = None) -> dict[PurePosixPath, str]:
    """The files of a new package.

    Args:
        names: What it is called.
        details: What it says of itself; the defaults without.

    Returns:
        Path inside the package's directory → text, in the order of the paths.
    """
    values = _values(names, details or Details())
    folder = files(__package__) / "templates"
    templates = {
        path: text
        for part in (COMMON, names.kind)
        for path, text in _templates(folder / part, PurePosixPath())
    }
    return {
        _filled_path(path, names): Template(templates[path]).substitute(values)
        for path in sorted(templates)
    }


def _templates(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield path / entry.name.removesuffix(_SUFFIX), entry.read_text(encoding="utf-8")


def _filled_path(path: PurePosixPath, names: Names) -> PurePosixPath:
    """The path of a file: templates have ``dot_`` for a dot, which packaging tools pass over."""
    parts = (
        "." + part.removeprefix("dot_") if part.startswith("dot_") else part for part in path.parts
    )
    return PurePosixPath(*(names.package if part == "__package__" else part for part in parts))


def _values(names: Names, details: Details) -> dict[str, str]:
    example = EXAMPLES[names.kind]
    description = details.description or example.summary
    return {
        "kind": names.kind,
        "a_kind": f"{article(names.kind)} {names.kind}",
        "Kind": names.kind.capitalize(),
        "kinds": PLURALS[names.kind],
        "name": names.name,
        "Name": names.stem,
        "distribution": names.distribution,
        "package": names.package,
        "sentence": description if description.endswith((".", "!", "?")) else f"{description}.",
        "description_toml": json.dumps(description, ensure_ascii=False),
        "description_python": _python_literal(description),
        "command": Template(example.command).substitute(name=names.name),
        "tags": _python_tuple(example.tags),
        "authors": _authors(details.author),
        "core": core_range(__version__),
    }


def core_range(version: str) -> str:
    """The versions of core that a package written by this one works with, such as ``>=0.3,<0.4``.

    Before 1.0 every minor version may break plugins, afterwards every major one.
    """
    found = Version(version)
    upper = f"0.{found.minor + 1}" if found.major == 0 else str(found.major + 1)
    return f">={found.major}.{found.minor},<{upper}"


def _authors(author: str | None) -> str:
    """The line of ``pyproject.toml``, or nothing."""
    match = None if author is None else _AUTHOR.fullmatch(author.strip())
    if match is None:
        return ""
    fields = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in match.groupdict().items()
        if value
    ]
    return f"authors = [{{ {', '.join(fields)} }}]\n"


def _python_tuple(words: tuple[str, ...]) -> str:
    listed = ", ".join(f'"{word}"' for word in words)
    return f"({listed},)" if len(words) == 1 else f"({listed})"


def _python_literal(text: str) -> str:
    """A string of Python as formatters write it: in double quotes if that saves no escape."""
    quoted = json.dumps(text, ensure_ascii=False)
    if text.count('"') > text.count("'"):
        inner = quoted[1:-1].replace('\\"', '"').replace("'", "\\'")
        return f"'{inner}'"
    return quoted
