"""Estimates as a chart: the geometry, in units of the drawing; templates draw it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mezzanine_core.reports.numbers import estimate_text, fixed, interval_text, value_text
from mezzanine_core.results import Estimate

WIDTH = 360
"""Width of the drawing; on a telephone a unit is about a pixel."""

_LEFT, _RIGHT = 10, 350
_TOP, _ROW, _AXIS = 4, 40, 42
_TICKS = 5
_LONGEST_LABEL = 30


@dataclass(frozen=True, slots=True)
class Mark:
    """One estimate in the chart.

    Attributes:
        label: Its name, cut to fit.
        figures: Value and interval in words.
        hover: All of it in words: full name, value, interval, seeds.
        y: Centre of its row.
        x: The value's place.
        low: The interval's lower end.
        high: Its upper end.
        seeds: Place and words of each seed alone.
        decided: Whether the interval is on one side of zero.
    """

    label: str
    figures: str
    hover: str
    y: float
    x: float
    low: float
    high: float
    seeds: tuple[tuple[float, str], ...]
    decided: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Estimates of one metric, a row each.

    Attributes:
        metric: What is on the axis.
        about: What the metric is, in words; may be empty.
        marks: The estimates.
        ticks: Place and label of each tick of the axis.
        zero: Place of zero, where it is on the axis and means that nothing differs.
        height: Height of the drawing.
        summary: The chart in words, for those who cannot see it.
    """

    metric: str
    about: str
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    zero: float | None
    height: float
    summary: str


def chart(
    metric: str,
    estimates: Mapping[str, Estimate],
    *,
    about: str = "",
    is_gain: bool = False,
) -> Chart:
    """Lay out estimates of one metric.

    Args:
        metric: Its name.
        estimates: Name of each row → its estimate; at least one.
        about: What the metric is.
        is_gain: Whether zero means that nothing differs; it is then always on the axis.
    """
    reached = [x for one in estimates.values() for x in (one.low, one.high, one.value)]
    reached += [seed for one in estimates.values() for seed in one.per_seed]
    if is_gain:
        reached.append(0.0)
    ticks = nice_ticks(min(reached), max(reached))
    start = min(ticks[0], *reached)
    scale = (_RIGHT - _LEFT) / (max(ticks[-1], *reached) - start)

    def place(value: float) -> float:
        return round(_LEFT + (value - start) * scale, 2)

    marks = []
    for row, (name, one) in enumerate(estimates.items()):
        seeds = tuple(
            (place(seed), f"{name}, seed {number + 1} of {len(one.per_seed)}: {seed:.4g}")
            for number, seed in enumerate(one.per_seed)
        )
        marks.append(
            Mark(
                label=_shortened(name),
                figures=f"{value_text(one)} {interval_text(one)}",
                hover=f"{name}: {estimate_text(one)}, {one.level:.0%} interval",
                y=_TOP + row * _ROW + 27,
                x=place(one.value),
                low=place(one.low),
                high=place(one.high),
                seeds=seeds if len(seeds) > 1 else (),
                decided=one.low > 0 or one.high < 0,
            )
        )
    said = "; ".join(f"{name} {estimate_text(one)}" for name, one in estimates.items())
    return Chart(
        metric=metric,
        about=about,
        marks=tuple(marks),
        ticks=tuple((place(tick), _tick_text(tick, ticks)) for tick in ticks),
        zero=place(0.0) if is_gain else None,
        height=_TOP + len(marks) * _ROW + _AXIS,
        summary=f"{metric}: {said}",
    )


def nice_ticks(low: float, high: float) -> list[float]:
    """Round numbers, at equal distances, that span ``[low, high]``; at least two."""
    span = high - low
    if span <= max(abs(low), abs(high)) * 1e-9:
        spare = abs(low) / 10 or 1.0
        low, high, span = low - spare, high + spare, 2 * spare
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= _TICKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _tick_text(tick: float, ticks: list[float]) -> str:
    step = ticks[1] - ticks[0]
    largest = max(abs(ticks[0]), abs(ticks[-1]))
    if largest >= 1e6 or step < 1e-5:
        return f"{tick:.3g}"
    return fixed(tick, max(0, -math.floor(math.log10(step) + 1e-9)))


def _shortened(name: str) -> str:
    if len(name) <= _LONGEST_LABEL:
        return name
    half = _LONGEST_LABEL // 2
    return f"{name[: half - 1]}…{name[-half:]}"
