"""Laws of trackers."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mezzanine_core.fingerprint import file_digest
from mezzanine_core.testing.laws import Law, law, require
from mezzanine_core.testing.subject import Case
from mezzanine_core.trackers import Tracker

_CONFIG: Mapping[str, Any] = MappingProxyType(
    {"seed": 0, "seeds": [0, 1], "world": {"name": "toy", "games": ["hole"], "limit": None}}
)
_RESULTS: Mapping[str, Any] = MappingProxyType(
    {
        "recipe": "toy",
        "metrics": {"action": {"r@10": {"value": 0.5, "low": 0.4, "high": 0.6, "level": 0.95}}},
        "verdict": {"label": "MAKE", "sentence": "It is so.", "criteria": [], "warnings": []},
    }
)


@law("Take every call that the contract names: scalars with and without a step, files, results.")
def a_run_can_be_followed(case: Case) -> None:
    """A run is followed from start to finish, with metrics, a file and results."""
    _follow(case.make(), _run_directory(case), _RESULTS)


@law("Let finish(None) end a run that failed, whatever was logged before.")
def a_failed_run_can_be_followed(case: Case) -> None:
    """A run that fails, at once or in the middle, is finished without results."""
    _follow(case.make(), _run_directory(case), None)
    tracker = case.make()
    tracker.start("toy", _run_directory(case), _CONFIG)
    tracker.finish(None)


@law("Write what it keeps to files of its own; those of the run are only to be read.")
def files_of_the_run_are_left_alone(case: Case) -> None:
    """Following a run changes no file that the run has written."""
    out = _run_directory(case)
    before = {path: file_digest(path) for path in out.rglob("*") if path.is_file()}
    _follow(case.make(), out, _RESULTS)
    changed = [
        path.name
        for path, digest in before.items()
        if not path.is_file() or file_digest(path) != digest
    ]
    require(not changed, f"following the run changed {', '.join(changed)}")


@law("Keep what belongs to a run on the instance, not on the class or module.")
def two_runs_can_be_followed_at_once(case: Case) -> None:
    """Two trackers follow two runs at the same time."""
    trackers = [case.make(), case.make()]
    for tracker in trackers:
        tracker.start("toy", _run_directory(case), _CONFIG)
    for step, tracker in enumerate(trackers):
        tracker.log({"loss": 1.0}, step)
    for tracker in trackers:
        tracker.finish(_RESULTS)


@law("Log to stderr, or not at all: stdout is for what a command gives.")
def nothing_is_printed(case: Case) -> None:
    """Following a run prints nothing on stdout."""
    with redirect_stdout(io.StringIO()) as printed:
        _follow(case.make(), _run_directory(case), _RESULTS)
    require(not printed.getvalue(), f"it prints {printed.getvalue()[:80]!r}")


def _run_directory(case: Case) -> Path:
    out = Path(tempfile.mkdtemp(prefix="run-", dir=case.folder))
    (out / "figures").mkdir()
    (out / "results.json").write_text("{}\n", encoding="utf-8")
    (out / "figures" / "note.txt").write_text("a file of the run\n", encoding="utf-8")
    return out


def _follow(tracker: Tracker, out: Path, results: Mapping[str, Any] | None) -> None:
    tracker.start("toy", out, _CONFIG)
    tracker.log(MappingProxyType({"loss": 1.5}), 0)
    tracker.log(MappingProxyType({"loss": 0.5, "curve/accuracy": 1}), 10)
    tracker.log(MappingProxyType({"gain": -0.25}))
    if results is not None:
        tracker.artifact(out / "figures" / "note.txt")
    tracker.finish(results)


LAWS: tuple[Law, ...] = (
    a_run_can_be_followed,
    a_failed_run_can_be_followed,
    files_of_the_run_are_left_alone,
    two_runs_can_be_followed_at_once,
    nothing_is_printed,
)
