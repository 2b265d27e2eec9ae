"""The pages of the repository, and the blocks of code on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]+) -->\n)?^```(?P<language>\w+)(?P<head>[^\n]*)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_TITLE = re.compile(r'title="([^"]+)"')
_COMMANDS_OF_README = {
    "run command": "it makes an environment and runs for minutes",
    "test command": "it makes an environment and tests all distributions",
}


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Attributes:
        page: Where it stands.
        language: Such as ``sh``.
        code: Its text.
        title: The file that it is, where it is one.
        excuse: Why it is not run, where the page says so: ``<!-- not run: … -->`` above it.
    """

    page: Path
    language: str
    code: str
    title: str | None
    excuse: str | None


def pages() -> list[Path]:
    """Every page for users and contributors, as a path relative to the repository."""
    found = [
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / "packages").glob("mezzanine-core/README.md"),
        *(ROOT / "packages").glob("mezzanine-*/*/README.md"),
        *ROOT.glob("examples/*/README.md"),
        ROOT / "benchmarks" / "README.md",
    ]
    return sorted(page.relative_to(ROOT) for page in found)


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page that name a language, in order."""
    for match in _BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")):
        title = _TITLE.search(match["head"])
        mark = match["mark"] or ""
        excuse = mark.removeprefix("not run: ") if mark.startswith("not run: ") else None
        yield Block(
            page=page,
            language=match["language"],
            code=match["code"],
            title=title[1] if title else None,
            excuse=excuse or _COMMANDS_OF_README.get(mark),
        )
