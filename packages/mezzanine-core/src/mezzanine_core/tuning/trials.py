"""One run of a trial: the same run that ``mezz run`` makes."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mezzanine_core.config.resolve import resolve
from mezzanine_core.plugins import load_registry
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.execution import execute
from mezzanine_core.runs.history import read_run
from mezzanine_core.runs.previous import adopt_unfinished
from mezzanine_core.runs.settings import RunSettings


@dataclass(frozen=True)
class TrialRun:
    """A run that is wanted; picklable, so that a worker process can make it.

    Attributes:
        recipe: Name of the recipe or preset.
        file: Configuration file.
        flags: Settings by full name, as flags take them.
        settings: Where and how it runs.
    """

    recipe: str
    file: Path | None
    flags: Mapping[str, Any]
    settings: RunSettings

    @property
    def directory(self) -> Path:
        """The run directory."""
        if self.settings.out is None:
            raise AssertionError("a run of a trial has a directory of its own")
        return self.settings.out


def make_run(wanted: TrialRun, registry: Registry, progress: Progress) -> RunRecord:
    """Make a run, unless its directory holds it already.

    Raises:
        MezzError: If the run is refused or fails.
    """
    if wanted.directory.is_dir():
        past = read_run(wanted.directory)
        if past.record is not None:
            return past.record
        # Nobody else writes there: what a worker that was killed had not listed is the run's too.
        adopt_unfinished(wanted.directory)
    resolved = resolve(
        registry, wanted.recipe, file=wanted.file, environ=os.environ, flags=wanted.flags
    )
    record, _ = execute(resolved, wanted.settings, registry, progress)
    return record


def make_run_in_worker(wanted: TrialRun) -> RunRecord:
    """Make a run in a worker process, with one worker: a worker has no children.

    Raises:
        MezzError: If the run is refused or fails.
    """
    alone = dataclasses.replace(wanted.settings, workers=1)
    with redirect_stdout(sys.stderr):
        return make_run(
            dataclasses.replace(wanted, settings=alone), load_registry(), Progress(quiet=True)
        )
