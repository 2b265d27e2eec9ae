"""The reference of the hooks, made from their specifications."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from griffe import Docstring, DocstringSectionKind
from tables import cell, table

import mezzanine_core.hookspecs as hookspecs
from mezzanine_core.plugins import Registry

_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")


def hooks() -> dict[str, Callable[..., Any]]:
    """Name of each hook → its specification, in the order of the module."""
    return {
        name: member
        for name, member in vars(hookspecs).items()
        if hasattr(member, f"{hookspecs.PROJECT}_spec")
    }


def render(registry: Registry) -> str:
    """The Markdown of all hooks: signature, when it is called, arguments, who implements it."""
    implementers = _implementers(registry)
    return "\n".join(
        line for name, spec in hooks().items() for line in _hook(name, spec, implementers[name])
    )


def _hook(name: str, spec: Callable[..., Any], implementers: list[str]) -> Iterator[str]:
    yield f"## {name}\n"
    signature = str(inspect.signature(spec)).replace("'", "")
    yield f"```python\ndef {name}{signature}: ...\n```\n"
    for section in Docstring(inspect.cleandoc(spec.__doc__ or "")).parse("google", warnings=False):
        if section.kind is DocstringSectionKind.text:
            yield f"{_plain(section.value)}\n"
        elif section.kind is DocstringSectionKind.parameters:
            types = inspect.signature(spec).parameters
            rows = [
                (f"`{each.name}`", f"`{types[each.name].annotation}`", _plain(each.description))
                for each in section.value
            ]
            yield table(("argument", "type", "what"), rows)
        elif section.kind is DocstringSectionKind.returns:
            yield f"**Returns** {' '.join(_plain(each.description) for each in section.value)}\n"
    listed = ", ".join(f"`{each}`" for each in implementers)
    yield f"**Implemented by** {listed or 'no distribution of this repository'}.\n"


def _implementers(registry: Registry) -> Mapping[str, list[str]]:
    """Hook → the installed distributions whose plugins implement it."""
    found: dict[str, list[str]] = {name: [] for name in hooks()}
    for plugin in registry.plugins:
        module = inspect.importlib.import_module(plugin.module)  # type: ignore[attr-defined]
        for name in found:
            if hasattr(module, name) and plugin.distribution not in found[name]:
                found[name].append(plugin.distribution)
    return found


def _plain(text: str) -> str:
    """A docstring's text as Markdown: roles are code, lines are joined where a table needs it."""
    return cell(_ROLE.sub(r"`\1`", text)) if "\n\n" not in text else _ROLE.sub(r"`\1`", text)
