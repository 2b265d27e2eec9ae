"""SVG from strangers, fit to stand in a page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.reports.vectors import inlined, width_of

HEAD = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '


def svg(inner, attributes='viewBox="0 0 300 200"'):
    return HEAD + attributes.encode() + b">" + inner.encode() + b"</svg>"


def made(inner, **given):
    return inlined(svg(inner, **given), "p1", "Ranks", "A line")


HOSTILE = [
    "<script>alert(1)</script>",
    '<g onclick="alert(1)"><path d="M0 0" onload="alert(1)"/></g>',
    "<style>@import url(https://example.org/x.css); * { display: none }</style>",
    '<a xlink:href="https://example.org"><text>click</text></a>',
    '<image xlink:href="https://example.org/x.png"/>',
    '<image href="data:image/svg+xml;base64,AAAA"/>',
    '<use xlink:href="https://example.org/x.svg#a"/>',
    '<rect fill="url(https://example.org/x.svg#a)"/>',
    "<rect style=\"fill: url('https://example.org/x.svg#a')\"/>",
    '<rect style="fill: u\\72l(https://example.org/x.svg#a)"/>',
    '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://example.org"/></foreignObject>',
    '<animate attributeName="href" to="javascript:alert(1)"/><set attributeName="x"/>',
    '<image href="javascript:alert(1)"/>',
]


@pytest.mark.parametrize("inner", HOSTILE)
def test_nothing_in_a_picture_runs_or_loads(inner):
    kept = made(inner)
    for word in (
        "script",
        "alert",
        "example",
        "style>",
        "onclick",
        "onload",
        "iframe",
        "animate",
        "data:",
    ):
        assert word not in kept


def test_what_draws_is_kept():
    inner = (
        '<defs><clipPath id="c 1"><rect width="3" height="2"/></clipPath></defs>'
        '<g clip-path="url(#c 1)"><path d="M 0 0 L 1 1" style="stroke: #0072b2; fill: none"/></g>'
        '<use xlink:href="#c 1" x="4"/><text x="1">k &lt; 3</text><g><title>12%</title></g>'
    )
    kept = made(inner)
    assert 'id="p1-c-1"' in kept
    assert 'clip-path="url(#p1-c-1)"' in kept
    assert 'href="#p1-c-1"' in kept
    assert "k &lt; 3" in kept
    assert "<title>12%</title>" in kept
    assert "M 0 0 L 1 1" in kept


def test_every_colour_can_be_changed_by_the_page():
    kept = made('<rect fill="#E69F00"/><rect style="fill: #e69f00; stroke: #000000"/>')
    assert kept.count("fill: var(--c-e69f00, #e69f00)") == 2
    assert "stroke: var(--c-000000, #000000)" in kept


def test_inline_bitmaps_are_kept():
    assert 'href="data:image/png;base64,AAAA"' in made(
        '<image xlink:href="data:image/png;base64,AAAA"/>'
    )


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))))
def test_title_and_description_are_escaped(text):
    kept = inlined(svg(""), "p1", text, text)
    label = re.search(r'aria-label="([^"]*)"', kept)[1]
    assert "<" not in label


def test_a_picture_without_a_view_box_gets_one():
    assert width_of(made("", attributes='width="400pt" height="300pt"')) == 400
    assert width_of(made("")) == 300


@pytest.mark.parametrize(
    "document",
    [
        b"not xml",
        b"<html/>",
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("<text>&a;</text>"),
        svg("", 'viewBox="0 0 1e"'),
        svg("", 'viewBox="0 0 100 100&quot; onload=&quot;alert(1)"'),
    ],
)
def test_what_is_no_picture_is_refused(document):
    with pytest.raises(ValueError, match="it"):
        inlined(document, "p1", "", "")
