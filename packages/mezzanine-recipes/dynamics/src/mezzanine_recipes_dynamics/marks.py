"""What the pictures of a run share: how a model looks, and a row for each with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes

from mezzanine_core.results import Estimate

SMALL, MEDIUM, LARGE = 9, 10.5, 12.5
"""Sizes of type, in points."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a model looks in every panel; colours are of Okabe and Ito's colour-blind-safe set."""

    label: str
    colour: str
    marker: str


def draw_estimates(
    axes: Axes, estimates: Mapping[str, Estimate], looks: Mapping[str, Look], number: str = ".3g"
) -> None:
    """Draw a row for each estimate, the first on top: value, interval, and single seeds below it.

    Args:
        axes: Where to draw.
        estimates: Name → estimate.
        looks: Name → look, for all of them.
        number: Format of the value that is written above.
    """
    shown = list(estimates)[::-1]
    for row, name in enumerate(shown):
        look, estimate = looks[name], estimates[name]
        below, above = estimate.value - estimate.low, estimate.high - estimate.value
        axes.errorbar(
            estimate.value,
            row,
            xerr=[[max(0.0, below)], [max(0.0, above)]],
            fmt=look.marker,
            color=look.colour,
            markersize=8,
            capsize=4,
            linewidth=1.8,
        )
        axes.plot(
            estimate.per_seed,
            [row - 0.22] * len(estimate.per_seed),
            look.marker,
            color=look.colour,
            markersize=3.5,
            alpha=0.7,
        )
        axes.annotate(
            format(estimate.value, number),
            (estimate.value, row),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
        )
    axes.set_yticks(range(len(shown)), [looks[name].label for name in shown])
    axes.set_ylim(-0.6, len(shown) - 0.4)


def finish(axes: Axes) -> None:
    """Small ticks, a faint grid, no frame above and on the right."""
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
