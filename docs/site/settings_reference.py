"""The reference of all settings, made from the pydantic models of the installed components."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from tables import cell, code, table

from mezzanine_core.config import UNFINGERPRINTED, RunOptions, slots
from mezzanine_core.config.fields import Setting, settings_of
from mezzanine_core.config.models import aliases
from mezzanine_core.config.sources import flag
from mezzanine_core.config.text import Shape, format_value, metavar
from mezzanine_core.plugins import Component, Registry
from mezzanine_core.plugins.components import PLURALS
from mezzanine_core.specs import Kind

KINDS: Mapping[str, Kind] = {plural: kind for kind, plural in PLURALS.items()}
"""How a page names what it wants, such as ``worlds`` → the kind."""

_FINGERPRINTED = frozenset({"world", "encoder", "symmetry", "recipe"})
_BREAK = "<br>"
_HEAD = ("setting", "type", "default", "what", "fingerprint")


def render(kind: Kind, registry: Registry) -> str:
    """The Markdown of all installed components of one kind, with every setting of each."""
    found = registry.components(kind)
    return "\n".join(line for component in found for line in _component(component, found))


def render_run_options() -> str:
    """The Markdown of what every run can be told besides its recipe's settings."""
    rows = [_row(setting, RunOptions, None) for setting in settings_of(RunOptions)]
    return table(_HEAD, rows)


def _component(component: Component, others: list[Component]) -> Iterator[str]:
    spec = component.spec
    yield f"## {spec.name}\n"
    yield f"{spec.summary}{'' if spec.summary.endswith(('.', '?')) else '.'}\n"
    facts = [f"From `{component.distribution}`"]
    if spec.tags:
        facts.append(f"tags {', '.join(f'`{tag}`' for tag in spec.tags)}")
    if spec.requires:
        facts.append(f"needs {', '.join(f'`{each}`' for each in spec.requires)}")
    yield f"{'; '.join(facts)}.\n"
    base = _base(component, others)
    if base is not None:
        yield f"A preset of [`{base.spec.name}`](#{base.spec.name}), with these defaults:\n"
        rows = [(f"`{name}`", code(format_value(value))) for name, value in _flat(spec.defaults)]
        yield table(("setting", "default"), rows)
    else:
        yield from _settings(component)


def _base(component: Component, others: list[Component]) -> Component | None:
    """What a preset specialises; ``None`` where the component is no preset."""
    spec = component.spec
    return next(
        (
            other
            for other in others
            if spec.defaults
            and not other.spec.defaults
            and (other.spec.config, other.spec.factory) == (spec.config, spec.factory)
        ),
        None,
    )


def _flat(defaults: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in defaults.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _settings(component: Component) -> Iterator[str]:
    model = component.load_config()
    if words := inspect.cleandoc(model.__doc__ or "").partition("\n\n")[2]:
        yield f"{words}\n"
    parts = list(slots(model)) if component.spec.kind == "recipe" else []
    if parts:
        slot_rows = [
            (
                f"`{name}`",
                f"`{flag(name)}`",
                slot.kind,
                code(slot.default or ""),
                cell(info.description or f"Which {slot.kind}"),
            )
            for name, slot, info in parts
        ]
        yield table(("component", "flag", "kind", "default", "what"), slot_rows)
    own = {name for name, _, _ in parts} | ({"name"} if component.spec.kind != "recipe" else set())
    rows = [
        _row(setting, model, component)
        for setting in settings_of(model)
        if setting.path[0] not in own
    ]
    yield table(_HEAD, rows) if rows else "It has no settings.\n"


def _row(setting: Setting, model: type[BaseModel], component: Component | None) -> tuple[str, ...]:
    kind = None if component is None else component.spec.kind
    names = [f"`{setting.dotted}`"]
    if component is not None and kind == "tracker":
        names.append(f"`{flag(f'{component.spec.name}_{setting.path[-1]}')}`")
    elif kind != "executor":
        names.append(_flags(setting))
    names += [f"also `{name}`" for name in aliases(setting.info)]
    types = [code(metavar(setting.shape)), _permitted(setting.shape)]
    return (
        _BREAK.join(names),
        _BREAK.join(filter(None, types)),
        _default(setting),
        cell(setting.info.description or ""),
        "yes" if kind in _FINGERPRINTED and _counts(setting, model) else "no",
    )


def _flags(setting: Setting) -> str:
    last = setting.path[-1]
    negation = f" `{flag('no_' + last)}`" if setting.shape.kind == "bool" else ""
    return f"`{flag(last)}`{negation}"


def _default(setting: Setting) -> str:
    if setting.default is PydanticUndefined:
        return "required"
    return code(format_value(setting.default)) or "empty"


def _permitted(shape: Shape) -> str:
    notes = [code(shape.limits)] if shape.limits else []
    choices = shape.choices or (shape.items[0].choices if len(set(shape.items)) == 1 else ())
    named = [str(choice) for choice in choices]
    if named and not all(name in metavar(shape) for name in named):
        notes.append(", ".join(code(name) for name in named))
    return _BREAK.join(notes)


def _counts(setting: Setting, model: type[BaseModel]) -> bool:
    """Whether a value enters the fingerprint: neither it nor what it is nested in is left out."""
    within: Any = model
    for name in setting.path:
        info = within.model_fields[name]
        if any(mark is UNFINGERPRINTED for mark in info.metadata):
            return False
        within = info.annotation
    return True
