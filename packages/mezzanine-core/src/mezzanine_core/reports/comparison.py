"""Several runs side by side: how their settings differ, and what each found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mezzanine_core.config.text import format_value
from mezzanine_core.reports.charts import Chart, chart
from mezzanine_core.reports.facts import settings_of
from mezzanine_core.reports.links import link_to
from mezzanine_core.reports.numbers import estimate_text
from mezzanine_core.reports.page import OUTCOMES, sentence_of
from mezzanine_core.reports.rendering import render
from mezzanine_core.reports.sections import Figures
from mezzanine_core.results import Estimate, RunRecord
from mezzanine_core.runs.history import PastRun

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """One of the runs.

    Attributes:
        letter: What tables call it.
        run: The run.
        look: How its outcome looks.
        sentence: Its outcome in a sentence.
        warnings: What weakens its verdict.
        link: Address of its report relative to the page; empty where there is none.
    """

    letter: str
    run: PastRun
    look: str
    sentence: str
    warnings: tuple[str, ...]
    link: str

    @property
    def label(self) -> str:
        """Letter and directory."""
        return f"{self.letter}: {self.run.directory.name}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of a table: a name, and what each run has under it."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """A model or a comparison in every run: its metrics as charts and in numbers."""

    name: str
    about: str
    charts: tuple[Chart, ...]
    rows: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """What a comparison of runs says; the fields are tables over ``columns``."""

    columns: tuple[Column, ...]
    settings: tuple[Difference, ...]
    components: tuple[Difference, ...]
    versions: tuple[Difference, ...]
    gains: tuple[Side, ...]
    metrics: tuple[Side, ...]
    same_experiment: bool


def comparison_html(runs: Sequence[PastRun], beside: Path | None = None) -> str:
    """A comparison of runs as an HTML document.

    Args:
        runs: Two or more.
        beside: Directory that the page is for; reports of the runs are linked from there.
    """
    return render("comparison.html", page=comparison_page(runs, beside))


def comparison_page(runs: Sequence[PastRun], beside: Path | None = None) -> ComparisonPage:
    """Gather what a comparison says; see :func:`comparison_html`."""
    columns = tuple(
        Column(
            letter=_LETTERS[place] if place < len(_LETTERS) else str(place + 1),
            run=run,
            look=OUTCOMES.get(run.outcome, "failed"),
            sentence=sentence_of(run),
            warnings=_warnings(run),
            link=link_to(run, beside),
        )
        for place, run in enumerate(runs)
    )
    prints = {run.fingerprint for run in runs}
    return ComparisonPage(
        columns=columns,
        settings=_differences(runs, _settings),
        components=_differences(runs, _components),
        versions=_differences(runs, _versions),
        gains=_sides(columns, lambda record: record.deltas, is_gain=True),
        metrics=_sides(columns, lambda record: record.metrics, is_gain=False),
        same_experiment=len(prints) == 1 and None not in prints,
    )


def _warnings(run: PastRun) -> tuple[str, ...]:
    verdict = None if run.record is None else run.record.verdict
    return () if verdict is None else verdict.warnings


def _settings(record: RunRecord) -> dict[str, str]:
    values: dict[str, Any] = {"recipe": record.recipe, **settings_of(record.config)}
    if "device" in record.settings:
        values["device"] = record.settings["device"]
    return {name: format_value(value) for name, value in values.items()}


def _components(record: RunRecord) -> dict[str, str]:
    return {
        slot: f"{one.name} ({one.distribution} {one.version}), {one.fingerprint[:12]}"
        for slot, one in record.components.items()
    }


def _versions(record: RunRecord) -> dict[str, str]:
    return record.versions


def _differences(
    runs: Sequence[PastRun], values_of: Callable[[RunRecord], Mapping[str, str]]
) -> tuple[Difference, ...]:
    """The rows in which not all runs agree, as far as they left a record."""
    found = [None if run.record is None else values_of(run.record) for run in runs]
    names = dict.fromkeys(name for values in found if values is not None for name in values)
    rows = []
    for name in names:
        known = {values.get(name) for values in found if values is not None}
        if len(known) > 1:
            cells = ("" if values is None else values.get(name, _ABSENT) for values in found)
            rows.append(Difference(name, tuple(cells)))
    return tuple(rows)


def _sides(
    columns: Sequence[Column], figures_of: Callable[[RunRecord], Figures], *, is_gain: bool
) -> tuple[Side, ...]:
    figures = {
        column.label: figures_of(column.run.record)
        for column in columns
        if column.run.record is not None
    }
    words: dict[str, str] = {}
    for column in columns:
        if column.run.record is not None:
            words = {**column.run.record.presentation.words, **words}
    names = dict.fromkeys(name for of_run in figures.values() for name in of_run)
    return tuple(_side(name, columns, figures, words, is_gain=is_gain) for name in names)


def _side(
    name: str,
    columns: Sequence[Column],
    figures: Mapping[str, Figures],
    words: Mapping[str, str],
    *,
    is_gain: bool,
) -> Side:
    by_run = {label: of_run.get(name, {}) for label, of_run in figures.items()}
    charts, rows = [], []
    for metric in _metrics(by_run.values()):
        found = {label: one[metric] for label, one in by_run.items() if metric in one}
        charts.append(chart(metric, found, about=words.get(metric, ""), is_gain=is_gain))
        cells = (found.get(column.label) for column in columns)
        texts = (_ABSENT if one is None else estimate_text(one) for one in cells)
        rows.append(Difference(metric, tuple(texts)))
    return Side(name, words.get(name, ""), tuple(charts), tuple(rows))


def _metrics(figures: Iterable[Mapping[str, Estimate]]) -> list[str]:
    return list(dict.fromkeys(metric for one in figures for metric in one))
