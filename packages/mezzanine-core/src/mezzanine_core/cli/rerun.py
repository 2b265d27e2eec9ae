"""``mezz rerun``: run a finished run again and see whether its results hold."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mezzanine_core.cli.output import JsonFlag, count, print_field, print_json, wrapped
from mezzanine_core.cli.output import width as terminal_width
from mezzanine_core.errors import ConfigError
from mezzanine_core.plugins import load_registry
from mezzanine_core.runs.determinism import fix_threads
from mezzanine_core.runs.history import locate_run, read_run

if TYPE_CHECKING:
    from mezzanine_core.runs.comparison import Comparison
    from mezzanine_core.runs.drift import Drift
    from mezzanine_core.runs.rerun import Rerun

DRIFTED = 1
"""Exit code where results lie beyond the tolerance."""

_SHOWN = 10
_SHORT = 60


def rerun(
    run_dir: Annotated[Path, typer.Argument(help="A run directory, or its results.json.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Directory of the repetition; by default runs/<recipe>/<time>-…"
        ),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic",
            help="Same result bit for bit on the same machine, where the run was deterministic "
            "too; a run that was is always run so again.",
        ),
    ] = False,
    rtol: Annotated[
        float | None,
        typer.Option(
            "--rtol",
            help="How far numbers may lie apart, as a share of the larger  [default: 0.001; 0 "
            "where both runs are deterministic and nothing has changed]",
        ),
    ] = None,
    atol: Annotated[
        float | None,
        typer.Option(
            "--atol",
            help="How far numbers may lie apart, in their own unit  [default: 0.0001; 0 likewise]",
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Torch device; by default that of the run.")
    ] = None,
    cache_dir: Annotated[
        str | None,
        typer.Option(
            "--cache-dir",
            help="Directory of the latent cache; by default that of the run, if it is there. An "
            "empty one has everything encoded anew.",
        ),
    ] = None,
    workers: Annotated[
        str | None, typer.Option("--workers", help="Parallel workers; all cores by default.")
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            "--executor",
            metavar="NAME",
            help="Where rendering and decoding run, as it is without settings; by default where "
            "the run had them.",
        ),
    ] = None,
    log: Annotated[
        list[str] | None, typer.Option("--log", help="Experiment trackers to log to.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what has changed since the run; then stop.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run a finished run again, with its settings, and compare the results.

    Before it runs it says what has changed since: the world, the encoder, packages, code, the
    machine. Afterwards it compares field by field, and writes comparison.json beside the new
    results. Exit code: 0 where the results are equal or within the tolerance, 1 where they drifted.
    """
    for name, value in (("--rtol", rtol), ("--atol", atol)):
        if value is not None and not 0 <= value < float("inf"):
            raise ConfigError(f"{name}: {value} is out of range; a number of at least 0 is needed")
    if deterministic or _was_deterministic(run_dir):
        # Before numpy is loaded, which is when it asks how many threads it may have.
        fix_threads()
    # Imported late, so that help and wrong options are answered without numpy and the cache.
    from mezzanine_core.progress import Progress
    from mezzanine_core.runs.rerun import Rerun, RerunRequest

    given = {
        "device": device,
        "cache_dir": cache_dir,
        "workers": workers,
        "executor": executor,
        "log": log,
    }
    request = RerunRequest(
        run=run_dir,
        out=out,
        options={name: value for name, value in given.items() if value not in (None, [])},
        deterministic=deterministic,
        relative=rtol,
        absolute=atol,
        command=_command(run_dir, out, deterministic, given),
    )
    with redirect_stdout(sys.stderr), Progress() as progress, progress.stage("prepare"):
        again = Rerun(load_registry(), request, os.environ)
    if dry_run:
        _print_plan(again, as_json=as_json)
        return
    _say_drift(again.drift)
    with redirect_stdout(sys.stderr), Progress() as progress:
        comparison = again.run(progress)
    if as_json:
        print_json(comparison.model_dump(mode="json"))
    else:
        _print_comparison(comparison)
    if comparison.outcome == "drifted":
        raise typer.Exit(DRIFTED)


def _was_deterministic(run: Path) -> bool:
    """Whether a run was deterministic; what is wrong with it is said by those who need it."""
    record = read_run(locate_run(run)).record
    return record is not None and bool(record.settings.get("deterministic"))


def _command(run: Path, out: Path | None, deterministic: bool, given: Mapping[str, Any]) -> str:
    """The command line of the repetition, for its record."""
    words = ["mezz", "rerun", str(run)]
    words += ["--deterministic"] if deterministic else []
    for name, value in {"out": out, **given}.items():
        if value not in (None, []):
            text = ",".join(value) if isinstance(value, list) else str(value)
            words += [f"--{name.replace('_', '-')}", text]
    return shlex.join(words)


def _print_plan(again: Rerun, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "run": str(again.folder),
                "recipe": again.record.recipe,
                "drift": [each.model_dump(mode="json") for each in again.drift],
                "tolerance": again.tolerance.model_dump(mode="json"),
            }
        )
        return
    for line in _drift_lines(again.drift):
        typer.echo(line)


def _say_drift(drift: Sequence[Drift]) -> None:
    """Say what has changed, on stderr, before anything is computed."""
    for line in _drift_lines(drift):
        typer.echo(line, err=True)


def _drift_lines(drift: Sequence[Drift]) -> list[str]:
    if not drift:
        return ["Nothing has changed since: components, packages, code and machine are the same."]
    lines = [f"{count(len(drift), 'thing')} changed since the run:"]
    for each in drift:
        first, *rest = wrapped(each.words, terminal_width() - 4)
        lines += [f"  - {first}", *(f"    {line}" for line in rest)]
    return lines


def _print_comparison(comparison: Comparison) -> None:
    tolerance = comparison.tolerance
    drifted = [each for each in comparison.differences if each.drifted]
    typer.echo(_sentence(comparison, len(drifted)))
    for each in (drifted or comparison.differences)[:_SHOWN]:
        print_field(each.path, f"{_shown(each.then)} then, {_shown(each.now)} now", indent=2)
    if (more := len(drifted or comparison.differences) - _SHOWN) > 0:
        typer.echo(f"  … and {more} more, all in comparison.json")
    typer.echo()
    print_field(
        "tolerance", f"{tolerance.relative:g} relative, {tolerance.absolute:g} absolute", indent=0
    )
    same = sum(outcome == "identical" for outcome in comparison.files.values())
    print_field("files", f"{same} of {len(comparison.files)} artifacts are the same", indent=0)
    print_field("outputs", f"{comparison.rerun}: results.json, comparison.json", indent=0)


def _sentence(comparison: Comparison, drifted: int) -> str:
    fields = f"{comparison.fields:,} values"
    if comparison.outcome == "identical":
        return f"IDENTICAL: all {fields} are the same bit for bit."
    if comparison.outcome == "within tolerance":
        return (
            f"WITHIN TOLERANCE: {len(comparison.differences):,} of {fields} differ, none by more "
            "than the tolerance."
        )
    words = f"DRIFTED: {drifted:,} of {fields} lie beyond the tolerance."
    if comparison.inside_intervals is not None:
        where = "All" if comparison.inside_intervals else "Not all"
        words += f" {where} estimates that drifted lie in the earlier run's intervals."
    return words


def _shown(value: Any) -> str:
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
