"""Reports in a real browser."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

KINDS = ["run", "failed", "comparison", "index"]
PHONE, DESKTOP = 360, 1280
A4 = 794
"""Width of a sheet in CSS pixels."""

kinds = pytest.mark.parametrize("kind", KINDS)
schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


def unfolded(tab):
    tab.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return tab


@kinds
def test_a_page_asks_for_nothing_and_has_no_errors(open_page, pages, kind):
    tab = unfolded(open_page(kind))
    assert tab.said == []
    assert tab.asked == [pages[kind].as_uri()]


@kinds
@schemes
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_page_is_accessible(open_page, kind, scheme, width):
    """By axe-core: names, roles, structure and contrast of text."""
    tab = unfolded(open_page(kind, width, scheme))
    package = find_spec("axe_playwright_python")
    if package is None:
        pytest.skip("axe-playwright-python is not installed; `nox -s browser` has it")
    # The page's own policy forbids scripts: the checker goes in by the debugger.
    tab.page.evaluate((Path(package.origin).parent / "axe.min.js").read_text("utf-8"))
    found = tab.page.evaluate("axe.run()")
    assert [
        (one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]
    ] == []
    assert len(found["passes"]) > 5


@kinds
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_page_is_never_wider_than_its_window(open_page, kind, width):
    assert unfolded(open_page(kind, width)).overflow() <= 0


@pytest.mark.parametrize(
    ("kind", "width", "cells"),
    [
        ("index", DESKTOP, ".index th, .index td:not(:nth-child(4))"),
        ("run", PHONE, ".stages th, .stages td"),
    ],
)
def test_short_cells_of_a_table_stay_on_one_line(open_page, kind, width, cells):
    broken = open_page(kind, width).page.evaluate(
        """cells => [...document.querySelectorAll(cells)].filter(cell => {
            const text = document.createRange();
            text.selectNodeContents(cell);
            return new Set([...text.getClientRects()].map(line => Math.round(line.top))).size > 1;
        }).map(cell => cell.textContent)""",
        cells,
    )
    assert broken == []


def test_text_of_charts_is_readable_on_a_telephone(open_page):
    page = unfolded(open_page("run", PHONE)).page
    heights = page.evaluate(
        """[...document.querySelectorAll('.chart text')]
        .map(one => one.getBoundingClientRect().height)"""
    )
    assert heights
    assert min(heights) >= 9


def test_a_chart_fits_its_own_text(open_page):
    page = unfolded(open_page("run")).page
    outside = page.evaluate(
        """[...document.querySelectorAll('.chart')].flatMap(chart => {
            const box = chart.getBoundingClientRect();
            return [...chart.querySelectorAll('text')].filter(text => {
                const one = text.getBoundingClientRect();
                return one.left < box.left - 1 || one.right > box.right + 1
                    || one.bottom > box.bottom + 1;
            }).map(text => text.textContent);
        })"""
    )
    assert outside == []


def test_marks_say_their_figures_under_the_pointer(open_page):
    titles = open_page("run").page.evaluate(
        "[...document.querySelectorAll('svg title')].map(one => one.textContent)"
    )
    assert "action: 62%" in titles
    assert any(re.match(r"action_minus_no_action: .*95% interval", title) for title in titles)


def colours(page, selector):
    return page.evaluate(
        """selector => { const style = getComputedStyle(document.querySelector(selector));
        return [style.color, style.backgroundColor, style.stroke]; }""",
        selector,
    )


def test_the_dark_page_is_dark_and_its_plots_are_redrawn_for_it(open_page):
    light, dark = (open_page("run", scheme=scheme).page for scheme in ("light", "dark"))
    brightness = [
        sum(map(int, re.findall(r"\d+", colours(page, "body")[1])[:3])) for page in (light, dark)
    ]
    assert brightness[0] > 3 * 200
    assert brightness[1] < 3 * 60
    assert colours(light, ".vector path")[2] == "rgb(0, 114, 178)"
    assert colours(dark, ".vector path")[2] != "rgb(0, 114, 178)"


@kinds
def test_a_print_is_light_fits_the_sheet_and_unfolds(open_page, kind):
    tab = open_page(kind, A4, "dark")
    tab.page.emulate_media(media="print")
    assert colours(tab.page, "body")[:2] == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert tab.overflow() <= 0
    hidden = tab.page.evaluate(
        """[...document.querySelectorAll('details:not(.raw) table')]
        .filter(one => !one.checkVisibility({contentVisibilityAuto: true})).length"""
    )
    assert hidden == 0
    assert tab.page.pdf().startswith(b"%PDF")
