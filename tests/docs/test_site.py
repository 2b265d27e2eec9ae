"""The built site: complete, and readable without a network."""

import inspect
import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import hook_reference
import pytest
import settings_reference

from mezzanine_core.config import slots
from mezzanine_core.config.fields import settings_of
from mezzanine_core.plugins import load_registry
from mezzanine_core.specs import KINDS

ROOT = Path(__file__).parents[2]


def ours():
    """The components of this repository's distributions, those of its examples left out."""
    files = [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("packages/*/*/pyproject.toml")]
    names = {tomllib.loads(file.read_text(encoding="utf-8"))["project"]["name"] for file in files}
    return [one for one in load_registry().components() if one.distribution in names]


class _Requests(HTMLParser):
    """What a browser would fetch to show a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.found += [given[name] for name in ("src", "srcset") if given.get(name)]
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(given.get("href", ""))


def _text(site, page):
    return (site / page).read_text(encoding="utf-8")


def test_no_page_asks_the_network_for_anything(site):
    asked = {}
    for page in site.rglob("*.html"):
        parser = _Requests()
        parser.feed(page.read_text(encoding="utf-8"))
        asked |= {url: page.name for url in parser.found if re.match(r"(https?:)?//", url)}
    assert asked == {}
    styles = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.css"))
    assert re.findall(r"url\([\"']?(?:https?:)?//[^)]*\)|@import[^;]*//[^;]*", styles) == []


def test_every_reference_was_generated(site):
    for page in site.rglob("*.html"):
        assert "<!-- generated:" not in page.read_text(encoding="utf-8"), page


def test_every_hook_and_its_arguments_are_documented(site):
    page = _text(site, "reference/hooks.html")
    for name, spec in hook_reference.hooks().items():
        section = page.split(f'id="{name}"', 1)[1].split("<h2", 1)[0]
        assert "Implemented by" in section
        for argument in inspect.signature(spec).parameters:
            assert re.search(
                rf"<td><code>{argument}</code></td>\s*<td>.+</td>\s*<td>.+</td>", section
            )


def test_every_hook_says_when_it_is_called():
    for name, spec in hook_reference.hooks().items():
        assert "Called" in inspect.getdoc(spec), name


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_of_every_component_is_documented(site, kind):
    plural = next(name for name, value in settings_reference.KINDS.items() if value == kind)
    page = _text(site, f"reference/{plural}.html")
    components = [one for one in ours() if one.spec.kind == kind]
    assert components
    for component in components:
        section = page.split(f'id="{component.spec.name}"', 1)[1].split("<h2", 1)[0]
        if "A preset of" in section:
            continue
        model = component.load_config()
        nested = {name for name, _, _ in slots(model)} if kind == "recipe" else {"name"}
        names = [each.dotted for each in settings_of(model) if each.path[0] not in nested]
        assert [name for name in names if f"<code>{name}</code>" not in section] == []


def test_every_setting_has_a_description():
    lacking = [
        f"{component.spec.name}.{setting.dotted}"
        for component in ours()
        for setting in settings_of(component.load_config())
        if setting.path[-1] != "name"
        and not setting.info.description
        and setting.path[0] not in {name for name, _, _ in _slots(component)}
    ]
    assert lacking == []


def _slots(component):
    return list(slots(component.load_config())) if component.spec.kind == "recipe" else []


def test_the_search_finds_words_of_generated_pages(site):
    index = json.loads(_text(site, "search/search_index.json"))
    texts = {each["location"]: each["text"] for each in index["docs"]}
    assert "Called when a run ends" in texts["reference/hooks.html#mezz_run_finished"]
    assert "hole" in texts["reference/worlds.html#iphyre"]
    assert (site / "search" / "search_index.js").exists()


def test_drawings_are_readable_on_any_background():
    for drawing in (ROOT / "docs" / "images").glob("*.svg"):
        text = drawing.read_text(encoding="utf-8")
        assert 'class="card"' in text, drawing
        assert "prefers-color-scheme: dark" in text, drawing
        assert "<title>" in text, drawing
