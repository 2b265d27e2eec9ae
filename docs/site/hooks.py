"""What MkDocs calls while it builds the site: pages from elsewhere, references made from the code.

A page of ``docs/`` says where a reference goes by a comment, ``<!-- generated: worlds -->``; on
GitHub the page holds its introduction alone. READMEs of the distributions and a few other files of
the repository become pages as they are.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import commands
import hook_reference
import roles
import settings_reference
from alongside import made_known, with_versions_of_its_own
from links import Links
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from mezzanine_core.plugins import Registry, load_registry

ROOT = Path(__file__).resolve().parents[2]

_MARK = re.compile(r"^<!-- generated: (?P<what>[\w ]+) -->$", re.MULTILINE)
_NAV_OF_DISTRIBUTIONS = "Distributions"


def copied_pages() -> dict[str, Path]:
    """Page → the file of the repository that it shows, both as paths relative to their roots."""
    found = [*ROOT.glob("packages/**/pyproject.toml"), *ROOT.glob("examples/*/pyproject.toml")]
    pages = {
        f"packages/{_name(pyproject)}.md": pyproject.with_name("README.md").relative_to(ROOT)
        for pyproject in sorted(found)
        if pyproject.with_name("README.md").exists() and "src" not in pyproject.parts
    }
    others = {
        "benchmarks.md": "benchmarks/README.md",
        "contributing.md": "CONTRIBUTING.md",
        "changes.md": "CHANGELOG.md",
    }
    return pages | {page: Path(file) for page, file in others.items()}


def _name(pyproject: Path) -> str:
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return str(project["name"])


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Load the plugins, and list the distributions where the navigation has them."""
    _build.append(_Build())
    _fill(config.nav, sorted(page for page in copied_pages() if page.startswith("packages/")))
    return config


def _fill(nav: Any, distributions: list[str]) -> None:
    for entry in nav if isinstance(nav, list) else []:
        for title, below in entry.items() if isinstance(entry, dict) else ():
            if title == _NAV_OF_DISTRIBUTIONS:
                entry[title] = distributions
            _fill(below, distributions)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages whose text stands elsewhere in the repository."""
    for page, source in copied_pages().items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put references where they belong, and lead links to where things are on the site."""
    links = Links(
        root=ROOT,
        pages={file.src_uri for file in files},
        copies=copied_pages(),
    )
    text = links.rewritten(markdown, page)
    return _MARK.sub(lambda mark: generated(mark["what"], _build[-1].registry), text)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the cross-references of docstrings into links."""
    return roles.linked(html)


class _Build:
    """What one build of the site knows of the installed plugins.

    All of them must be in order: a page must not lack one quietly.
    """

    def __init__(self) -> None:
        self.alongside = made_known(with_versions_of_its_own(ROOT))
        self.registry = load_registry(strict=True)


_build: list[_Build] = []


def generated(what: str, registry: Registry) -> str:
    """The Markdown of a reference.

    Raises:
        PluginError: If there is no reference of that name.
    """
    if what == "hooks":
        return hook_reference.render(registry)
    if what == "commands":
        return commands.render()
    if what == "run options":
        return settings_reference.render_run_options()
    if what in settings_reference.KINDS:
        return settings_reference.render(settings_reference.KINDS[what], registry)
    raise PluginError(f"there is nothing to generate of the name {what!r}")


def on_post_build(config: MkDocsConfig, **_: Any) -> None:
    """Forget the plugins: where the site is built again, they may be others."""
    while _build:
        _build.pop().alongside.cleanup()
