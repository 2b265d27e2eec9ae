"""The first step of resolving: which components a run has, and so which settings it takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, create_model

from mezzanine_core.config.fields import Index, normalise, settings_of
from mezzanine_core.config.files import load_config_file
from mezzanine_core.config.models import (
    ComponentConfig,
    EncoderConfig,
    RecipeConfig,
    Slot,
    SlotKind,
    SymmetryConfig,
    WorldConfig,
    setting_names,
    slots,
)
from mezzanine_core.config.options import RESERVED, TUNING, RunOptions
from mezzanine_core.config.plugin_options import plugin_options
from mezzanine_core.config.sources import (
    Layer,
    environment_layer,
    file_layer,
    flag_layer,
    preset_layer,
    recorded_layer,
)
from mezzanine_core.errors import ConfigError, MezzError, PluginError

if TYPE_CHECKING:
    from mezzanine_core.plugins.components import Component
    from mezzanine_core.plugins.registry import Registry

_BASES: Mapping[SlotKind, type[ComponentConfig]] = {
    "world": WorldConfig,
    "encoder": EncoderConfig,
    "symmetry": SymmetryConfig,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The component that fills a slot.

    Attributes:
        component: What fills it.
        model: Its configuration model.
        name: The name that finds it again: short, or with its distribution if it was given so.
        origin: Where the choice came from.
        layer: The layer that made it; ``None`` for the slot's default.
    """

    component: Component
    model: type[ComponentConfig]
    name: str
    origin: str
    layer: Layer | None


@dataclass(frozen=True)
class Outline:
    """A command whose components are known and whose values are not read yet.

    Attributes:
        recipe: The recipe or preset.
        layers: The sources of values, the weakest first.
        choices: What fills each slot.
        unfilled: Slots that nothing fills, because no component was named or the name is wrong.
        model: The recipe's model, with those of the chosen components in its slots.
        options: The model of where and how the recipe runs, with those of the chosen trackers
            and executor.
        plugins: Name of each of those that has settings of its own → the plugin.
        index: All settings of the command.
        problems: What is wrong with the choice of components and plugins.
    """

    recipe: Component
    layers: tuple[Layer, ...]
    choices: Mapping[str, Choice]
    unfilled: frozenset[str]
    model: type[RecipeConfig]
    options: type[RunOptions]
    plugins: Mapping[str, Component]
    index: Index
    problems: tuple[MezzError, ...]

    def named_by(self, position: int, slot: str) -> str | None:
        """The component that a slot has by a layer and all weaker ones; ``None`` if unnamed."""
        layers = self.layers[: position + 1]
        choice = self.choices.get(slot)
        if choice is not None and any(layer is choice.layer for layer in layers):
            return choice.name
        names = [str(found[1].value) for layer in layers if (found := layer.component(slot))]
        return names[-1] if names else None


@dataclass
class _Selection:
    choices: dict[str, Choice] = field(default_factory=dict)
    unfilled: set[str] = field(default_factory=set)
    problems: list[MezzError] = field(default_factory=list)


def outline(
    registry: Registry,
    recipe_name: str,
    *,
    recorded: Mapping[str, Any] | None = None,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
    reserved: Collection[str] = (),
) -> Outline:
    """Choose the components of a run, as far as they can be chosen; see :func:`resolve`.

    Names in ``reserved`` are flags of the command, besides those that every recipe's command has.

    Raises:
        UnknownNameError: If there is no such recipe.
        PluginError: If the recipe's plugin is broken.
        ConfigError: If the configuration file cannot be read.
    """
    recipe = registry.get("recipe", recipe_name)
    base = _recipe_model(recipe)
    layers = []
    if recipe.spec.defaults:
        layers.append(preset_layer(recipe.spec.name, recipe.spec.defaults))
    if recorded is not None:
        layers.append(recorded_layer(recorded))
    if file is not None:
        layers.append(file_layer(load_config_file(file)))
    layers += [environment_layer(environ or {}), flag_layer(flags or {})]
    selection = _Selection()
    for slot_name, slot, _ in slots(base):
        _select(registry, slot_name, slot, layers, selection)
    choices = selection.choices
    presets = [
        preset_layer(choice.component.spec.name, {name: choice.component.spec.defaults})
        for name, choice in choices.items()
        if choice.component.spec.defaults
    ]
    model = _with_components(base, choices)
    taken = RESERVED.union(reserved)
    chosen = plugin_options(registry, layers, taken | setting_names(model))
    settings = [*settings_of(model), *settings_of(chosen.model)]
    return Outline(
        recipe=recipe,
        layers=(*presets, *layers),
        choices=choices,
        unfilled=frozenset(selection.unfilled),
        model=model,
        options=chosen.model,
        plugins=chosen.plugins,
        index=Index(settings, _slot_names(model), taken, joined=tuple(chosen.plugins)),
        problems=(*selection.problems, *chosen.problems),
    )


