"""``mezz doctor``: checks the installation, and says how to mend what is wrong with it."""

from __future__ import annotations

from typing import Annotated

import typer

from mezzanine_core.cli.output import JsonFlag, count, print_columns, print_field, print_json
from mezzanine_core.diagnosis import Finding, diagnose
from mezzanine_core.timings import BUDGET_SECONDS, Timing, measure_core, measure_plugins

WORTH_NAMING_SECONDS = 0.001


def doctor(
    as_json: JsonFlag = False,
    timings: Annotated[
        bool,
        typer.Option(
            "--timings",
            help="Say instead what each plugin costs at the start of a command, and why.",
        ),
    ] = False,
) -> None:
    """Check Python, the plugins and what they need, the cache, and torch; exit 1 on a problem."""
    if timings:
        _time(as_json)
        return
    findings = diagnose()
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        _print(findings)
    if any(finding.level == "problem" for finding in findings):
        raise typer.Exit(1)


def _print(findings: list[Finding]) -> None:
    indent = len("problem  ")
    for finding in findings:
        print_columns([(f"{finding.level:<7}", f"{finding.subject}: {finding.detail}")])
        if finding.remedy:
            print_field("remedy", finding.remedy, indent=indent)
    problems = sum(finding.level == "problem" for finding in findings)
    typer.echo(f"\n{count(problems, 'problem')} found.")


def _time(as_json: bool) -> None:
    core, plugins = measure_core(), measure_plugins()
    if as_json:
        print_json(
            {
                "budget_seconds": BUDGET_SECONDS,
                "core": core.as_json(),
                "plugins": [timing.as_json() for timing in plugins],
            }
        )
        return
    for timing in (core, *plugins):
        _print_timing(timing)
    over = sum(timing.over_budget for timing in plugins)
    budget = f"the budget of {BUDGET_SECONDS * 1e3:.0f} ms"
    typer.echo(f"\n{count(over, 'plugin')} over {budget} for the start of a command.")


def _print_timing(timing: Timing) -> None:
    cost = f"{timing.seconds * 1e3:>6.0f} ms"
    typer.echo(f"{cost}  {timing.plugin}{'  over budget' if timing.over_budget else ''}")
    indent = len(f"{cost}  ")
    if timing.cause is not None:
        print_field(timing.status, timing.cause, indent=indent)
    if timing.blame is not None and timing.blame.seconds >= WORTH_NAMING_SECONDS:
        print_field("most of it", str(timing.blame), indent=indent)
