"""Running a recipe: components, directory, trackers, the run itself, and what it leaves behind."""

from __future__ import annotations

import errno
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from mezzanine_core.builtin.local import usable_cpus
from mezzanine_core.cache import LatentCache
from mezzanine_core.config.resolve import Resolved
from mezzanine_core.context import RunContext
from mezzanine_core.errors import MezzError, OutputDirectoryError, RunError
from mezzanine_core.interrupts import interrupts_kept
from mezzanine_core.plugins.culprit import culprit
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.progress import Progress
from mezzanine_core.recipes import Recipe
from mezzanine_core.results import Results, RunRecord
from mezzanine_core.runs.directory import RunDirectory, check_out
from mezzanine_core.runs.identity import Identity, identify
from mezzanine_core.runs.instances import (
    Instances,
    broken_contract,
    construct,
    world_data_expected,
)
from mezzanine_core.runs.leaving import leave_partial, leave_report
from mezzanine_core.runs.previous import files_of
from mezzanine_core.runs.provenance import provenance
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.runs.state import DOCUMENTS, ERROR_LOG, REPORT, is_inside, timestamp

_log = logging.getLogger(__name__)

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_TRACKERS = "trackers"
"""What is shown while trackers connect to a server, or send what a run left."""


def execute(
    resolved: Resolved, settings: RunSettings, registry: Registry, progress: Progress
) -> tuple[RunRecord, Path]:
    """Run a recipe.

    Settings, components, trackers, the output directory and the place of the cache are checked
    before the directory is touched and an earlier run in it moved. What the recipe alone can find,
    such as a device that is absent or too few samples, it finds afterwards. However the run ends,
    its directory says so, workers are stopped, and trackers and plugins are told.

    Args:
        resolved: The recipe and its settings.
        settings: Where and how it runs.
        registry: The installed plugins.
        progress: Where long work is shown.

    Returns:
        What ``results.json`` holds, and the run directory, absolute.

    Raises:
        MezzError: If the run is refused or fails for a reason that was foreseen.
        RunError: If it fails for another; the cause is chained, and its traceback is in
            ``error.log`` of the run directory.
        KeyboardInterrupt: If the user interrupts it.
    """
    run = _Run(resolved, settings, registry, progress)
    with RunDirectory.claim(
        settings.out,
        recipe=run.name,
        fingerprint=run.identity.fingerprint,
        command=settings.command,
        started=run.started,
    ) as directory:
        return run.within(directory), directory.path


