"""Links that work in the repository, led to where things are on the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from mkdocs.structure.pages import Page

_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)")
_FENCE = re.compile(r"^(```.*?^```|<!--.*?-->)[^\n]*$", re.DOTALL | re.MULTILINE)
_API = "reference/api"


@dataclass(frozen=True)
class Links:
    """Knows where each file of the repository is on the site.

    Attributes:
        root: The repository.
        pages: All files of the site, by their paths below ``docs/``.
        copies: Page → the file outside of ``docs/`` that it shows.
    """

    root: Path
    pages: Collection[str]
    copies: Mapping[str, Path]

    def rewritten(self, markdown: str, page: Page) -> str:
        """The text of a page with its links led anew; code is left alone."""
        here = page.file.src_uri
        source = self.copies.get(here, Path("docs") / here).as_posix()
        parts = _FENCE.split(markdown)
        for place, part in enumerate(parts):
            if not part.startswith(("```", "<!--")):
                parts[place] = _LINK.sub(lambda link: self._link(link, source, here), part)
        return "".join(parts)

    def _link(self, link: re.Match[str], source: str, here: str) -> str:
        path, hash_, anchor = link["target"].partition("#")
        if "://" in path or not path or path.startswith("mailto:"):
            return link[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        there = self._page(file)
        if there is None:
            # A file that has no page: a reader of the site finds it in the repository.
            return f"{link['text']} (`{file}`)" if link["text"].strip("`") != file else f"`{file}`"
        page_there, module = there
        target = posixpath.relpath(page_there, posixpath.dirname(here) or ".")
        place = f"#{module or anchor}" if hash_ or module else ""
        return f"{link['image']}[{link['text']}]({target}{place})"

    def _page(self, file: str) -> tuple[str, str] | None:
        """The page that shows a file of the repository, and the place on it for a module."""
        if file == "README.md":
            return "index.md", ""
        for page, source in self.copies.items():
            if source.as_posix() == file or source.parent.as_posix() == file:
                return page, ""
        inside = file.removeprefix("docs/")
        if inside != file and inside in self.pages:
            return inside, ""
        if (module := _module(file)) and (api_page := self._api_pages().get(module)):
            return api_page, module
        return None

    def _api_pages(self) -> dict[str, str]:
        """Public module → the page that documents it."""
        found: dict[str, str] = {}
        for page in self.pages:
            if page.startswith(_API) and page.endswith(".md"):
                text = (self.root / "docs" / page).read_text(encoding="utf-8")
                found |= dict.fromkeys(re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE), page)
        return found


def _module(file: str) -> str | None:
    match = re.fullmatch(r"packages/.*?src/(?P<path>[\w/]+)\.py", file)
    return match["path"].replace("/", ".").removesuffix(".__init__") if match else None
