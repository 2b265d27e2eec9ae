"""Figures as vector pictures for a report: text stays text, and marks say their figures."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mezzanine_recipes_distill.artifacts import writing

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_HOVER = "hover: "
_SIZE = (4.6, 3.9)
_SMALL = 9
_X_CHARS, _Y_CHARS = 50, 34
"""Characters of a line that fits along each axis of a panel."""


def hover(text: str) -> str:
    """A ``gid`` for an artist that is to say something under the pointer.

    Args:
        text: What it says; :func:`save_vector` makes a ``<title>`` of it.
    """
    return f"{_HOVER}{text}"


def panel(draw: Callable[[Axes], Any]) -> Figure:
    """A figure of a single panel, of a size that a telephone can show; a legend goes below it.

    Args:
        draw: Draws into the axes; a title is dropped, as a report has its own.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    draw(axes)
    axes.set_title("")
    for label, most in ((axes.xaxis.label, _X_CHARS), (axes.yaxis.label, _Y_CHARS)):
        label.set_text(textwrap.fill(label.get_text(), most))
    if (legend := axes.get_legend()) is not None:
        legend.remove()
        figure.legend(loc="outside lower center", ncols=2, fontsize=_SMALL, frameon=False)
    return figure


def save_vector(figure: Figure, path: Path) -> None:
    """Write a figure as SVG, without background, the same for the same figure.

    Raises:
        OutputDirectoryError: If it cannot be written.
    """
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mezzanine"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(buffer.getvalue())
    for group in root.iter(f"{{{_SVG}}}g"):
        name = group.get("id", "")
        if name.startswith(_HOVER):
            del group.attrib["id"]
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = name.removeprefix(_HOVER)
            group.insert(0, title)
    with writing(path):
        path.write_bytes(ElementTree.tostring(root, encoding="utf-8"))
