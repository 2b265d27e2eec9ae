"""SVG pictures made fit to stand in a page: nothing that runs or loads, colours that can change.

Pictures come from recipes and from other people's run directories, so what is kept is listed here;
all else is dropped.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
# fmt: off
_ELEMENTS = frozenset([
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
    "textPath", "defs", "clipPath", "mask", "use", "title", "desc", "image", "linearGradient",
    "radialGradient", "stop", "marker", "pattern"
])
_ATTRIBUTES = frozenset([
    "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy", "d", "points",
    "width", "height", "viewBox", "transform", "preserveAspectRatio", "clip-path", "clip-rule",
    "fill-rule", "mask", "offset", "style", "fill", "fill-opacity", "stroke", "stroke-width",
    "stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-dasharray", "stroke-dashoffset",
    "stroke-miterlimit", "opacity", "stop-color", "stop-opacity", "font", "font-family",
    "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "rotate",
    "markerWidth", "markerHeight", "refX", "refY", "orient", "marker-start", "marker-mid",
    "marker-end", "gradientUnits", "gradientTransform", "spreadMethod", "patternUnits",
    "patternTransform", "clipPathUnits", "maskUnits"
])
# fmt: on
_COLOURED = ("fill", "stroke", "stop-color")
_COLOUR = re.compile(r"#([0-9a-fA-F]{6})\b")
_LOADING = re.compile(r"url\(\s*['\"]?(?!\s*['\"]?#)|@import|expression|\\", re.IGNORECASE)
_REFERENCE = re.compile(r"url\(\s*['\"]?#([^'\")]+)['\"]?\s*\)")
_ODD = re.compile(r"[^A-Za-z0-9_-]")
_INLINE_IMAGE = re.compile(r"data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/=\s]+")
_ENTITIES = re.compile(rb"<!ENTITY", re.IGNORECASE)


def inlined(svg: bytes, prefix: str, title: str, description: str) -> str:
    """An SVG document as an element for a page.

    Scripts, styles of its own, links and whatever loads something are dropped. Every colour
    ``#rrggbb`` becomes ``var(--c-rrggbb, #rrggbb)``, so that a page can give it
    another in the dark. Names (``id``) get a prefix, as several pictures share a page.

    Args:
        svg: The document.
        prefix: Before each name; letters, digits, ``-``.
        title: Its accessible name.
        description: What it shows, in words.

    Returns:
        Markup; all text in it is escaped.

    Raises:
        ValueError: If it is not an SVG document, or declares entities.
    """
    if _ENTITIES.search(svg):
        raise ValueError("it declares entities")
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is not well-formed: {error}") from error
    if root.tag != f"{_NAMESPACE}svg":
        raise ValueError("it is not an SVG document")
    size = _view_box(root)
    _clean(root, prefix)
    for name in ("width", "height", "style"):
        root.attrib.pop(name, None)
    root.attrib |= {"viewBox": size, "class": "vector", "role": "img"}
    root.attrib["aria-label"] = f"{title}. {description}" if description else title
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def width_of(svg: str) -> float:
    """Width of a picture of :func:`inlined`, in its own units."""
    found = re.search(r'viewBox="[-.\d]+ [-.\d]+ ([.\d]+)', svg)
    return float(found[1]) if found else 0.0


def _view_box(root: ElementTree.Element) -> str:
    """The part of the plane that is shown; without one, what width and height say."""
    given = root.get("viewBox")
    if given is None:
        lengths = [re.match(r"[.\d]+", root.get(name, "")) for name in ("width", "height")]
        given = "0 0 " + " ".join(found[0] if found else "100" for found in lengths)
    numbers = re.fullmatch(r"\s*([-+.\deE]+[\s,]+){3}[-+.\deE]+\s*", given)
    if numbers is None:
        raise ValueError(f"its viewBox is {given!r}")
    return " ".join(re.split(r"[\s,]+", given.strip()))


def _clean(element: ElementTree.Element, prefix: str) -> None:
    element.tag = element.tag.removeprefix(_NAMESPACE)
    for child in list(element):
        name = child.tag.removeprefix(_NAMESPACE)
        if name in _ELEMENTS and name != child.tag:
            _clean(child, prefix)
        else:
            element.remove(child)
    element.attrib = _attributes(element, prefix)


def _attributes(element: ElementTree.Element, prefix: str) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in element.attrib.items():
        if name == "id":
            kept[name] = _name(prefix, value)
        elif name in _HREFS:
            if value.startswith("#") and element.tag != "image":
                kept["href"] = f"#{_name(prefix, value[1:])}"
            elif element.tag == "image" and _INLINE_IMAGE.fullmatch(value):
                kept["href"] = value
        elif name in _ATTRIBUTES and not _LOADING.search(value):
            kept[name] = _REFERENCE.sub(lambda found: f"url(#{_name(prefix, found[1])})", value)
    style = [kept.pop("style")] if kept.get("style") else []
    style += [f"{name}: {kept.pop(name)}" for name in _COLOURED if "#" in kept.get(name, "")]
    if style:
        kept["style"] = _COLOUR.sub(_variable, "; ".join(style))
    return kept


def _variable(found: re.Match[str]) -> str:
    return f"var(--c-{found[1].lower()}, #{found[1].lower()})"


def _name(prefix: str, name: str) -> str:
    return f"{prefix}-{_ODD.sub('-', name)}"
