"""What a run leaves for people besides its results: the report, however it ended.

A report that cannot be made or written is no reason to lose a run: it is said, and that is all.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mezzanine_core.interrupts import interrupts_deferred
from mezzanine_core.results import RunRecord, plain_text
from mezzanine_core.runs.directory import RunDirectory, summary
from mezzanine_core.runs.history import PastRun, finished
from mezzanine_core.runs.state import REPORT, read_state

_log = logging.getLogger(__name__)


def leave_report(directory: RunDirectory, record: RunRecord) -> None:
    """Write ``report.html`` of a run that has finished."""
    with _spared(directory, REPORT):
        _write(directory, finished(directory.path, record))


def leave_partial(
    directory: RunDirectory,
    known: Callable[[], RunRecord | None],
    recipe: str,
    started: str,
    error: BaseException,
) -> None:
    """Write ``partial.json`` and ``report.html`` of a run that ends before it has finished.

    Args:
        directory: The run's.
        known: Gives what the run knows of itself, or ``None`` where it did not come so far.
        recipe: Name of the recipe.
        started: When it started, ISO 8601 in UTC.
        error: What ended it.
    """
    with interrupts_deferred():
        record = None
        with _spared(directory, "partial.json"):
            record = known()
            if record is not None:
                directory.write_partial(record)
        with _spared(directory, REPORT):
            interrupted = isinstance(error, KeyboardInterrupt)
            run = PastRun(
                directory.path,
                "interrupted" if interrupted else "failed",
                recipe=recipe,
                fingerprint=None if record is None else record.fingerprint,
                started=started,
                problem=None if interrupted else plain_text(summary(error)),
                record=record,
            )
            trace = "" if interrupted else "".join(traceback.format_exception(error))
            _write(directory, run, plain_text(trace))


def _write(directory: RunDirectory, run: PastRun, trace: str = "") -> None:
    # Imported late, so that a run that is refused does not wait for the templates.
    from mezzanine_core.reports.run_report import report_html

    state = read_state(directory.path)
    directory.write_report(report_html(run, state=state, trace=trace))


@contextmanager
def _spared(directory: RunDirectory, name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - results matter more than their report
        _log.warning("cannot write %s: %s", directory.path / name, summary(error))
        _log.debug("%s", name, exc_info=error)
