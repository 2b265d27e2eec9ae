"""The report of one run: rendered at the end of a run, or of one that is over."""

from __future__ import annotations

from pathlib import Path

from mezzanine_core.errors import DataError
from mezzanine_core.reports.page import run_page
from mezzanine_core.reports.rendering import render
from mezzanine_core.runs.history import PastRun, read_run
from mezzanine_core.runs.state import ERROR_LOG, RunState, read_state

_LONGEST_TRACE = 12_000


def report_html(
    run: PastRun, *, state: RunState | None = None, trace: str = "", linked: bool = True
) -> str:
    """The report of a run as an HTML document.

    Args:
        run: The run; where it did not finish, its ``record`` is what it knew of itself.
        state: Its ``run.json``, which tells of a run that left no record.
        trace: Traceback of a run that failed.
        linked: Whether files of the run are linked; they are where the page lies beside them.
    """
    page = run_page(
        run,
        command="" if state is None else state.command,
        files=() if state is None else state.files,
        trace=trace[-_LONGEST_TRACE:],
    )
    return render("run.html", page=page, linked=linked)


def report_of(directory: Path, *, linked: bool = True) -> str:
    """The report of a run that is over, as far as it came.

    Args:
        directory: The run directory.
        linked: Whether files of the run are linked.

    Raises:
        DataError: If its documents cannot be read.
    """
    run = read_run(directory)
    if run.outcome == "unreadable":
        raise DataError(run.problem or f"{directory} cannot be read")
    try:
        state = read_state(directory)
        trace = _trace(directory) if run.outcome == "failed" else ""
    except OSError as error:
        raise DataError(f"{directory} cannot be read: {error.strerror or error}") from error
    return report_html(run, state=state, trace=trace, linked=linked)


def _trace(directory: Path) -> str:
    """The traceback in ``error.log``, whose first line is the command; nothing where it is absent.

    Raises:
        OSError: If it is there but cannot be read.
    """
    path = directory / ERROR_LOG
    if not path.exists():
        return ""
    _, _, trace = path.read_text(encoding="utf-8", errors="replace").partition("\n\n")
    return trace
