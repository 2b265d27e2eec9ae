"""Where and how a recipe runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mezzanine_core.errors import ConfigError
from mezzanine_core.executors import Executor
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.results import plain_text
from mezzanine_core.runs.instances import construct
from mezzanine_core.runs.tracking import Trackers
from mezzanine_core.specs import Kind


@dataclass(frozen=True)
class RunSettings:
    """Where and how a recipe runs: nothing that changes what comes out.

    Attributes:
        out: The run directory; ``None`` for a fresh one below ``runs/``.
        cache_dir: Directory of the latent cache.
        device: Torch device, or ``auto``.
        workers: Parallel workers; ``None`` for one on each usable CPU.
        trackers: Names of the experiment trackers to log to.
        command: The command line, for the record.
        executor: Name of the executor.
        plugin_settings: Short name of a tracker or the executor → its settings, where they are not
            the defaults.
        deterministic: Whether the result must be the same bit for bit on the same machine.
    """

    out: Path | None
    cache_dir: Path
    device: str = "auto"
    workers: int | None = None
    trackers: tuple[str, ...] = ()
    command: str = ""
    executor: str = "local"
    deterministic: bool = False
    plugin_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def check_cache_dir(self) -> None:
        """Check, touching nothing, that the cache directory is one or can become one.

        Raises:
            ConfigError: If it is a file, or lies below one; or if its name is not text, which zarr
                needs.
        """
        path = self.cache_dir.expanduser()
        if plain_text(str(path.absolute())) != str(path.absolute()):
            raise ConfigError(
                f"the cache directory {plain_text(str(path))} cannot be used: its name is not text "
                "in this locale",
                hint="Choose another --cache-dir, or run with PYTHONUTF8=1.",
            )
        for place in (path, *path.parents):
            if os.path.lexists(place):
                if not place.is_dir():
                    raise ConfigError(
                        f"the cache directory {path} cannot be used: {place} is not a directory",
                        hint="Choose another --cache-dir.",
                    )
                return

    def make_executor(self, registry: Registry) -> Executor:
        """The executor; its workers start when they are first needed.

        Raises:
            MezzError: If there is none of that name, or it cannot be constructed.
        """
        given = self.settings_of(self.executor)
        if self.workers is not None:
            given["workers"] = self.workers
        made: Executor = _create(registry, "executor", self.executor, **given)
        return made

    def make_trackers(self, registry: Registry) -> Trackers:
        """The trackers, as one.

        Raises:
            MezzError: If there is none of one of the names, or it cannot be constructed.
        """
        return Trackers(
            {
                name: _create(registry, "tracker", name, **self.settings_of(name))
                for name in self.trackers
            }
        )

    def settings_of(self, plugin: str) -> dict[str, Any]:
        """The settings of a tracker or the executor, by its name."""
        return dict(self.plugin_settings.get(short_name(plugin), {}))


def short_name(plugin: str) -> str:
    """The name below which the settings of a plugin stand: that without its distribution."""
    return plugin.partition("@")[0].replace("-", "_")


def _create(registry: Registry, kind: Kind, name: str, **given: Any) -> Any:
    component = registry.get(kind, name)
    try:
        config = component.load_config()(**{**component.spec.defaults, **given})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(f"the {component} does not take {where}: {first['msg']}") from error
    return construct(component, config)
