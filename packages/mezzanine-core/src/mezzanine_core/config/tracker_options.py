"""The settings of the trackers that a run is logged to, among the options of the run.

They stand below the tracker's name: ``wandb.project`` is given as ``--wandb-project``, as
``MEZZ_WANDB_PROJECT``, or as ``wandb: {project: …}`` in the file of ``--config``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from mezzanine_core.config.fields import normalise
from mezzanine_core.config.files import plain
from mezzanine_core.config.models import ComponentConfig
from mezzanine_core.config.options import RunOptions
from mezzanine_core.config.sources import Layer
from mezzanine_core.config.text import coerce, shape_of
from mezzanine_core.errors import ConfigError, MezzError, PluginError

if TYPE_CHECKING:
    from mezzanine_core.plugins.components import Component
    from mezzanine_core.plugins.registry import Registry

_LOG = "log"


@dataclass(frozen=True)
class TrackerOptions:
    """The options of a run, those of its trackers among them.

    Attributes:
        model: The options; each tracker that has settings is a nested model of its name.
        trackers: The names of these trackers.
        problems: What is wrong with the choice of trackers.
    """

    model: type[RunOptions]
    trackers: tuple[str, ...]
    problems: tuple[MezzError, ...]


def tracker_options(
    registry: Registry, layers: Sequence[Layer], taken: frozenset[str]
) -> TrackerOptions:
    """Find the options that a run has, the trackers that its sources name among them.

    Args:
        registry: The installed plugins.
        layers: The sources of values, the weakest first.
        taken: Names that the settings of a tracker cannot stand below, as they mean something else.
    """
    fields: dict[str, Any] = {}
    problems: list[MezzError] = []
    for component in _chosen(registry, layers, problems):
        name = component.spec.name
        try:
            model = _model_of(component)
            if set(model.model_fields) == {"name"}:
                continue
            if name in taken or name in fields:
                raise _taken(component, name in fields)
        except MezzError as error:
            problems.append(error)
            continue
        fields[name] = (model, Field(description=f"Settings of the tracker {name}"))
    options = RunOptions
    if fields:
        options = create_model(RunOptions.__name__, __base__=RunOptions, **fields)
    return TrackerOptions(options, tuple(fields), tuple(problems))


def tracker_settings(options: RunOptions) -> dict[str, dict[str, Any]]:
    """What the options of a run say of its trackers: name → setting → value."""
    nested = set(type(options).model_fields) - set(RunOptions.model_fields)
    return {name: getattr(options, name).model_dump(exclude={"name"}) for name in sorted(nested)}


def owners_of(registry: Registry, key: str) -> Iterator[str]:
    """Installed trackers that have the setting that a key names, ``wandb_project`` say."""
    for component in registry.components("tracker"):
        try:
            names = set(_model_of(component).model_fields) - {"name"}
        except MezzError:
            # A broken plugin is reported by the command that needs it, not by a hint.
            continue
        name = component.spec.name
        if any(normalise(key) in (f"{name}_{each}", f"{name}.{each}") for each in names):
            yield name


def _chosen(
    registry: Registry, layers: Sequence[Layer], problems: list[MezzError]
) -> Iterator[Component]:
    """The trackers that the strongest source names; what is wrong with a name is said elsewhere."""
    info = RunOptions.model_fields[_LOG]
    shape = shape_of(info.annotation, info.metadata)
    for layer in reversed(layers):
        for key, located in layer.values.items():
            if normalise(key) != _LOG:
                continue
            try:
                typed = layer.kind in ("environment", "flag")
                names = coerce(plain(located), shape, text=typed)
            except ValueError:
                return
            found = {}
            for name in names if isinstance(names, list | tuple) else ():
                try:
                    component = registry.get("tracker", name)
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


def _taken(component: Component, twice: bool) -> MezzError:
    name = component.spec.name
    if twice:
        return ConfigError(
            f"--log: two trackers have the name {name!r}", hint="Log to one of them at a time."
        )
    return PluginError(
        f"the {component} has settings, but {name!r} is a setting of the run or the recipe",
        hint="Report this to the author of the tracker.",
    )
