"""The flags of a recipe's command, made from its settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from pydantic_core import PydanticUndefined

from mezzanine_core.config.fields import Setting
from mezzanine_core.config.models import Slot, slots
from mezzanine_core.config.options import DEVICES
from mezzanine_core.config.outline import Outline
from mezzanine_core.config.plugin_options import CHOSEN_BY
from mezzanine_core.config.resolve import in_force
from mezzanine_core.config.sources import flag
from mezzanine_core.config.text import Shape, format_value, metavar
from mezzanine_core.plugins.registry import Registry

GENERAL = "Run"
"""Title of the flags that every recipe has."""

_Complete = Callable[[str], list[str]]


@dataclass(frozen=True)
class SettingFlag:
    """A setting and the parameter by which Typer knows it.

    Attributes:
        setting: What the flag sets.
        parameter: A keyword-only parameter. Its default is ``None``, whatever the setting's is: a
            default of the parser's would pass for the word of the user.
    """

    setting: Setting
    parameter: inspect.Parameter


def setting_flags(
    plan: Outline, registry: Registry, *, with_values: bool, texts: Mapping[str, str]
) -> list[SettingFlag]:
    """The flags of all settings: the recipe's own, those of its components, those of the run.

    Args:
        plan: The command.
        registry: The installed plugins; their names complete the flags that choose components.
        with_values: Whether help is wanted, and so the values that are in force.
        texts: Full name of a setting → what its help says in place of its description.
    """
    values = in_force(plan) if with_values else {}
    by_name = {name: slot for name, slot, _ in slots(plan.model)}
    flags = []
    for path, setting in plan.index.settings.items():
        slot = by_name.get(path[0])
        names_component = slot is not None and plan.index.is_name(path)
        option = typer.Option(
            *_declarations(plan, setting),
            help=texts.get(setting.dotted)
            or _help(setting, slot if names_component else None, registry, values.get(path)),
            metavar="NAME" if names_component else metavar(setting.shape),
            show_default=False,
            rich_help_panel=_title(plan, setting, slot),
            autocompletion=_completion(setting, slot if names_component else None, registry),
        )
        parameter = _parameter("__".join(path), _type(setting.shape), option)
        flags.append(SettingFlag(setting, parameter))
    return flags


def general_flags() -> list[inspect.Parameter]:
    """The flags that say what to do with a run, in the section of those that every recipe has."""
    file = typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="YAML or JSON file of settings",
        rich_help_panel=GENERAL,
    )
    dry_run = typer.Option(
        "--dry-run",
        help="Show every setting and where it comes from, and what would be encoded; then stop",
        rich_help_panel=GENERAL,
    )
    as_json = typer.Option("--json", help="Print JSON", rich_help_panel=GENERAL)
    debug = typer.Option(
        "--debug", help="Show tracebacks and debug messages", rich_help_panel=GENERAL
    )
    return [
        _parameter("config", str, file),
        _parameter("dry_run", bool, dry_run, default=False),
        _parameter("json", bool, as_json, default=False),
        _parameter("debug", bool, debug, default=False),
    ]


def _parameter(
    name: str, annotation: Any, option: Any, default: bool | None = None
) -> inspect.Parameter:
    kind = annotation if default is not None else annotation | None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _type(shape: Shape) -> Any:
    """What the parser makes of a value: text, which is read where all sources are."""
    return {"bool": bool, "list": list[str]}.get(shape.kind, str)


def _declarations(plan: Outline, setting: Setting) -> list[str]:
    names = plan.index.spellings(setting)
    if setting.shape.kind == "bool":
        return [f"{flag(name)}/{flag('no_' + name)}" for name in names]
    return [flag(name) for name in names]


def _title(plan: Outline, setting: Setting, slot: Slot | None) -> str:
    name = setting.path[0]
    if slot is not None:
        choice = plan.choices.get(name)
        return f"{name.capitalize()} {choice.name if choice else ''}".strip()
    if name in plan.model.model_fields:
        return f"Recipe {plan.recipe.spec.name}"
    plugin = plan.plugins.get(name)
    return f"{plugin.spec.kind.capitalize()} {name}" if plugin is not None else GENERAL


def _help(
    setting: Setting, slot: Slot | None, registry: Registry, given: tuple[Any, str] | None
) -> str:
    notes = [setting.shape.limits] if setting.shape.limits else []
    choices = [str(choice) for choice in _choices(setting.shape)]
    if choices and not any(choice in metavar(setting.shape) for choice in choices):
        notes.append(f"of: {', '.join(choices)}")
    if slot is not None:
        description = f"Which {slot.kind}: {', '.join(_names(registry, slot.kind)) or 'none'}"
    else:
        description = (setting.info.description or "").rstrip(".")
    if given is not None and given[1] != "seed":
        value, origin = given
        source = "" if origin == "default" else f" ({origin})"
        notes.append(f"default: {format_value(value)}{source}")
    elif setting.default is PydanticUndefined and slot is None:
        notes.append("required")
    elif given is None and setting.default not in (None, PydanticUndefined, "", (), [], {}):
        notes.append(f"default: {format_value(setting.default)}")
    return f"{description}  [{'; '.join(notes)}]" if notes else description


def _choices(shape: Shape) -> tuple[Any, ...]:
    """The values that a setting, or every item of a list, is chosen from."""
    if shape.kind == "list" and len(set(shape.items)) == 1:
        return shape.items[0].choices
    return shape.choices


def _names(registry: Registry, kind: Any) -> list[str]:
    return sorted({found.spec.name for found in registry.components(kind)})


def _completion(setting: Setting, slot: Slot | None, registry: Registry) -> _Complete | None:
    """What the shell offers for a value; ``None`` where that is nothing, or files."""
    if slot is not None:
        return _among(_names(registry, slot.kind))
    if setting.path == ("device",):
        return _among(DEVICES)
    if len(setting.path) == 1 and (kind := CHOSEN_BY.get(setting.path[0])):
        return _among(_names(registry, kind), lists=setting.shape.kind == "list")
    choices = [str(choice) for choice in _choices(setting.shape)]
    return _among(choices, lists=setting.shape.kind == "list") if choices else None


def _among(names: Sequence[str], *, lists: bool = False) -> _Complete:
    def complete(incomplete: str) -> list[str]:
        head, comma, last = incomplete.rpartition(",") if lists else ("", "", incomplete)
        return [f"{head}{comma}{name}" for name in names if name.startswith(last)]

    return complete
