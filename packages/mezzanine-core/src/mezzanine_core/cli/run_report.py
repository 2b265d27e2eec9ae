"""What ``mezz run`` prints: the outcome of a run, or the plan of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from mezzanine_core.cli.output import count, print_columns, print_field, print_json, width
from mezzanine_core.config.resolve import Resolved
from mezzanine_core.config.text import format_value
from mezzanine_core.results import CacheCounts, Estimate, RunRecord
from mezzanine_core.runs.planning import LatentCounts, Plan
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.runs.state import REPORT

_Figures = Mapping[str, Mapping[str, Estimate]]


def print_results(record: RunRecord, out: Path, *, as_json: bool) -> None:
    """Print what a run found: metrics and gains with their intervals, the verdict, the files.

    Args:
        record: What ``results.json`` holds; with ``as_json`` it is printed as it is.
        out: The run directory.
        as_json: Whether to print JSON.
    """
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    _print_figures("Metrics", record.metrics)
    _print_figures("Gains (positive: the first is better)", record.deltas)
    if record.verdict is not None:
        print_field(record.verdict.label, record.verdict.sentence, indent=0)
        for warning in record.verdict.warnings:
            print_field("warning", warning, indent=2)
        typer.echo()
    print_field("latents", _cache_words(record.cache), indent=0)
    seconds = record.timings.get("total")
    if seconds is not None:
        print_field("time", f"{seconds:.1f} s", indent=0)
    if (out / REPORT).is_file():
        print_field("report", str(out / REPORT), indent=0)
    print_field("outputs", f"{out}: {', '.join(('results.json', *record.artifacts))}", indent=0)


def print_plan(resolved: Resolved, settings: RunSettings, plan: Plan, *, as_json: bool) -> None:
    """Print every setting with its origin, the fingerprints, and what would be encoded.

    Args:
        resolved: The recipe and its settings.
        settings: Where and how it would run.
        plan: What it would do.
        as_json: Whether to print JSON.
    """
    if as_json:
        print_json(_plan_document(resolved, settings, plan))
        return
    values = _values(resolved, settings)
    typer.echo(f"Settings of {resolved.recipe.spec.name}")
    print_columns(
        [(name, origin, format_value(values[name])) for name, origin in resolved.origins.items()],
        indent=2,
    )
    typer.echo("\nFingerprints")
    rows = [(slot, found.fingerprint) for slot, found in plan.components.items()]
    print_columns([("run", plan.fingerprint), *rows], indent=2)
    typer.echo("\nLatents")
    if not plan.latents:
        typer.echo("  the recipe does not say which it asks for")
        return
    rows = [(latents.label, _plan_words(latents.counts)) for latents in plan.latents]
    print_columns([*rows, ("total", _plan_words(plan.total))], indent=2)


def _plan_document(resolved: Resolved, settings: RunSettings, plan: Plan) -> dict[str, Any]:
    return {
        "recipe": resolved.recipe.spec.name,
        "fingerprint": plan.fingerprint,
        "config": resolved.config.model_dump(mode="json"),
        "options": _options(resolved, settings).model_dump(mode="json"),
        "origins": dict(resolved.origins),
        "components": {
            slot: record.model_dump(mode="json") for slot, record in plan.components.items()
        },
        "latents": [
            {"label": each.label, "encoder": each.encoder, **_counts(each.counts)}
            for each in plan.latents
        ],
        "total": _counts(plan.total),
    }


def _counts(counts: LatentCounts) -> dict[str, int]:
    return {**asdict(counts), "to_encode": counts.to_encode}


def _plan_words(counts: LatentCounts) -> str:
    return (
        f"{count(counts.items, 'item')}, {counts.unique:,} distinct: "
        f"{counts.cached:,} cached, {counts.to_encode:,} to encode"
    )


def _cache_words(counts: CacheCounts) -> str:
    return (
        f"{counts.requested:,} asked for, {counts.unique:,} distinct: "
        f"{counts.cached:,} from the cache, {counts.encoded:,} encoded"
    )


def _options(resolved: Resolved, settings: RunSettings) -> BaseModel:
    """The options of the run, with the cache directory that is really used."""
    return resolved.options.model_copy(update={"cache_dir": settings.cache_dir})


def _values(resolved: Resolved, settings: RunSettings) -> dict[str, Any]:
    options = _options(resolved, settings)
    values = {}
    for name in resolved.origins:
        parts = name.split(".")
        level: Any = options if parts[0] in type(options).model_fields else resolved.config
        for part in parts:
            level = getattr(level, part)
        values[name] = level
    return values


def _print_figures(title: str, figures: _Figures) -> None:
    """Print estimates as a table: one row a metric, one column a model or comparison.

    Where that is too wide for the terminal, intervals stand below their values.
    """
    if not figures:
        return
    levels = sorted({each.level for of_one in figures.values() for each in of_one.values()})
    typer.echo(f"{title}, with {' and '.join(f'{level:.0%}' for level in levels)} intervals")
    metrics = dict.fromkeys(metric for of_one in figures.values() for metric in of_one)
    head = ["", *figures]
    wide, tall = [head], [head]
    for metric in metrics:
        found = [of_one.get(metric) for of_one in figures.values()]
        values = ["" if each is None else f"{each.value:.4g}" for each in found]
        intervals = ["" if each is None else f"[{each.low:.4g}, {each.high:.4g}]" for each in found]
        both = [" ".join(pair).strip() for pair in zip(values, intervals, strict=True)]
        wide.append([metric, *both])
        tall += [[metric, *values], ["", *intervals]]
    lines = _aligned(wide)
    if max(map(len, lines)) > width():
        lines = _aligned(tall)
    typer.echo("\n".join(lines) + "\n")


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(f"{cell:<{size}}" for cell, size in zip(row, sizes, strict=True)).rstrip()
        for row in rows
    ]
