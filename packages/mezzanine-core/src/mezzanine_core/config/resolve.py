"""From sources to the configuration of a run.

Values come, the weakest first, from the defaults of the models, the preset, the configuration file,
the environment and the flags. Where each one came from is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticUndefined

from mezzanine_core.config.fields import normalise, settings_of
from mezzanine_core.config.models import RecipeConfig, WorldConfig
from mezzanine_core.config.options import RunOptions
from mezzanine_core.config.outline import Outline, outline
from mezzanine_core.config.plugin_options import CHOSEN_BY
from mezzanine_core.config.problems import raise_all, translate
from mezzanine_core.config.sources import Given, Layer, read_layer, variable
from mezzanine_core.config.text import coerce
from mezzanine_core.config.unknown import unknown_key
from mezzanine_core.errors import ConfigError, MezzError

if TYPE_CHECKING:
    from mezzanine_core.plugins.components import Component
    from mezzanine_core.plugins.registry import Registry

_log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)
_Key = tuple[str, ...]
_TYPO_CUTOFF = 0.8


@dataclass(frozen=True)
class Resolved:
    """A run whose every setting is known.

    Attributes:
        recipe: The recipe or preset that runs.
        config: Its settings. The fields that hold components are instances of the chosen
            components' own models.
        options: Where and how it runs.
        origins: Dotted name of each setting → where its value came from: ``default``,
            ``preset NAME``, ``recorded in results.json``, ``FILE:LINE``, ``environment
            MEZZ_NAME``, ``flag --name``, or ``seed`` for what follows the recipe's seed.
        components: Field name → the component that was chosen for it.
    """

    recipe: Component
    config: RecipeConfig
    options: RunOptions
    origins: Mapping[str, str]
    components: Mapping[str, Component]

    def payload(self) -> dict[str, Any]:
        """What goes into the fingerprint of the run, as plain JSON values.

        Names of presets stay out: two presets of one implementation with the same settings are the
        same experiment.
        """
        config = self.config.fingerprint_payload()
        for slot, component in self.components.items():
            if slot in config:
                config[slot]["name"] = component.spec.factory
        return {"recipe": self.recipe.spec.factory, "config": config}


def resolve(
    registry: Registry,
    recipe_name: str,
    *,
    recorded: Mapping[str, Any] | None = None,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Resolved:
    """Find every setting of a run.

    A setting is named by its full name (``world.games``) or, where one setting alone has it, by the
    last part of it (``games``); a setting of the recipe wins over those of its components. A
    component is named by its slot: ``world: iphyre``, or ``world: {name: iphyre, …}``. What a
    weaker source says of a component that a stronger one replaces is left out.

    Args:
        registry: The installed plugins.
        recipe_name: Name of a recipe or preset.
        recorded: The ``config`` of an earlier run's record; stronger than presets alone.
        file: A YAML or JSON file.
        environ: Environment variables; those that begin with ``MEZZ_`` are read, as
            ``MEZZ_GAMES`` or ``MEZZ_WORLD__GAMES``. An empty one counts as not set.
        flags: Values by name, as typed: a string is read like the value of a flag (``"a,b"`` is a
            list of two), a list of strings like a repeated flag; others are taken as they are.

    Raises:
        MezzError: One error that says everything that is wrong, each with its flag, variable or
            line: a ``ConfigError`` for values and names, a ``MissingDependencyError`` for a
            component that is not installed, a ``PluginError`` for a plugin that is broken.
    """
    plan = outline(
        registry, recipe_name, recorded=recorded, file=file, environ=environ, flags=flags
    )
    draft = _Draft(plan, problems=list(plan.problems))
    _read(draft)
    draft.problems += [unknown_key(plan, registry, *found) for found in draft.unknown]
    _convert(draft)
    _inherit_seed(draft)
    config = _validate(draft, plan.model)
    options = _validate(draft, plan.options)
    if options is not None:
        _check_plugins(draft, options, registry)
    raise_all(draft.problems, plan.recipe.spec.name)
    if config is None or options is None:
        raise AssertionError("pydantic refused a model without saying why")
    return Resolved(
        recipe=plan.recipe,
        config=config,
        options=options,
        origins={
            setting.dotted: draft.origins.get(path, "default")
            for path, setting in plan.index.settings.items()
        },
        components={slot: choice.component for slot, choice in plan.choices.items()},
    )


def in_force(plan: Outline) -> dict[_Key, tuple[Any, str]]:
    """Values that presets, file, environment and flags give, for help: what is wrong is left out.

    Returns:
        Path of each setting that has been given → its value, not validated yet, and its origin.
    """
    draft = _Draft(plan, problems=[])
    _read(draft)
    _convert(draft)
    _inherit_seed(draft)
    return {path: (value, draft.origins[path]) for path, value in draft.values.items()}


@dataclass
class _Draft:
    """What is known so far, by the path of the setting.

    ``unknown`` holds keys that name no setting, with their layer before and their label after.
    """

    plan: Outline
    problems: list[MezzError]
    unknown: list[tuple[Layer, str, str]] = field(default_factory=list)
    given: dict[_Key, Given] = field(default_factory=dict)
    values: dict[_Key, Any] = field(default_factory=dict)
    origins: dict[_Key, str] = field(default_factory=dict)


def _read(draft: _Draft) -> None:
    """Find the strongest source of each setting."""
    plan = draft.plan
    for position, layer in enumerate(plan.layers):
        replaced = _replaced(plan, position)
        given, unknown, wrong = read_layer(layer, plan.index)
        draft.problems += wrong
        for item in given:
            path = item.setting.path
            if path[0] not in replaced or plan.index.is_name(path):
                draft.given[path] = item
        for key, label in unknown:
            if layer.kind == "environment":
                _warn_of_typo(plan, key, label)
            elif key.partition(".")[0] not in replaced and not _of_unfilled(plan, key):
                draft.unknown.append((layer, key, label))


def _replaced(plan: Outline, position: int) -> set[str]:
    """Slots whose component, as this layer knows it, was replaced by a stronger source."""
    replaced = set()
    layer = plan.layers[position]
    for slot, choice in plan.choices.items():
        named = plan.named_by(position, slot)
        if named is None or _short(named) == _short(choice.name):
            continue
        replaced.add(slot)
        if layer.kind != "preset" and any(
            key not in ("", "name") for key, _ in layer.of_slot(slot)
        ):
            _log.warning(
                "the settings of the %s %s in %s are left out: %s (%s) replaces it",
                slot,
                named,
                layer.name or f"the {layer.kind}",
                choice.name,
                choice.origin,
            )
    return replaced


def _of_unfilled(plan: Outline, key: str) -> bool:
    """Whether a key may belong to a component that nobody could choose, and is no plain typo."""
    return bool(plan.unfilled) and not plan.index.near(key, _TYPO_CUTOFF)


def _short(name: str) -> str:
    return normalise(name.partition("@")[0])


def _warn_of_typo(plan: Outline, key: str, label: str) -> None:
    # Other variables may belong to another recipe, or to another program of the same prefix.
    if near := plan.index.near(key, _TYPO_CUTOFF):
        _log.warning("%s is ignored; did you mean %s?", label, variable(near[0]))


def _convert(draft: _Draft) -> None:
    for path, item in draft.given.items():
        draft.origins[path] = item.origin
        try:
            draft.values[path] = coerce(item.value, item.setting.shape, text=item.text)
        except ValueError as error:
            draft.problems.append(ConfigError(f"{item.label}: {error}"))
    for slot, choice in draft.plan.choices.items():
        draft.values[slot, "name"] = choice.name
        draft.origins[slot, "name"] = choice.origin


def _inherit_seed(draft: _Draft) -> None:
    """Let worlds that are given no seed of their own follow the recipe's."""
    seed = draft.plan.index.settings["seed",]
    for slot, choice in draft.plan.choices.items():
        if issubclass(choice.model, WorldConfig) and (slot, "seed") not in draft.given:
            draft.values[slot, "seed"] = draft.values.get(seed.path, seed.default)
            draft.origins[slot, "seed"] = "seed"


