"""Running a finished run again: what has changed since, and whether the results hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mezzanine_core.builtin.local import usable_cpus
from mezzanine_core.cache import default_cache_dir
from mezzanine_core.config.plugin_options import plugin_settings
from mezzanine_core.errors import ConfigError, OutputDirectoryError
from mezzanine_core.files import write_atomically
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.comparison import Comparison, Tolerance, compare
from mezzanine_core.runs.drift import Drift, find_drift
from mezzanine_core.runs.execution import execute
from mezzanine_core.runs.history import locate_run
from mezzanine_core.runs.identity import identify
from mezzanine_core.runs.instances import Instances
from mezzanine_core.runs.provenance import provenance
from mezzanine_core.runs.recorded import finished_record, resolve_recorded
from mezzanine_core.runs.settings import RunSettings, short_name
from mezzanine_core.runs.state import COMPARISON

EXACT = Tolerance(relative=0, absolute=0)
"""The tolerance of two runs that must be the same bit for bit."""


@dataclass(frozen=True)
class RerunRequest:
    """Which run is repeated, and where and how.

    Attributes:
        run: The run directory, or its ``results.json``.
        out: Directory of the repetition; ``None`` for a fresh one below ``runs/``.
        options: Options of a run by name (``device``, ``cache_dir``, ``workers``, ``executor``,
            ``log``), as typed; what is not given is as the run had it.
        deterministic: Whether the repetition is deterministic; one of a run that was always is.
        relative: See :class:`~mezzanine_core.runs.comparison.Tolerance`; ``None`` for the default.
        absolute: The same.
        command: The command line, for the record.
    """

    run: Path
    out: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    deterministic: bool = False
    relative: float | None = None
    absolute: float | None = None
    command: str = ""


class Rerun:
    """A finished run, ready to be run again with the settings that it had.

    Constructing one constructs its components, for their fingerprints, and touches no directory.

    Args:
        registry: The installed plugins.
        request: Which run, and how.
        environ: Environment variables: ``MEZZ_DEVICE``, ``MEZZ_CACHE_DIR`` and ``MEZZ_WORKERS`` are
            read; settings of the recipe are those of the run, whatever these say.

    Attributes:
        folder: Directory of the earlier run, absolute.
        record: What it left behind.
        drift: What has changed since.
        tolerance: How far numbers may lie apart: not at all where both runs are deterministic and
            nothing has changed, unless the request says otherwise.

    Raises:
        UnknownNameError: If there is no run.
        DataError: If the run has not finished, or its results cannot be read.
        ConfigError: If the recipe does not take its settings (it was of another version then), an
            option is wrong, or the repetition would take the place of the run.
        MissingDependencyError: If the recipe or a component is not installed.
    """

    def __init__(
        self, registry: Registry, request: RerunRequest, environ: Mapping[str, str]
    ) -> None:
        self._registry = registry
        self.folder = locate_run(request.run).absolute()
        self.record: RunRecord = finished_record(self.folder, "can be run again")
        self._resolved = resolve_recorded(
            registry,
            self.record,
            request.options,
            environ,
            again={} if "executor" in request.options else _executor_of(self.record),
        )
        self.settings = self._made_settings(request)
        if self.settings.out is not None and self.settings.out.resolve() == self.folder.resolve():
            raise ConfigError(
                "--out: is the directory of the run itself, which would be moved aside",
                hint="Choose another --out, or give none.",
            )
        self.drift = tuple(self._found_drift())
        self.tolerance = self._chosen_tolerance(request)

    def run(self, progress: Progress) -> Comparison:
        """Run again, compare, and write ``comparison.json`` into the new directory.

        Raises:
            MezzError: If the run is refused or fails; see
                :func:`~mezzanine_core.runs.execution.execute`.
        """
        record, out = execute(self._resolved, self.settings, self._registry, progress)
        comparison = compare(
            self.record,
            record,
            tolerance=self.tolerance,
            drift=self.drift,
            directories=(self.folder, out),
        )
        path = out / COMPARISON
        try:
            write_atomically(path, comparison.model_dump_json(indent=2) + "\n")
        except OSError as error:
            raise OutputDirectoryError(
                f"{path} cannot be written: {error.strerror or error}",
                hint="The repetition itself is complete. See to the space on the disk.",
            ) from error
        return comparison

    def _made_settings(self, request: RerunRequest) -> RunSettings:
        options, recorded = self._resolved.options, self.record.settings
        origins = self._resolved.origins
        cache_dir = options.cache_dir
        if cache_dir is None:
            before = Path(recorded.get("cache_dir", ""))
            cache_dir = before if before.is_absolute() and before.is_dir() else default_cache_dir()
        given = origins["device"] != "default"
        return RunSettings(
            out=None if request.out is None else request.out.expanduser(),
            cache_dir=cache_dir,
            device=options.device if given else recorded.get("device", options.device),
            workers=options.workers,
            trackers=options.log,
            command=request.command,
            executor=options.executor,
            plugin_settings=plugin_settings(options),
            deterministic=request.deterministic or recorded.get("deterministic", False),
        )

    def _found_drift(self) -> list[Drift]:
        identity = identify(self._resolved, Instances(self._registry))
        made_with = provenance(
            self._registry.plugins, identity.distributions(self._resolved.recipe)
        )
        settings = {
            "device": self.settings.device,
            "cpus": usable_cpus(),
            "deterministic": self.settings.deterministic,
        }
        return find_drift(self.record, identity, made_with, settings)

    def _chosen_tolerance(self, request: RerunRequest) -> Tolerance:
        both = self.settings.deterministic and self.record.settings.get("deterministic", False)
        # What was installed or removed beside what the run uses is no change of what it computes.
        bearing = [each for each in self.drift if None not in (each.then, each.now)]
        base = EXACT if both and not bearing else Tolerance()
        given = {"relative": request.relative, "absolute": request.absolute}
        return base.model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )


def _executor_of(record: RunRecord) -> dict[str, Any]:
    """The executor that a run had, and its settings."""
    name = record.settings.get("executor", "local")
    settings = record.settings.get("executor_settings")
    return {"executor": name, **({short_name(name): settings} if settings else {})}
