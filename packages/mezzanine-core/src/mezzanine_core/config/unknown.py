"""What is said about a key that names no setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel

from mezzanine_core.config.models import setting_names, slots
from mezzanine_core.config.outline import Outline
from mezzanine_core.config.plugin_options import CHOSEN_BY, owners_of
from mezzanine_core.config.sources import OF_OTHER_VERSIONS, Layer, flag
from mezzanine_core.errors import MezzError, PluginError, UnknownNameError

if TYPE_CHECKING:
    from mezzanine_core.plugins.registry import Registry


def unknown_key(plan: Outline, registry: Registry, layer: Layer, key: str, label: str) -> MezzError:
    """The error for a key of any source but the environment that names no setting of the command.

    Args:
        plan: The command.
        registry: The installed plugins, some of which may have a setting of that name.
        layer: Where the key stands.
        key: The key, with underscores.
        label: How the error names it.
    """
    if layer.kind == "preset":
        return PluginError(
            f"{label}: there is no such setting",
            hint="The preset is wrong; report this to its author.",
        )
    if layer.kind == "recorded":
        return UnknownNameError(f"{label}: there is no such setting", hint=OF_OTHER_VERSIONS)
    of_flags = layer.kind == "flag"
    hints = []
    if near := plan.index.near(key):
        names = [flag(name) if of_flags else repr(name) for name in near]
        hints.append(f"Did you mean {' or '.join(names)}?")
    for slot, name in _owners(plan, registry, key):
        choose = f"{flag(slot)} {name}" if of_flags else f"{slot}: {name}"
        hints.append(f"The {slot} {name} has it: choose it with `{choose}`.")
    for option, name in owners_of(registry, key):
        choose = f"{flag(option)} {name}" if of_flags else f"{option}: {name}"
        hints.append(f"The {CHOSEN_BY[option]} {name} has it: choose it with `{choose}`.")
    if not hints:
        hints.append(f"`mezz run {plan.recipe.spec.name} --help` shows all.")
    what = "flag" if of_flags else "setting"
    return UnknownNameError(f"{label}: there is no such {what}", hint=" ".join(hints))


def _owners(plan: Outline, registry: Registry, key: str) -> Iterator[tuple[str, str]]:
    """Installed components that are not chosen and have a setting of that name, by their slot."""
    for slot_name, slot, _ in slots(plan.model):
        for component in registry.components(slot.kind):
            try:
                model = component.load_config()
            except MezzError:
                # A broken plugin is reported by the command that needs it, not by a hint.
                continue
            usable = isinstance(model, type) and issubclass(model, BaseModel)
            if usable and key.removeprefix(f"{slot_name}.") in setting_names(model):
                yield slot_name, component.spec.name
