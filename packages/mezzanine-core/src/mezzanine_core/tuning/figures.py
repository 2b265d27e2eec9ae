"""The figures of a run by name: what a tuner looks at."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from mezzanine_core.config import MezzModel
from mezzanine_core.errors import ConfigError, UnknownNameError
from mezzanine_core.results import Estimate, RunRecord

_PARTS = ("data", "diagnostics")
_SHOWN = 40


class Figure(MezzModel):
    """A figure that a run gave."""

    value: float = Field(description="The figure, over all seeds")
    low: float | None = Field(None, description="Lower end of its interval, where it has one")
    high: float | None = Field(None, description="Upper end of its interval, where it has one")
    level: float | None = Field(None, description="Confidence level of the interval")
    per_seed: tuple[float, ...] = Field((), description="The figure of each seed alone")

    @property
    def least(self) -> float:
        """The lower end of the interval, or the figure itself."""
        return self.value if self.low is None else self.low

    @property
    def most(self) -> float:
        """The upper end of the interval, or the figure itself."""
        return self.value if self.high is None else self.high

    @property
    def spread(self) -> float | None:
        """Standard deviation (n - 1) over seeds; ``None`` where there are fewer than two."""
        if len(self.per_seed) < 2:
            return None
        mean = math.fsum(self.per_seed) / len(self.per_seed)
        squares = math.fsum((each - mean) ** 2 for each in self.per_seed)
        return math.sqrt(squares / (len(self.per_seed) - 1))

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3g}"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def find_figure(record: RunRecord, name: str) -> Figure:
    """A figure of a run's results.

    ``MODEL.METRIC`` is one of the metrics, ``COMPARISON.METRIC`` one of the deltas. Full paths work
    as well: ``metrics.no_action.r@10``, ``deltas.…``, and any number below ``data.`` and
    ``diagnostics.``.

    Args:
        record: What the run left as ``results.json``.
        name: The figure's name.

    Raises:
        UnknownNameError: If there is no such figure; the hint says which there are.
        ConfigError: If a metric and a delta both have the short name.
    """
    figures = dict(_estimates(record))
    if name in figures:
        return figures[name]
    short = [full for full in figures if full.partition(".")[2] == name]
    if len(short) == 1:
        return figures[short[0]]
    if short:
        raise ConfigError(f"the figure {name!r} is ambiguous", hint=f"Say {' or '.join(short)}.")
    numbers = dict(_numbers(record))
    if name in numbers:
        return numbers[name]
    shown = [full.partition(".")[2] for full in figures]
    near = difflib.get_close_matches(name, [*shown, *numbers], n=3)
    more = "; …" if len(shown) > _SHOWN else ""
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UnknownNameError(
        f"the results of {record.recipe} have no figure {name!r}",
        hint=f"{hint}There are: {'; '.join(shown[:_SHOWN])}{more}. Numbers below `data.` and "
        "`diagnostics.` of results.json can be named too.",
    )


def _estimates(record: RunRecord) -> Iterator[tuple[str, Figure]]:
    parts: Mapping[str, Mapping[str, Mapping[str, Estimate]]] = {
        "metrics": record.metrics,
        "deltas": record.deltas,
    }
    for part, groups in parts.items():
        for group, metrics in groups.items():
            for metric, one in metrics.items():
                yield f"{part}.{group}.{metric}", Figure(**one.model_dump())


def _numbers(record: RunRecord) -> Iterator[tuple[str, Figure]]:
    for part in _PARTS:
        yield from _below(part, getattr(record, part))


def _below(path: str, value: Any) -> Iterator[tuple[str, Figure]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _below(f"{path}.{key}", item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, Figure(value=value)
