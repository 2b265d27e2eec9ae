"""``mezz report``: the report of a run, or several runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.runs.history import locate_run, read_run
from mezzanine_core.runs.state import REPORT

if TYPE_CHECKING:
    from mezzanine_core.runs.history import PastRun

COMPARISON = Path("comparison.html")
"""Where a comparison goes unless ``--out`` says otherwise."""


def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Run directories, or their results.json.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help=f"Where the page goes: {REPORT} in the run directory by default, and "
            f"{COMPARISON} here for several runs. An earlier report is replaced.",
        ),
    ] = None,
) -> None:
    """Write the report of a run, or compare several, as one HTML file that loads nothing."""
    found = [_over(locate_run(run)) for run in runs]
    if len(found) == 1:
        target, page = _of_one(found[0], out)
    else:
        target, page = _of_several(found, out)
    from mezzanine_core.reports.writing import write_page

    write_page(target, page)
    typer.echo(str(target))


def _over(directory: Path) -> PastRun:
    """A run that has ended, and can be read."""
    run = read_run(directory)
    if run.outcome == "unreadable":
        raise DataError(run.problem or f"{directory} cannot be read")
    if run.outcome == "running":
        raise ConfigError(
            f"the run in {directory} has not ended yet", hint="It writes its report when it ends."
        )
    return run


def _of_one(run: PastRun, out: Path | None) -> tuple[Path, str]:
    from mezzanine_core.reports.run_report import report_of
    from mezzanine_core.reports.writing import check_page

    target = run.directory / REPORT if out is None else out
    check_page(target)
    return target, report_of(run.directory, linked=target.parent.samefile(run.directory))


def _of_several(runs: list[PastRun], out: Path | None) -> tuple[Path, str]:
    from mezzanine_core.reports.comparison import comparison_html
    from mezzanine_core.reports.writing import check_page

    target = COMPARISON if out is None else out
    check_page(target)
    return target, comparison_html(runs, target.parent)
