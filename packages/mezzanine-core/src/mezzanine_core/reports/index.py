"""An index of runs, each with its outcome and a link to its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mezzanine_core.reports.links import link_to
from mezzanine_core.reports.numbers import seconds_text
from mezzanine_core.reports.page import OUTCOMES, sentence_of
from mezzanine_core.reports.rendering import render
from mezzanine_core.results import plain_text
from mezzanine_core.runs.history import PastRun


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the index: a run, how its outcome looks, what it says, how long it took."""

    run: PastRun
    look: str
    sentence: str
    took: str
    link: str
    directory: str


def index_html(runs: Sequence[PastRun], beside: Path | None = None) -> str:
    """An index of runs as an HTML document, the latest first.

    Args:
        runs: The runs, the latest last.
        beside: Directory that the page is for; reports are linked from there.
    """
    entries = [
        Entry(
            run=run,
            look=OUTCOMES.get(run.outcome, "failed"),
            sentence=sentence_of(run),
            took=_took(run),
            link=link_to(run, beside),
            directory=plain_text(str(run.directory)),
        )
        for run in reversed(runs)
    ]
    return render("index.html", entries=entries)


def _took(run: PastRun) -> str:
    seconds = None if run.record is None else run.record.timings.get("total")
    return "" if seconds is None else seconds_text(seconds)
