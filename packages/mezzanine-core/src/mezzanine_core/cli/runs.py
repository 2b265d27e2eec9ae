"""``mezz runs``: look at earlier runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mezzanine_core.cli.group import LazyGroup, QuickCommand
from mezzanine_core.cli.output import JsonFlag, minute, print_columns, print_field, print_json
from mezzanine_core.errors import ConfigError
from mezzanine_core.runs.history import (
    PastRun,
    find_runs,
    is_run_directory,
    locate_run,
    read_results,
    read_run,
)
from mezzanine_core.runs.state import RESULTS

DEFAULT_ROOT = Path("runs")
"""Where runs go unless ``--out`` says otherwise, relative to the working directory."""

runs_app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    add_completion=False,
    help="Look at earlier runs.",
)


@runs_app.command(cls=QuickCommand)
def ls(
    directories: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DIRECTORY]...",
            help="Where to look; ./runs and run directories here by default.",
        ),
    ] = None,
    as_json: JsonFlag = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write an index with links to the reports, as one HTML file, instead.",
        ),
    ] = None,
) -> None:
    """List the runs at and below directories, the latest last."""
    if html is not None and as_json:
        raise ConfigError("--html and --json exclude each other")
    runs = find_runs(directories or _default_roots())
    if html is not None:
        _write_index(html, runs)
        return
    if as_json:
        print_json([_row(run) for run in runs])
        return
    if not runs:
        here = [f"{DEFAULT_ROOT} or directly in the folders here"]
        where = ", ".join(map(str, directories or here))
        typer.echo(f"There are no runs in {where}.")
        return
    for run in runs:
        columns = (minute(run.started), f"{run.outcome:<12}", run.recipe or "-")
        print_columns([(*columns, str(run.directory))])
        if run.problem:
            print_field("because", run.problem)


@runs_app.command(cls=QuickCommand)
def show(
    run: Annotated[Path, typer.Argument(help="A run directory, or its results.json.")],
    as_json: JsonFlag = False,
) -> None:
    """Show what a run found: verdict, metrics with intervals, timings."""
    directory = locate_run(run)
    if not (directory / RESULTS).exists():
        _show_unfinished(read_run(directory), as_json=as_json)
        return
    record = read_results(directory / RESULTS)
    from mezzanine_core.cli.run_report import print_results

    if not as_json:
        typer.echo(f"{record.recipe}, {minute(record.started)} UTC, {record.fingerprint}\n")
    print_results(record, directory, as_json=as_json)


def _write_index(target: Path, runs: list[PastRun]) -> None:
    from mezzanine_core.reports.index import index_html
    from mezzanine_core.reports.writing import check_page, write_page

    check_page(target, "--html")
    write_page(target, index_html(runs, target.parent))
    typer.echo(str(target))


def _default_roots() -> list[Path]:
    """``./runs``, and the folders of the working directory that ``--out`` made run directories."""
    folders = [folder for folder in Path().iterdir() if folder.is_dir()]
    return [folder for folder in folders if folder == DEFAULT_ROOT or is_run_directory(folder)]


def _show_unfinished(run: PastRun, *, as_json: bool) -> None:
    if as_json:
        print_json(_row(run))
        return
    for label, text in _row(run).items():
        if text is not None:
            print_field(label, text, indent=0)


def _row(run: PastRun) -> dict[str, Any]:
    return {
        "directory": str(run.directory),
        "outcome": run.outcome,
        "recipe": run.recipe,
        "fingerprint": run.fingerprint,
        "started": run.started,
        "problem": run.problem,
    }
