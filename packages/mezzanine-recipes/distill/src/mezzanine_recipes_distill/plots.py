"""The picture ``diagnostics.png``: gaps before and after, accuracy, calibration, the teacher."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from mezzanine_core.calibration import Reliability
from mezzanine_core.results import Estimate, Verdict
from mezzanine_recipes_distill.evaluation import BASE, TEACHER, control_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Picture:
    """What is drawn; S seeds, n test items.

    Attributes:
        gaps: Model → all-pairs total variation of each test item, mean over seeds, float64 [n].
        gap_per_seed: Model → its mean over items for each seed, float64 [S]. Models come in the
            order base, then each student followed by its control, where it has one.
        gap_intervals: Model → the mean gap with its interval.
        accuracy_per_seed: Model → share of right answers for each seed, float64 [S]; the teacher
            too.
        accuracy_intervals: Model → accuracy with its interval; the teacher too.
        reliability: Model → its reliability, pooled over seeds; base, teacher and students.
        teacher_views: How many views the teacher averages, ascending, int64 [m].
        teacher_accuracy: Its accuracy with that many, float64 [m].
        teacher_intervals: The same with intervals, m estimates.
        students: Names of the students; the verdict is about the first.
        verdict: Said in the title.
    """

    gaps: Mapping[str, Floats]
    gap_per_seed: Mapping[str, Floats]
    gap_intervals: Mapping[str, Estimate]
    accuracy_per_seed: Mapping[str, Floats]
    accuracy_intervals: Mapping[str, Estimate]
    reliability: Mapping[str, Reliability]
    teacher_views: npt.NDArray[np.int64]
    teacher_accuracy: Floats
    teacher_intervals: Sequence[Estimate]
    students: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Look:
    """How a model looks in every panel; colours are of Okabe and Ito's colour-blind-safe set."""

    label: str
    colour: str
    marker: str
    hollow: bool = False

    @property
    def style(self) -> dict[str, Any]:
        """What matplotlib is told of its marks."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "markerfacecolor": "white" if self.hollow else self.colour,
        }


LOOKS = {
    BASE: Look("base", "#333333", "s"),
    TEACHER: Look("teacher", "#D55E00", "*"),
    "head": Look("head", "#0072B2", "o"),
    "projection": Look("projection", "#009E73", "^"),
    "latent": Look("latent", "#56B4E9", "v"),
    "adapter": Look("adapter", "#CC79A7", "D"),
}

_GUIDE = "#666666"
_WIDTH_CHARS = 145
_SMALL, _MEDIUM, _LARGE = 9, 10.5, 12.5
_SMALLEST_GAP = 1e-3
"""Below it the axis of gaps is linear, so that gaps of zero have a place on it."""

_LEAST_GAP, _LEAST_SPAN = 1e-4, 0.02
"""Least length of an axis of gaps and of accuracies: what is mere rounding is not blown up."""


def distillation_figure(picture: Picture) -> Figure:
    """Draw the figures of a run of distillation.

    Args:
        picture: What to draw.

    Returns:
        A figure of six axes: gaps for each seed, their distribution over items, gap against
        accuracy, reliability with the counts beneath, and the teacher by its number of views.
    """
    width = 15 + 1.8 * max(0, len(picture.students) - 3)
    figure = Figure(figsize=(width, 11), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08))
    verdict = picture.verdict
    warned = [f"Warning: {warning}" for warning in verdict.warnings]
    said = (f"{verdict.label}: {verdict.sentence}", *warned)
    lines = [line for text in said for line in textwrap.wrap(text, _WIDTH_CHARS)]
    figure.suptitle("\n".join(lines), fontsize=_LARGE, x=0.01, ha="left")
    parts = cast(Sequence[SubFigure], figure.subfigures(3, 1, height_ratios=[1, 1, 0.1]))
    _draw_gaps(parts[0], picture)
    _draw_beliefs(parts[1], picture)
    _draw_legend(parts[2], picture)
    return figure


def look_of(model: str) -> Look:
    """How a model is drawn: a control as its student, with hollow marks."""
    for student, look in LOOKS.items():
        if model == control_of(student):
            return Look(f"control of {look.label}", look.colour, look.marker, hollow=True)
    return LOOKS[model]


def _draw_gaps(part: SubFigure, picture: Picture) -> None:
    level = picture.gap_intervals[BASE].level
    part.suptitle(
        "Warrant gap: total variation between two views, over all pairs. Large marks: mean over "
        f"seeds; bars: {level:.0%} intervals, over items and seeds; small marks: single seeds",
        fontsize=_MEDIUM,
    )
    widths = [0.7 + 0.4 * len(picture.students), 1, 1]
    per_seed, distribution, plane = part.subplots(1, 3, width_ratios=widths)
    draw_seeds(per_seed, picture)
    draw_distribution(distribution, picture)
    draw_plane(plane, picture)


def draw_seeds(axes: Axes, picture: Picture) -> None:
    """Base, control and student of each student side by side; a line joins what is one seed's."""
    places: list[float] = []
    names: list[str] = []
    for group, student in enumerate(picture.students):
        known = {BASE: "base", control_of(student): "control", student: "student"}
        models = [model for model in known if model in picture.gap_per_seed]
        xs = [3.5 * group + place for place in range(len(models))]
        places += xs
        names += [known[model] for model in models]
        seeds = _together([picture.gap_per_seed[model] for model in models])
        axes.plot(xs, seeds, color=LOOKS[student].colour, linewidth=1, alpha=0.45, zorder=1)
        for x, model, values in zip(xs, models, seeds, strict=True):
            look, estimate = look_of(model), picture.gap_intervals[model]
            axes.plot([x] * len(values), values, linestyle="", markersize=3.5, **look.style)
            axes.errorbar(
                x + 0.18, estimate.value, yerr=_reach(estimate), **look.style, **_CROSS, zorder=3
            )
        axes.annotate(
            LOOKS[student].label,
            (float(np.mean(xs)), 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, -2),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=_MEDIUM,
            color=LOOKS[student].colour,
            fontweight="bold",
        )
    axes.set_xticks(places, names)
    axes.set_xlim(-0.7, places[-1] + 0.7)
    tops = [estimate.high for estimate in picture.gap_intervals.values()]
    highest = max([_LEAST_GAP, *tops, *(s.max() for s in picture.gap_per_seed.values())])
    axes.set_ylim(-0.02 * highest, 1.17 * highest)  # Names of the students stand above the marks.
    axes.set_ylabel("Warrant gap", fontsize=_MEDIUM)
    axes.set_xlabel("Model (control: base at the student's confidence)", fontsize=_MEDIUM)
    axes.set_title("Before and after, for each seed", fontsize=_MEDIUM)
    _finish(axes)