def _validate(draft: _Draft, model: type[M]) -> M | None:
    settings = {setting.path: setting for setting in settings_of(model)}
    data: dict[str, Any] = {}
    for path, setting in settings.items():
        # Defaults are given for nested settings too, since a nested model that is given in part
        # would otherwise lose the values of its parent's default.
        value = draft.values.get(path, setting.default if len(path) > 1 else PydanticUndefined)
        if value is not PydanticUndefined and path[0] not in draft.plan.unfilled:
            level = data
            for name in path[:-1]:
                level = level.setdefault(name, {})
            level[path[-1]] = value
    try:
        return model.model_validate(data)
    except ValidationError as error:
        owners: dict[_Key, str] = {(): draft.plan.recipe.spec.name}
        for slot, choice in draft.plan.choices.items():
            owners[slot,] = f"{choice.component.spec.kind} {choice.name}"
        known: list[_Key] = [(slot,) for slot in draft.plan.unfilled]
        known += [path for path in draft.given if path not in draft.values]
        known += [path for path, origin in draft.origins.items() if origin == "seed"]
        draft.problems += translate(error, settings, draft.given, owners, known)
        return None


def _check_plugins(draft: _Draft, options: RunOptions, registry: Registry) -> None:
    for option, kind in CHOSEN_BY.items():
        names = getattr(options, option)
        for name in names if isinstance(names, tuple) else (names,):
            try:
                registry.get(kind, name)
            except MezzError as error:
                given = draft.given.get((option,))
                label = given.label if given else option
                draft.problems.append(type(error)(f"{label}: {error.message}", hint=error.hint))
