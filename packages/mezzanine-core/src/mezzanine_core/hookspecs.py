"""The hooks a plugin may implement.

A plugin is a small module named by an entry point of the group ``mezzanine``. It imports
:data:`hookimpl` and :class:`~mezzanine_core.specs.Spec`, nothing heavy, and announces components::

    from mezzanine_core import Spec, hookimpl

    @hookimpl
    def mezz_worlds() -> list[Spec]:
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

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

import pluggy

if TYPE_CHECKING:
    from mezzanine_core.specs import Spec

PROJECT = "mezzanine"

Hook = TypeVar("Hook", bound="Callable[..., Iterable[Spec] | None]")
"""An implementation of a hook: it returns specs, or nothing where it is only told something."""


class HookMarker(Protocol):
    """What :data:`hookimpl` is: a decorator that takes implementations of hooks alone."""

    @overload
    def __call__(self, function: Hook) -> Hook: ...

    @overload
    def __call__(
        self, function: None = None, *, optionalhook: bool = False, specname: str | None = None
    ) -> Callable[[Hook], Hook]: ...


hookspec = pluggy.HookspecMarker(PROJECT)

hookimpl: HookMarker = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin module as the implementation of the hook of its name.

A function that returns anything else than specs or ``None`` fails static type checks. With
``specname`` it implements the hook of that name instead of its own; with ``optionalhook`` it is
passed over by a core that has no such hook.
"""


@hookspec
def mezz_worlds() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the worlds of this plugin.

    Called once by every command that needs to know what is installed, ``mezz --help`` excepted, so
    nothing heavy may happen in it.

    Returns:
        Specs of kind ``world``; a preset is one with ``defaults``. An empty list is fine.
    """


@hookspec
def mezz_symmetries() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the symmetries of this plugin.

    Called once by every command that needs to know what is installed, ``mezz --help`` excepted, so
    nothing heavy may happen in it.

    Returns:
        Specs of kind ``symmetry``; a preset is one with ``defaults``. An empty list is fine.
    """


@hookspec
def mezz_encoders() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the encoders of this plugin.

    Called once by every command that needs to know what is installed, ``mezz --help`` excepted, so
    nothing heavy may happen in it.

    Returns:
        Specs of kind ``encoder``; a preset is one with ``defaults``. An empty list is fine.
    """


@hookspec
def mezz_recipes() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the recipes and presets of this plugin.

    Called once by every command that needs to know what is installed, ``mezz --help`` excepted, so
    nothing heavy may happen in it.

    Returns:
        Specs of kind ``recipe``; a preset is one with ``defaults``. An empty list is fine.
    """


@hookspec
def mezz_trackers() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the experiment trackers of this plugin.

    Called once by every command that needs to know what is installed, ``mezz --help`` excepted, so
    nothing heavy may happen in it.

    Returns:
        Specs of kind ``tracker``; a preset is one with ``defaults``. An empty list is fine.
    """


@hookspec
def mezz_executors() -> Iterable[Spec]:  # type: ignore[empty-body]
    """Announce the executors of this plugin.

    Called once by every command that needs to know what is installed, ``mezz --help`` excepted, so
    nothing heavy may happen in it.

    Returns:
        Specs of kind ``executor``; a preset is one with ``defaults``. An empty list is fine.
    """


@hookspec
def mezz_run_started(recipe: str, out: Path, config: Mapping[str, Any]) -> None:
    """Called once a run's configuration is resolved and its directory exists.

    Nothing is loaded or encoded yet. A hook that raises is reported, and the run goes on.

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

    ``results.json`` is written by then where the run succeeded. A hook that raises is reported.

    Args:
        recipe: Name of the recipe or preset.
        out: The run directory.
        results: What ``results.json`` holds, or ``None`` where the run failed.
        error: What ended the run, or ``None`` where it succeeded.
    """
