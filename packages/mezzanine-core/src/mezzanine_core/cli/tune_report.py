"""What ``mezz tune`` prints: the outcome of a tuning, or the plan of one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import typer

from mezzanine_core.cli.output import count, print_columns, print_field, print_json
from mezzanine_core.tuning.plan import TuningPlan, written
from mezzanine_core.tuning.records import TuningRecord
from mezzanine_core.tuning.space import points
from mezzanine_core.tuning.tuner import CONFIG, RECORD

_MANY = 1_000_000


def print_tuning(record: TuningRecord, out: Path, *, as_json: bool) -> None:
    """Print what a tuning found.

    Args:
        record: What ``tuning.json`` holds; with ``as_json`` it is printed as it is.
        out: The directory of the tuning.
        as_json: Whether to print JSON.
    """
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    counts = Counter(trial.outcome for trial in record.trials)
    print_columns([(outcome, str(number)) for outcome, number in counts.most_common()], indent=2)
    typer.echo()
    print_field("outcome", record.sentence, indent=0)
    if record.config is not None:
        command = f"mezz run {record.recipe} --config {out / CONFIG}"
        print_field("run it", command, indent=0)
    encoded = sum(run.encoded for trial in record.trials for run in trial.runs)
    cached = sum(run.cached for trial in record.trials for run in trial.runs)
    print_field("latents", f"{cached:,} from the cache, {encoded:,} encoded", indent=0)
    print_field("time", f"{record.seconds:.1f} s", indent=0)
    files = [RECORD, *([record.config] if record.config else []), *record.artifacts]
    print_field("outputs", f"{out}: {', '.join(files)}", indent=0)


def print_tuning_plan(plan: TuningPlan, *, as_json: bool) -> None:
    """Print what a tuning would do; nothing is run.

    Args:
        plan: What would be tuned.
        as_json: Whether to print JSON.
    """
    every = points(plan.space, _MANY)
    if as_json:
        size = None if every is None else len(every)
        print_json({**plan.identity(), "trials": plan.request.trials, "points": size})
        return
    request = plan.request
    typer.echo("Searched" + ("" if every is None else f": {count(len(every), 'point')}"))
    print_columns([(each.name, each.text) for each in plan.space], indent=2)
    typer.echo("\nSought")
    print_columns(
        [
            ("baseline", f"{request.baseline} within {request.low:g} to {request.high:g}"),
            ("effect", f"{request.effect}, as large as may be"),
            ("trials", str(request.trials)),
        ],
        indent=2,
    )
    typer.echo("\nRuns of a trial")
    rows = [
        (str(number), ", ".join(f"{name}={written(value)}" for name, value in rung.items()))
        for number, rung in enumerate(plan.rungs)
    ]
    print_columns([(number, what or "the full run") for number, what in rows], indent=2)