def draw_distribution(axes: Axes, picture: Picture) -> None:
    """Share of test items with a gap up to g, a line a model."""
    rightmost = 1.1 * max([_SMALLEST_GAP, *(float(gaps.max()) for gaps in picture.gaps.values())])
    for model, gaps in picture.gaps.items():
        look = look_of(model)
        ordered = np.concatenate([[0.0], np.sort(gaps), [rightmost]])
        share = np.minimum(np.arange(len(ordered)) / len(gaps), 1)
        line = {"linestyle": "--", "linewidth": 1.2} if look.hollow else {"linewidth": 2.0}
        axes.step(ordered, share, where="post", color=look.colour, **line)
    axes.set_xscale("symlog", linthresh=_SMALLEST_GAP, linscale=0.5)
    axes.set_xlim(0, rightmost)
    ticks = [0.0, *(10.0**power for power in range(-3, 1) if 10.0**power <= rightmost)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(
        f"Gap g (log scale, linear below {_SMALLEST_GAP:g}); dashed: control", fontsize=_MEDIUM
    )
    axes.set_ylabel("Share of test items with a gap up to g", fontsize=_MEDIUM)
    axes.set_title("Distribution over items, mean over seeds", fontsize=_MEDIUM)
    _finish(axes)


def draw_plane(axes: Axes, picture: Picture) -> None:
    """Accuracy of each model against its gap."""
    none = Estimate(value=0.0, low=0.0, high=0.0)
    reached = []
    for model, accuracy in picture.accuracy_intervals.items():
        look = look_of(model)
        gap = none if model == TEACHER else picture.gap_intervals[model]
        gaps = np.zeros(1) if model == TEACHER else picture.gap_per_seed[model]
        axes.plot(
            *_together([gaps, picture.accuracy_per_seed[model]]),
            linestyle="",
            markersize=3.5,
            alpha=0.7,
            **look.style,
        )
        axes.errorbar(
            gap.value,
            accuracy.value,
            xerr=_reach(gap),
            yerr=_reach(accuracy),
            **look.style,
            **{**_CROSS, "markersize": 14 if model == TEACHER else 8},
            clip_on=False,
            zorder=3,
        )
        reached += [(gap.high, accuracy.low), (gap.high, accuracy.high)]
    rightmost = max(_LEAST_GAP, max(gap for gap, _ in reached))
    axes.set_xlim(-0.04 * rightmost, 1.08 * rightmost)
    _limit(axes, [accuracy for _, accuracy in reached])
    axes.yaxis.set_major_formatter(FuncFormatter(_percent))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("Warrant gap (the teacher has none)", fontsize=_MEDIUM)
    axes.set_ylabel("Accuracy on test items", fontsize=_MEDIUM)
    axes.set_title("Gap against accuracy: best is top left", fontsize=_MEDIUM)
    _finish(axes)


def _draw_beliefs(part: SubFigure, picture: Picture) -> None:
    grid = part.add_gridspec(2, 2, height_ratios=[2.4, 1], hspace=0.02)
    curve = part.add_subplot(grid[0, 0])
    counts = part.add_subplot(grid[1, 0], sharex=curve)
    draw_reliability(curve, counts, picture)
    draw_teacher(part.add_subplot(grid[:, 1]), picture)


def draw_reliability(curve: Axes, counts: Axes, picture: Picture) -> None:
    """How often models are right when they are so sure, and how often they are so sure."""
    lowest, highest = 1.0, 1
    for model, bins in picture.reliability.items():
        look, filled = look_of(model), bins.count > 0
        edges = np.linspace(0, 1, len(bins.count) + 1)
        curve.plot(
            bins.confidence[filled],
            bins.accuracy[filled],
            linewidth=1.5,
            markersize=9 if model == TEACHER else 5,
            clip_on=False,
            **look.style,
        )
        counts.stairs(bins.count, edges, color=look.colour, linewidth=1.5)
        lowest = min(lowest, float(edges[np.argmax(filled)]))
        highest = max(highest, int(bins.count.max()))
    curve.plot([0, 1], [0, 1], color=_GUIDE, linestyle=":", zorder=0)
    curve.set_xlim(lowest - 0.02, 1.02)
    curve.set_ylim(-0.03, 1.03)
    curve.tick_params(labelbottom=False)
    curve.set_ylabel("Share of right answers", fontsize=_MEDIUM)
    curve.set_title(
        "Reliability, all seeds (dotted: as sure as right); beneath: predictions in each bin",
        fontsize=_MEDIUM,
    )
    counts.set_yscale("symlog", linthresh=1, linscale=0.3)
    powers = [0.0, *(10.0**power for power in range(int(np.log10(highest)) + 1))]
    counts.set_yticks(powers[:: 2 if len(powers) > 4 else 1])
    counts.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    counts.set_ylim(0, 2 * highest)
    counts.set_ylabel("Predictions", fontsize=_MEDIUM)
    counts.set_xlabel("Confidence: probability of the answer", fontsize=_MEDIUM)
    _finish(curve)
    _finish(counts)


def draw_teacher(axes: Axes, picture: Picture) -> None:
    """Accuracy of the teacher by the number of views that it averages."""
    look = LOOKS[TEACHER]
    lows, highs = (
        np.array([getattr(one, end) for one in picture.teacher_intervals])
        for end in ("low", "high")
    )
    views = picture.teacher_views
    axes.fill_between(views, lows, highs, color=look.colour, alpha=0.2, linewidth=0)
    reach = [picture.teacher_accuracy - lows, highs - picture.teacher_accuracy]
    axes.errorbar(
        views,
        picture.teacher_accuracy,
        yerr=np.maximum(reach, 0),
        **look.style,
        markersize=11,
        linewidth=2,
        elinewidth=1,
        capsize=3,
    )
    axes.set_xscale("log", base=2)
    axes.set_xticks(views.tolist(), [str(one) for one in views.tolist()])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(views[0] / 1.15, views[-1] * 1.15)
    _limit(axes, [*lows, *highs])
    axes.yaxis.set_major_formatter(FuncFormatter(_percent))
    level = picture.teacher_intervals[0].level
    axes.set_xlabel("Views averaged (log scale), at most as many as the orbit has")
    axes.set_ylabel("Accuracy of the teacher on test items")
    axes.set_title(f"The teacher by its number of views, {level:.0%} interval", fontsize=_MEDIUM)
    axes.xaxis.label.set_fontsize(_MEDIUM)
    axes.yaxis.label.set_fontsize(_MEDIUM)
    _finish(axes)


def _draw_legend(part: SubFigure, picture: Picture) -> None:
    models = models_of(picture)
    part.legend(
        handles=handles_of(models), loc="center", ncols=len(models), fontsize=_MEDIUM, frameon=False
    )


def models_of(picture: Picture) -> list[str]:
    """Base, teacher, and each student with its control, where it has one."""
    models = [BASE, TEACHER]
    for student in picture.students:
        models += [m for m in (student, control_of(student)) if m in picture.gap_per_seed]
    return models


def handles_of(models: Sequence[str]) -> list[Line2D]:
    """What a legend shows for models."""
    return [
        Line2D(
            [],
            [],
            linewidth=2,
            markersize=11 if model == TEACHER else 8,
            label=look_of(model).label,
            **look_of(model).style,
        )
        for model in models
    ]


_CROSS: dict[str, Any] = {"markersize": 8, "capsize": 4, "linewidth": 1.8}


def _together(rows: Sequence[Floats]) -> Floats:
    """Figures of each seed side by side; those of a model without seeds hold for every one."""
    return np.stack(np.broadcast_arrays(*rows))


def _reach(estimate: Estimate) -> list[list[float]]:
    """How far the bars reach below and above the value."""
    below, above = estimate.value - estimate.low, estimate.high - estimate.value
    return [[max(0.0, below)], [max(0.0, above)]]


def _limit(axes: Axes, values: Sequence[float]) -> None:
    """Show all of the accuracies, and no less than a certain span of them."""
    low, high = max(min(values), 0.0), min(max(values), 1.0)
    spare = max(0.08 * (high - low), (_LEAST_SPAN - (high - low)) / 2)
    axes.set_ylim(low - spare, high + spare)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _percent(value: float, _: int | None) -> str:
    return f"{100 * value:.3g}%"


def _finish(axes: Axes) -> None:
    axes.tick_params(labelsize=_SMALL)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