class _Run:
    """One run, from the check of its settings to its record."""

    def __init__(
        self, resolved: Resolved, settings: RunSettings, registry: Registry, progress: Progress
    ) -> None:
        self.started = datetime.now(UTC)
        self._clock = time.perf_counter()
        self.name = resolved.recipe.spec.name
        self._resolved = resolved
        self._settings = settings
        self._registry = registry
        self._progress = progress
        check_out(settings.out)
        settings.check_cache_dir()
        self._instances = Instances(registry)
        with progress.stage("prepare"):
            # Weights and data sets may have to be found, read or fetched for it.
            self.identity: Identity = identify(resolved, self._instances)
        self._recipe: Recipe[Any] = construct(resolved.recipe, resolved.config)
        self._tracker = settings.make_trackers(registry)
        self._executor = settings.make_executor(registry)
        self._config: dict[str, Any] = resolved.config.model_dump(mode="json")
        self._ctx: RunContext | None = None

    def within(self, directory: RunDirectory) -> RunRecord:
        """Run in a directory, and tell trackers and plugins how it went."""
        out = directory.path
        self._registry.run_started(self.name, out, self._config)
        try:
            with self._progress.stage(_TRACKERS):
                self._tracker.start(self.name, out, self._config)
            directory.adopt()
            with self._executor, interrupts_kept() as check, self._progress.checked(check):
                record = self._computed(directory)
            directory.write_results(record)
            leave_report(directory, record)
        except BaseException as error:
            leave_partial(directory, self._unfinished, self.name, timestamp(self.started), error)
            if isinstance(error, KeyboardInterrupt):
                error.add_note(
                    "What was encoded is kept in the latent cache, so the same command goes on "
                    f"from there. How far the run came stands in {out / REPORT}."
                )
            with self._progress.stage(_TRACKERS):
                self._tracker.finish(None)
            self._registry.run_finished(self.name, out, None, error)
            raise
        document = record.model_dump(mode="json")
        with self._progress.stage(_TRACKERS):
            for artifact in record.artifacts:
                self._tracker.artifact(out / artifact)
            self._tracker.finish(document)
        self._registry.run_finished(self.name, out, document, None)
        return record

    def _computed(self, directory: RunDirectory) -> RunRecord:
        ctx = RunContext(
            out=directory.path,
            cache=LatentCache(self._settings.cache_dir),
            executor=self._executor,
            tracker=self._tracker,
            registry=self._registry,
            progress=self._progress,
            device=self._settings.device,
            timings={"setup": time.perf_counter() - self._clock},
            directory=directory,
            instances=self._instances,
            deterministic=self._settings.deterministic,
        )
        self._ctx = ctx
        try:
            with world_data_expected(self._resolved.components.values()):
                results = self._recipe.run(ctx)
            self._progress.checkpoint()
        except MezzError:
            raise
        except (Exception, SystemExit) as error:
            raise self._unforeseen(error, directory) from error
        if not isinstance(results, Results):
            raise broken_contract(
                self._resolved.recipe, f"returned a {type(results).__name__}, not Results"
            )
        self._record_views(ctx)
        return self._record(results, ctx)

    def _unforeseen(self, error: BaseException, directory: RunDirectory) -> MezzError:
        if isinstance(error, OSError) and error.errno in _FULL:
            # The cache explains its own failures: what is left is written below the directory.
            return OutputDirectoryError(
                f"the output directory {directory.path} cannot be written: {error.strerror}",
                hint="Choose another --out, or see to the space on its disk.",
            )
        text = str(error).strip()
        what = f"{type(error).__name__}: {text}" if text else type(error).__name__
        return RunError(
            f"the run failed: {what}",
            hint=f"If this is a bug in {culprit(error)}, report it with "
            f"{directory.path / ERROR_LOG}.",
        )

    def _record(self, results: Results, ctx: RunContext) -> RunRecord:
        found = {
            name: getattr(results, name) for name in Results.model_fields if name != "artifacts"
        }
        made_with = provenance(
            self._registry.plugins, self.identity.distributions(self._resolved.recipe)
        )
        return RunRecord(
            **found,
            artifacts=_written(results.artifacts, ctx.out),
            recipe=self.name,
            fingerprint=self.identity.fingerprint,
            started=timestamp(self.started),
            config=self._config,
            origins=dict(self._resolved.origins),
            components=self.identity.components,
            versions=made_with.versions,
            code=made_with.code,
            settings={
                "device": ctx.device,
                "deterministic": self._settings.deterministic,
                "executor": self._settings.executor,
                "executor_settings": to_jsonable_python(
                    self._settings.settings_of(self._settings.executor)
                ),
                "workers": self._executor.workers,
                "cpus": usable_cpus(),
                "cache_dir": str(ctx.cache.root),
                "trackers": self._settings.trackers,
                "command": self._settings.command,
            },
            cache=ctx.counts,
            encoders={name: report for name, report in ctx.encoders.items() if report},
            timings={**ctx.timings, "total": time.perf_counter() - self._clock},
        )

    def _unfinished(self) -> RunRecord | None:
        """What is known of a run that does not finish, without findings."""
        ctx = self._ctx
        if ctx is None:
            return None
        names = (name for name in files_of(ctx.out) if name not in DOCUMENTS)
        return self._record(Results(metrics={}, artifacts=tuple(names)), ctx)

    def _record_views(self, ctx: RunContext) -> None:
        """Note in the cache what each encoder gave for the world; with two, nobody could tell."""
        worlds = [
            self.identity.components[slot].fingerprint
            for slot, component in self._resolved.components.items()
            if component.spec.kind == "world"
        ]
        if len(worlds) == 1:
            for encoder, columns in ctx.views.items():
                summary = {"recipe": self.name, "run": self.identity.fingerprint}
                ctx.cache.record_view(encoder, worlds[0], {**summary, "columns": columns})


def _written(artifacts: tuple[str, ...], out: Path) -> tuple[str, ...]:
    """The artifacts that are really there: a missing one is no reason to lose the results."""
    there = []
    for name in artifacts:
        if is_inside(name) and (out / name).exists():
            there.append(name)
        else:
            _log.warning("the recipe names the artifact %s, which it did not write", name)
    return tuple(there)
