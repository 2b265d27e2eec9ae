"""Plugins and components as the registry holds them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, Literal

from mezzanine_core.errors import MezzError, MissingDependencyError, PluginError
from mezzanine_core.plugins.requirements import is_met, parse_requirement
from mezzanine_core.specs import Kind, Spec

Status = Literal["ok", "broken", "incompatible", "duplicate", "blocked"]
"""What became of a plugin.

``broken``: it raised, or what it announces is malformed. ``incompatible``: it needs another version
of core, and was not imported. ``duplicate``: what it announces is there already. ``blocked``: left
out by ``MEZZ_PLUGINS``.
"""

PLURALS: Mapping[Kind, str] = {
    "world": "worlds",
    "symmetry": "symmetries",
    "encoder": "encoders",
    "recipe": "recipes",
    "tracker": "trackers",
    "executor": "executors",
}
"""The plural of each kind, as ``mezz list`` takes it."""


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """What became of one entry point of the group ``mezzanine``.

    Attributes:
        id: ``distribution:entry-point``.
        distribution: Normalised name of the distribution.
        version: Its version.
        entry_point: Name of the entry point.
        module: What the entry point refers to.
        status: See :data:`Status`.
        cause: Why the status is not ``ok``, with the place where something raised.
        remedy: The command that mends it.
        specs: What it announces; empty unless the status is ``ok``.
        seconds: Wall time of importing it and calling its hooks.
    """

    id: str
    distribution: str
    version: str
    entry_point: str
    module: str
    status: Status
    cause: str | None = None
    remedy: str | None = None
    specs: tuple[Spec, ...] = ()
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether it is not there though nobody left it out."""
        return self.status not in ("ok", "blocked")


@dataclass(frozen=True, slots=True)
class Component:
    """A component that an installed plugin announces.

    Attributes:
        spec: What it announces.
        distribution: The distribution that brings it.
        version: The version of that distribution.
    """

    spec: Spec
    distribution: str
    version: str

    @property
    def qualified(self) -> str:
        """``name@distribution``, which no other component of this kind has."""
        return f"{self.spec.name}@{self.distribution}"

    def __str__(self) -> str:
        return f"{self.spec.kind} {self.spec.name!r} of {self.distribution} {self.version}"

    def load_config(self) -> Any:
        """Import and return the configuration model.

        Raises:
            MissingDependencyError: If a module that the plugin needs is not installed.
            PluginError: If the plugin cannot be imported, or lacks the model.
        """
        return self._guard("cannot be imported", self.spec.load_config)

    def create(self, config: Any) -> Any:
        """Import the implementation and construct it with ``config``.

        Raises:
            MissingDependencyError: If something that the component needs is not installed.
            PluginError: If the plugin cannot be imported, or its constructor breaks.
            MezzError: What the constructor raises of its own, unchanged.
        """
        for text in self.missing_requirements():
            raise MissingDependencyError(
                f"the {self} needs {text!r}, which is not installed", hint=f"pip install '{text}'"
            )
        factory = self._guard("cannot be imported", self.spec.load_factory)
        return self._guard("failed to start", lambda: factory(config))

    def missing_requirements(self) -> tuple[str, ...]:
        """Those of the spec's optional requirements that are not installed.

        Raises:
            PluginError: If one of them is malformed.
        """
        return tuple(
            text
            for text in self.spec.requires
            if not is_met(parse_requirement(text, self.distribution))
        )

    def _guard(self, failed: str, call: Callable[[], Any]) -> Any:
        """Call into the plugin; what it raises becomes an error that names the plugin."""
        upgrade = f"pip install --upgrade {self.distribution}"
        try:
            with redirect_stdout(sys.stderr):
                return call()
        except (MezzError, ImportError) as error:
            missing = error.__cause__ if isinstance(error, PluginError) else error
            if isinstance(missing, MezzError) or not isinstance(missing, ImportError):
                raise
            if isinstance(missing, ModuleNotFoundError) and missing.name:
                raise MissingDependencyError(
                    f"the {self} needs the module {missing.name!r}, which is not installed",
                    hint=upgrade,
                ) from error
            raise PluginError(f"the {self} {failed}: {missing}", hint=upgrade) from error
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"the {self} {failed}: {type(error).__name__}: {error}",
                hint="Run again with --debug for the traceback, and report it to its author.",
            ) from error
