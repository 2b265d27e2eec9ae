"""Earlier runs: finding them below directories, and reading what they left behind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mezzanine_core.errors import DataError, UnknownNameError
from mezzanine_core.results import SCHEMA_VERSION, RunRecord
from mezzanine_core.runs.state import PARTIAL, RESULTS, STATE, RunState, is_in_use, read_state


@dataclass(frozen=True, slots=True)
class PastRun:
    """What a run directory says of its run.

    Attributes:
        directory: The run directory.
        outcome: The verdict's label, or ``finished`` where there is none; ``running``, ``failed``
            or ``interrupted``; ``killed`` where the process died without a word; ``unreadable``.
        recipe: Name of the recipe, where it is known.
        fingerprint: The run's fingerprint, where it is known.
        started: When it started, ISO 8601 in UTC, where it is known.
        problem: What ended the run early, or why it cannot be read.
        record: What it found, where it finished; where it did not, what it knew of itself, without
            findings. ``None`` where neither can be read.
    """

    directory: Path
    outcome: str
    recipe: str | None = None
    fingerprint: str | None = None
    started: str | None = None
    problem: str | None = None
    record: RunRecord | None = None


def find_runs(roots: Iterable[Path]) -> list[PastRun]:
    """Every run at or below some directories, those in ``previous/`` included, the latest last.

    A document that cannot be read makes an entry that says why.

    Raises:
        UnknownNameError: If one of them is not there.
    """
    directories: set[Path] = set()
    for root in roots:
        if not root.is_dir():
            raise UnknownNameError(f"there is no directory {root}")
        for name in (RESULTS, STATE):
            directories.update(path.parent for path in root.rglob(name))
    runs = [read_run(directory) for directory in directories]
    return sorted(runs, key=lambda run: (run.started or "", run.directory))


def locate_run(path: Path) -> Path:
    """The directory of a run, given itself or one of its documents.

    Raises:
        UnknownNameError: If there is no run.
    """
    directory = path.parent if path.name in (RESULTS, STATE) else path
    if not (directory / RESULTS).exists() and not (directory / STATE).exists():
        raise UnknownNameError(
            f"there is no run in {directory}",
            hint=f"`mezz runs ls {directory}` lists those below."
            if directory.is_dir()
            else "That is no directory. `mezz runs ls` lists the runs below this one.",
        )
    return directory


def is_run_directory(directory: Path) -> bool:
    """Whether a directory holds a ``run.json`` of ours, which can be read."""
    try:
        return read_state(directory) is not None
    except OSError:
        return False


def read_run(directory: Path) -> PastRun:
    """What a directory says of its run; nothing that is wrong with its documents is an error."""
    problem = None
    if (directory / RESULTS).exists():
        try:
            return finished(directory, read_results(directory / RESULTS))
        except DataError as error:
            problem = error.message
    try:
        state = read_state(directory)
    except OSError as error:
        state, problem = None, f"{directory / STATE} cannot be read: {error.strerror}"
    if problem is not None or state is None:
        problem = problem or f"{directory / STATE} is not the document of a run"
        return PastRun(directory, "unreadable", problem=problem)
    return _unfinished(directory, state)


def finished(directory: Path, record: RunRecord) -> PastRun:
    """A run that has come to its end, by what it found."""
    return PastRun(
        directory,
        outcome="finished" if record.verdict is None else record.verdict.label,
        recipe=record.recipe,
        fingerprint=record.fingerprint,
        started=record.started,
        record=record,
    )


def _unfinished(directory: Path, state: RunState) -> PastRun:
    outcome: str = state.status
    if state.status == "running" and not is_in_use(directory):
        outcome = "killed"
    return PastRun(
        directory,
        outcome,
        recipe=state.recipe,
        fingerprint=state.fingerprint,
        started=state.started,
        problem=state.error,
        record=_partial(directory),
    )


def _partial(directory: Path) -> RunRecord | None:
    """What a run that did not finish left of itself, where it came so far."""
    if not (directory / PARTIAL).exists():
        return None
    try:
        return read_results(directory / PARTIAL)
    except DataError:
        return None


def read_results(path: Path) -> RunRecord:
    """Read a ``results.json``.

    Raises:
        DataError: If it cannot be read, is no document of a run, is damaged, or was written in a
            later layout; the message says which, and names the file.
    """
    try:
        document: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("schema_version"), int):
        raise DataError(f"{path} is not the results of a Mezzanine run")
    if document["schema_version"] > SCHEMA_VERSION:
        raise DataError(
            f"{path} has layout {document['schema_version']}; this version reads {SCHEMA_VERSION}",
            hint="pip install --upgrade mezzanine-core",
        )
    try:
        return RunRecord.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"{path} is damaged: {where}: {first['msg']}") from error
