"""``mezz doctor``: checks the installation, and says how to mend what is wrong with it."""

from __future__ import annotations

import typer

from mezzanine_core.cli.output import JsonFlag, count, print_columns, print_field, print_json
from mezzanine_core.diagnosis import Finding, diagnose


def doctor(as_json: JsonFlag = False) -> None:
    """Check Python, the plugins and what they need, the cache, and torch; exit 1 on a problem."""
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
