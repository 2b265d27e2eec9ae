"""The settings of the plugins that a run is given besides its recipe, among its options.

These are the trackers that it is logged to and its executor. Their settings stand below their name:
``wandb.project`` is given as ``--wandb-project``, as ``MEZZ_WANDB_PROJECT``, or as ``wandb:
{project: …}`` in the file of ``--config``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from mezzanine_core.config.fields import normalise
from mezzanine_core.config.files import plain
from mezzanine_core.config.models import ComponentConfig
from mezzanine_core.config.options import RunOptions
from mezzanine_core.config.sources import Layer, flag
from mezzanine_core.config.text import coerce, shape_of
from mezzanine_core.errors import ConfigError, MezzError, PluginError
from mezzanine_core.specs import Kind

if TYPE_CHECKING:
    from mezzanine_core.plugins.components import Component
    from mezzanine_core.plugins.registry import Registry

CHOSEN_BY: dict[str, Kind] = {"log": "tracker", "executor": "executor"}
"""Option of a run → kind of the plugins that it names."""

_GIVEN = frozenset({"name", "workers"})
"""Settings that are not the plugin's own: which it is, and what ``--workers`` says."""


@dataclass(frozen=True)
class PluginOptions:
    """The options of a run, those of its plugins among them.

    Attributes:
        model: The options; each plugin that has settings of its own is a nested model of its name.
        plugins: Name of each of these → the plugin.
        problems: What is wrong with the choice of plugins.
    """

    model: type[RunOptions]
    plugins: Mapping[str, Component]
    problems: tuple[MezzError, ...]


def plugin_options(
    registry: Registry, layers: Sequence[Layer], taken: frozenset[str]
) -> PluginOptions:
    """Find the options that a run has, the plugins that its sources name among them.

    Args:
        registry: The installed plugins.
        layers: The sources of values, the weakest first.
        taken: Names that the settings of a plugin cannot stand below, as they mean something else.
    """
    fields: dict[str, Any] = {}
    plugins: dict[str, Component] = {}
    problems: list[MezzError] = []
    for option in CHOSEN_BY:
        for component in _chosen(registry, layers, option):
            name = component.spec.name
            try:
                model = _model_of(component)
                if set(model.model_fields) <= _GIVEN:
                    continue
                if name in taken or name in fields:
                    raise _taken(component, option, twice=name in fields)
            except MezzError as error:
                problems.append(error)
                continue
            about = f"Settings of the {component.spec.kind} {name}"
            fields[name] = (model, Field(description=about))
            plugins[name] = component
    options = RunOptions
    if fields:
        options = create_model(RunOptions.__name__, __base__=RunOptions, **fields)
    return PluginOptions(options, plugins, tuple(problems))


def plugin_settings(options: RunOptions) -> dict[str, dict[str, Any]]:
    """What the options of a run say of its plugins: name → setting → value."""
    nested = set(type(options).model_fields) - set(RunOptions.model_fields)
    return {name: getattr(options, name).model_dump(exclude={"name"}) for name in sorted(nested)}


def owners_of(registry: Registry, key: str) -> Iterator[tuple[str, str]]:
    """Installed plugins that have the setting that a key names, ``wandb_project`` say.

    Yields:
        The option that chooses it, and its name.
    """
    for option, kind in CHOSEN_BY.items():
        for component in registry.components(kind):
            try:
                names = set(_model_of(component).model_fields) - _GIVEN
            except MezzError:
                # A broken plugin is reported by the command that needs it, not by a hint.
                continue
            name = component.spec.name
            if any(normalise(key) in (f"{name}_{each}", f"{name}.{each}") for each in names):
                yield option, name


def _chosen(registry: Registry, layers: Sequence[Layer], option: str) -> Iterator[Component]:
    """The plugins that the strongest source names; what is wrong with a name is said elsewhere."""
    info = RunOptions.model_fields[option]
    shape = shape_of(info.annotation, info.metadata)
    for layer in reversed(layers):
        for key, located in layer.values.items():
            if normalise(key) != option:
                continue
            try:
                typed = layer.kind in ("environment", "flag")
                names = coerce(plain(located), shape, text=typed)
            except ValueError:
                return
            found = {}
            for name in names if isinstance(names, list | tuple) else (names,):
                try:
                    component = registry.get(CHOSEN_BY[option], name)
                except (MezzError, AttributeError):
                    continue
                found[component.qualified] = component
            yield from found.values()
            return


def _model_of(component: Component) -> type[ComponentConfig]:
    model = component.load_config()
    if not (isinstance(model, type) and issubclass(model, ComponentConfig)):
        raise PluginError(
            f"the configuration {component.spec.config!r} of the {component} does not derive from "
            f"mezzanine_core.config.{ComponentConfig.__name__}",
            hint="Report this to the author of the plugin.",
        )
    return model


def _taken(component: Component, option: str, *, twice: bool) -> MezzError:
    name = component.spec.name
    if twice:
        return ConfigError(
            f"{flag(option)}: two plugins of the run have the name {name!r}",
            hint="Use one of them at a time.",
        )
    return PluginError(
        f"the {component} has settings, but {name!r} is a setting of the run or the recipe",
        hint=f"Report this to the author of the {component.spec.kind}.",
    )