def _recipe_model(recipe: Component) -> type[RecipeConfig]:
    model = recipe.load_config()
    report = "Report this to the author of the plugin."
    if not (isinstance(model, type) and issubclass(model, RecipeConfig)):
        raise PluginError(
            f"the configuration {recipe.spec.config!r} of the {recipe} does not derive from "
            "mezzanine_core.config.RecipeConfig",
            hint=report,
        )
    if clash := sorted((RESERVED | TUNING) & setting_names(model)):
        raise PluginError(
            f"the {recipe} has settings whose names every run has for itself: {', '.join(clash)}",
            hint=report,
        )
    return model


def _slot_names(model: type[RecipeConfig]) -> list[str]:
    return [name for name, _, _ in slots(model)]


@dataclass(frozen=True, slots=True)
class _Wish:
    """A component's name as somebody gave it; ``label`` names the place in errors."""

    name: Any
    origin: str = "default"
    label: str = ""
    layer: Layer | None = None


def _select(
    registry: Registry, slot_name: str, slot: Slot, layers: list[Layer], selection: _Selection
) -> None:
    """Choose what fills a slot, by the strongest source that names something."""
    wish = _Wish(slot.default)
    for layer in layers:
        found = layer.component(slot_name)
        if found is not None:
            wish = _wish(found[1].value, layer, found[0], found[1].line)
    try:
        if wish.layer is None or wish.layer.kind == "preset":
            wish = _implied(registry, slot_name, slot, layers, wish) or wish
        selection.choices[slot_name] = _choose(registry, slot_name, slot, wish)
    except MezzError as error:
        selection.unfilled.add(slot_name)
        selection.problems.append(type(error)(f"{wish.label}{error.message}", hint=error.hint))


def _wish(name: Any, layer: Layer, key: str, line: int | None) -> _Wish:
    return _Wish(name, layer.origin(key, line), f"{layer.label(key, line)}: ", layer)


def _implied(
    registry: Registry, slot_name: str, slot: Slot, layers: list[Layer], wish: _Wish
) -> _Wish | None:
    """The component that a flag or a key of the file stands for, if ``wish`` lacks that setting."""
    for layer in reversed(layers):
        if layer.kind not in ("flag", "file"):
            continue
        plain = [(normalise(key), "", located) for key, located in layer.values.items()]
        nested = [(key, f"{slot_name}.", located) for key, located in layer.of_slot(slot_name)]
        for key, prefix, located in plain + nested:
            if key in slot.implied and not _has(registry, slot.kind, wish.name, key):
                return _wish(slot.implied[key], layer, prefix + key, located.line)
    return None


def _has(registry: Registry, kind: SlotKind, name: str | None, setting: str) -> bool:
    if name is None:
        return False
    return setting in setting_names(_model_of(registry.get(kind, name), kind))


def _choose(registry: Registry, slot_name: str, slot: Slot, wish: _Wish) -> Choice:
    if wish.name is None:
        installed = ", ".join(found.spec.name for found in registry.components(slot.kind))
        raise ConfigError(
            f"the recipe needs a {slot_name}",
            hint=f"Give --{slot_name.replace('_', '-')} NAME; installed: {installed or 'none'}.",
        )
    if not isinstance(wish.name, str):
        raise ConfigError(f"{wish.name!r} is not the name of a {slot.kind}")
    component = registry.get(slot.kind, wish.name)
    name = component.qualified if "@" in wish.name else component.spec.name
    return Choice(component, _model_of(component, slot.kind), name, wish.origin, wish.layer)


def _model_of(component: Component, kind: SlotKind) -> type[ComponentConfig]:
    model = component.load_config()
    base = _BASES[kind]
    if not (isinstance(model, type) and issubclass(model, base)):
        raise PluginError(
            f"the configuration {component.spec.config!r} of the {component} does not derive from "
            f"mezzanine_core.config.{base.__name__}",
            hint="Report this to the author of the plugin.",
        )
    return model


def _with_components(
    model: type[RecipeConfig], choices: Mapping[str, Choice]
) -> type[RecipeConfig]:
    """The recipe's model with the chosen components' models in its slots."""
    fields: dict[str, Any] = {
        name: (
            Annotated[(choices[name].model, *info.metadata)],
            Field(description=info.description),
        )
        for name, _, info in slots(model)
        if name in choices
    }
    return create_model(model.__name__, __base__=model, __module__=model.__module__, **fields)
