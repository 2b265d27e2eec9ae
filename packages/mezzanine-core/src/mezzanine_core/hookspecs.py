"""The hooks a plugin may implement.

A plugin is a small module named by an entry point of the group ``mezzanine``. It imports
:data:`hookimpl` and :class:`~mezzanine_core.specs.Spec`, nothing heavy, and announces components::

    from mezzanine_core import Spec, hookimpl

    @hookimpl
    def mezz_worlds():
        return [
            Spec(
                kind="world",
                name="hopper",
                summary="A one-legged robot.",
                config="mezzanine_worlds_hopper.config:HopperConfig",
                factory="mezzanine_worlds_hopper.world:Hopper",
            )
        ]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from mezzanine_core.specs import Spec

PROJECT = "mezzanine"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def mezz_worlds() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the worlds of this plugin."""


@hookspec
def mezz_symmetries() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the symmetries of this plugin."""


@hookspec
def mezz_encoders() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the encoders of this plugin."""


@hookspec
def mezz_recipes() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the recipes and presets of this plugin."""


@hookspec
def mezz_trackers() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the experiment trackers of this plugin."""


@hookspec
def mezz_executors() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the executors of this plugin."""


@hookspec
def mezz_run_started(recipe: str, out: Path, config: Mapping[str, Any]) -> None:
    """Called once a run's configuration is resolved and its directory exists.

    Args:
        recipe: Name of the recipe or preset.
        out: The run directory.
        config: The resolved configuration as plain JSON values.
    """


@hookspec
def mezz_run_finished(
    recipe: str, out: Path, results: Mapping[str, Any] | None, error: BaseException | None
) -> None:
    """Called when a run ends, however it ends.

    Args:
        recipe: Name of the recipe or preset.
        out: The run directory.
        results: What ``results.json`` holds, or ``None`` where the run failed.
        error: What ended the run, or ``None`` where it succeeded.
    """
