"""The figures of a run, grouped by the question that they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mezzanine_core.presentation import Group
from mezzanine_core.reports.charts import Chart, chart
from mezzanine_core.reports.numbers import estimate_text
from mezzanine_core.results import Estimate, Results

Figures = Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True, slots=True)
class Table:
    """Estimates in numbers.

    Attributes:
        caption: What they are.
        columns: Metrics.
        rows: Name and estimate for each metric; empty where it has none.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What models answer to one question.

    Attributes:
        title: The question; may be empty.
        caption: What is compared, and on what; may be empty.
        gains: Charts of the comparisons.
        metrics: Charts of the models.
        tables: The same in numbers.
        words: What the names of models and comparisons stand for.
    """

    title: str
    caption: str
    gains: tuple[Chart, ...]
    metrics: tuple[Chart, ...]
    tables: tuple[Table, ...]
    words: tuple[tuple[str, str], ...]


def sections(results: Results) -> list[Section]:
    """The figures of a run as the recipe groups them, and then all that it leaves out.

    Where the recipe groups nothing, models that have the same metrics belong together.
    """
    said = results.presentation
    groups = list(said.groups)
    grouped = {name for group in groups for name in (*group.models, *group.deltas)}
    rest = [name for name in results.metrics if name not in grouped]
    loose = [name for name in results.deltas if name not in grouped]
    groups += _by_metrics(results, rest, loose)
    made = [_section(results, group) for group in groups]
    return [one for one in made if one.tables]


def _by_metrics(results: Results, models: Sequence[str], deltas: Sequence[str]) -> list[Group]:
    found: dict[frozenset[str], tuple[list[str], list[str]]] = {}
    for name in models:
        found.setdefault(frozenset(results.metrics[name]), ([], []))[0].append(name)
    for name in deltas:
        found.setdefault(frozenset(results.deltas[name]), ([], []))[1].append(name)
    return [
        Group(title=", ".join(sorted(metrics)), models=tuple(of), deltas=tuple(between))
        for metrics, (of, between) in found.items()
        if metrics
    ]


def _section(results: Results, group: Group) -> Section:
    words = results.presentation.words
    metrics = {name: results.metrics[name] for name in group.models if name in results.metrics}
    gains = {name: results.deltas[name] for name in group.deltas if name in results.deltas}
    tables = (
        _table("Gains: positive means that the first is better", gains),
        _table("Each model", metrics),
    )
    return Section(
        title=group.title,
        caption=group.caption,
        gains=_charts(gains, words, is_gain=True),
        metrics=_charts(metrics, words, is_gain=False),
        tables=tuple(table for table in tables if table.rows),
        words=tuple((name, words[name]) for name in (*metrics, *gains) if words.get(name)),
    )


def _charts(figures: Figures, words: Mapping[str, str], *, is_gain: bool) -> tuple[Chart, ...]:
    names = dict.fromkeys(metric for of_one in figures.values() for metric in of_one)
    return tuple(
        chart(
            metric,
            {name: of_one[metric] for name, of_one in figures.items() if metric in of_one},
            about=words.get(metric, ""),
            is_gain=is_gain,
        )
        for metric in names
    )


def _table(caption: str, figures: Figures) -> Table:
    columns = tuple(dict.fromkeys(metric for of_one in figures.values() for metric in of_one))
    rows = tuple(
        (name, tuple(_cell(of_one.get(metric)) for metric in columns))
        for name, of_one in figures.items()
    )
    return Table(caption, columns, rows)


def _cell(estimate: Estimate | None) -> str:
    return "" if estimate is None else estimate_text(estimate)
