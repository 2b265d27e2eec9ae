"""``mezz info``: a component and the settings that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import PydanticUndefined, to_jsonable_python

from mezzanine_core.cli.listing import parse_kind
from mezzanine_core.cli.output import JsonFlag, print_columns, print_field, print_json
from mezzanine_core.config.fields import Index, settings_of
from mezzanine_core.config.models import aliases
from mezzanine_core.config.outline import outline
from mezzanine_core.config.resolve import in_force
from mezzanine_core.config.sources import preset_layer, read_layer
from mezzanine_core.config.text import format_value, metavar
from mezzanine_core.errors import PluginError
from mezzanine_core.plugins import Registry, load_registry
from mezzanine_core.plugins.components import Component


def _complete_name(incomplete: str) -> list[str]:
    names = {found.spec.name for found in load_registry(strict=False).components()}
    return sorted(name for name in names if name.startswith(incomplete))


def info(
    name: Annotated[
        str,
        typer.Argument(
            help="Short name, or NAME@DISTRIBUTION where two have it.",
            autocompletion=_complete_name,
        ),
    ],
    kind: Annotated[
        str | None, typer.Option("--kind", help="Its kind, where several have the name.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what a component is, where it comes from, and its settings with their defaults."""
    registry = load_registry()
    found = registry.find(name) if kind is None else registry.get(parse_kind(kind), name)
    is_recipe = found.spec.kind == "recipe"
    settings = _recipe_settings(registry, found) if is_recipe else _settings(found)
    if as_json:
        print_json(_document(found, settings))
    else:
        _print(found, settings)


@dataclass(frozen=True, slots=True)
class _Row:
    """A setting as it is shown.

    ``type`` is such as ``INT``, ``limits`` the range in words, ``aliases`` its further names.
    """

    name: str
    type: str
    limits: str
    required: bool
    default: Any
    description: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings of a component, and what keeps some of them from being known."""

    model: type[BaseModel]
    rows: tuple[_Row, ...]
    notes: tuple[str, ...] = ()


def _settings(component: Component) -> _Settings:
    model = component.load_config()
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise PluginError(
            f"the configuration of the {component} is not a pydantic model",
            hint="Report this to the author of the plugin.",
        )
    preset = preset_layer(component.spec.name, component.spec.defaults)
    given, _, _ = read_layer(preset, Index(settings_of(model), ()))
    rows = _rows(model, {item.setting.path: item.value for item in given})
    # A component's `name` says which component it is; nobody sets it here.
    return _Settings(model, tuple(row for row in rows if row.name != "name"))


def _recipe_settings(registry: Registry, component: Component) -> _Settings:
    """The settings of a recipe with its default components in it."""
    plan = outline(registry, component.qualified)
    given = in_force(plan)
    preset = {path: value for path, (value, origin) in given.items() if origin != "seed"}
    notes = (f"{problem.message}. {problem.hint or ''}".strip() for problem in plan.problems)
    return _Settings(plan.model, tuple(_rows(plan.model, preset)), tuple(notes))


def _rows(model: type[BaseModel], preset: Mapping[tuple[str, ...], Any]) -> Iterator[_Row]:
    for setting in settings_of(model):
        default = preset.get(setting.path, setting.default)
        unset = default is PydanticUndefined
        yield _Row(
            name=setting.dotted,
            type=metavar(setting.shape),
            limits=setting.shape.limits,
            required=unset,
            default=None if unset else default,
            description=setting.info.description or "",
            aliases=aliases(setting.info),
        )


def _document(component: Component, settings: _Settings) -> dict[str, Any]:
    spec = component.spec
    rows = [{**asdict(row), "default": to_jsonable_python(row.default)} for row in settings.rows]
    return {
        "kind": spec.kind,
        "name": spec.name,
        "summary": spec.summary,
        "distribution": component.distribution,
        "version": component.version,
        "config": spec.config,
        "factory": spec.factory,
        "tags": list(spec.tags),
        "requires": list(spec.requires),
        "missing": list(component.missing_requirements()),
        "settings": rows,
        "notes": list(settings.notes),
        "schema": _schema(component, settings.model),
    }


def _schema(component: Component, model: type[BaseModel]) -> dict[str, Any]:
    try:
        return model.model_json_schema()
    except PydanticInvalidForJsonSchema as error:
        raise PluginError(
            f"the configuration of the {component} has no JSON schema: {error}",
            hint="Report this to the author of the plugin.",
        ) from error


def _print(component: Component, settings: _Settings) -> None:
    spec = component.spec
    typer.echo(f"{spec.kind} {spec.name}")
    print_field("summary", spec.summary, indent=2)
    print_field("from", f"{component.distribution} {component.version}", indent=2)
    print_field("implementation", spec.factory, indent=2)
    if spec.tags:
        print_field("tags", ", ".join(spec.tags), indent=2)
    for text in component.missing_requirements():
        print_field("not installed", f"{text} (pip install '{text}')", indent=2)
    if settings.rows:
        typer.echo("\nsettings")
        print_columns([(row.name, _sentence(row)) for row in settings.rows], indent=2)
    for note in settings.notes:
        typer.echo()
        print_field("note", note, indent=0)


def _sentence(row: _Row) -> str:
    facts = [row.type, row.limits]
    facts.append("required" if row.required else f"default {format_value(row.default) or 'empty'}")
    facts += [f"also {name}" for name in row.aliases]
    return f"{row.description} [{'; '.join(fact for fact in facts if fact)}]".strip()
