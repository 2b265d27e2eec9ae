"""The picture ``planning.png``: retrieval of actions, and planned actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from mezzanine_core.results import Estimate
from mezzanine_recipes_dynamics.marks import LARGE, MEDIUM, SMALL, Look, draw_estimates, finish
from mezzanine_recipes_dynamics.plan_evaluation import Scores
from mezzanine_recipes_dynamics.plan_stage import Planning

RETRIEVAL_LOOKS = {
    "action": Look("action model", "#0072B2", "o"),
    "nearest": Look("nearest transition", "#009E73", "^"),
    "mean_action": Look("mean action", "#E69F00", "s"),
    "random": Look("random", "#666666", "D"),
}
PLAN_LOOKS = {
    "planned": Look("planned", "#0072B2", "o"),
    "rounded": Look("planned, rounded", "#56B4E9", "v"),
    "true": Look("true action", "#009E73", "^"),
    "random": Look("random actions", "#666666", "D"),
    "stay": Look("staying put", "#E69F00", "s"),
}

_EDGES = 14


def planning_figure(planning: Planning) -> Figure:
    """Draw what the planning part of a run found, a row of panels for each question.

    Args:
        planning: At least one question asked.
    """
    rows = len(planning.scores)
    figure = Figure(figsize=(14, 0.6 + 4.6 * rows), layout="constrained")
    level = next(iter(next(iter(planning.metrics.values())).values())).level
    figure.suptitle(
        f"Planning on test data. Large marks: mean over seeds; bars: {level:.0%} interval, "
        "resampled by episode and over seeds; small marks: single seeds",
        fontsize=MEDIUM,
        x=0.01,
        ha="left",
    )
    drawn = figure.subfigures(rows, 1, squeeze=False)[:, 0]
    parts = cast(Sequence[SubFigure], drawn)
    for part, question in zip(parts, planning.scores, strict=True):
        draw = _draw_retrieval if question == "retrieval" else _draw_plans
        draw(part, planning, planning.scores[question])
    return figure


def _draw_retrieval(part: SubFigure, planning: Planning, found: Scores) -> None:
    count = int(found.report["candidates"])
    chance = {
        "r@1": 1 / count,
        "mrr": float(np.sum(1.0 / np.arange(1, count + 1))) / count,
        "mean_rank": (count + 1) / 2,
    }
    labels = {
        "r@1": f"R@1 (true action first of {count}), higher is better",
        "mrr": "Mean reciprocal rank, higher is better",
        "mean_rank": f"Mean rank (of {count}), lower is better",
    }
    axes = part.subplots(1, 4, width_ratios=[1, 1, 1, 1.15])
    for one, (metric, label) in zip(axes[:3], labels.items(), strict=True):
        _draw_estimates(one, planning, "retrieval", metric, RETRIEVAL_LOOKS)
        one.axvline(chance[metric], color="#666666", linestyle=":", linewidth=1.5)
        one.set_xlabel(label, fontsize=SMALL)
    _only_first_names(axes[:3])
    draw_retrieved(axes[3], found)
    part.suptitle(
        f"Which of {count} actions leads to the goal? Wrong ones from "
        f"{'the same episode' if found.report['negatives'] == 'episode' else 'any test episode'}; "
        f"{found.report['n']} test samples; dotted line: chance",
        fontsize=LARGE,
    )


def draw_retrieved(axes: Axes, found: Scores) -> None:
    """Share of test samples by the rank of the true action, a line a way to choose."""
    count = int(found.report["candidates"])
    ranks = {way: scores["rank"].ravel() for way, scores in found.scores.items()}
    edges = np.unique(np.geomspace(1, count + 1, _EDGES).round())
    for way, look in RETRIEVAL_LOOKS.items():
        # At random every rank is as likely, which is the dotted line of the other panels.
        if way != "random":
            shares = np.histogram(ranks[way], bins=edges)[0] / len(ranks[way])
            axes.stairs(shares, edges, color=look.colour, linewidth=2, label=look.label)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_xlabel(f"Rank of the true action, of {count} (log scale)", fontsize=SMALL)
    axes.set_ylabel("Share of test samples in the bin", fontsize=SMALL)
    axes.legend(fontsize=SMALL)
    finish(axes)


def _draw_plans(part: SubFigure, planning: Planning, found: Scores) -> None:
    axes = part.subplots(1, 3, width_ratios=[1.2, 1, 1])
    labels = {
        "energy": "Energy: 1 - cosine between predicted end and goal",
        "action_distance": "Distance to the true action, in its standard deviations",
    }
    for one, (metric, label) in zip(axes[:2], labels.items(), strict=True):
        _draw_estimates(one, planning, "plan", metric, PLAN_LOOKS)
        one.set_xlabel(label, fontsize=SMALL)
    draw_energies(axes[2], found)
    part.suptitle(
        f"Actions planned by {found.report['planner']}, horizon {found.report['horizon']}, for "
        f"{found.report['n']} test goals; lower is better throughout; each dot a goal and seed",
        fontsize=LARGE,
    )


def draw_energies(axes: Axes, found: Scores) -> None:
    """Energy of each plan against that of the true action."""
    planned, true = (found.scores[way]["energy"] for way in ("planned", "true"))
    axes.plot(true.ravel(), planned.ravel(), ".", color=PLAN_LOOKS["planned"].colour, alpha=0.35)
    ends = [float(min(planned.min(), true.min())), float(max(planned.max(), true.max()))]
    axes.plot(ends, ends, color="#666666", linestyle=":", label="as good as the true action")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("Energy of the true action (log scale)", fontsize=SMALL)
    axes.set_ylabel("Energy of the plan (log scale)", fontsize=SMALL)
    axes.legend(fontsize=SMALL, loc="upper left")
    finish(axes)


def _draw_estimates(
    axes: Axes, planning: Planning, question: str, metric: str, looks: Mapping[str, Look]
) -> None:
    """A row for each way that has the metric: its estimate with interval, and single seeds."""
    found: dict[str, Estimate] = {
        way: planning.metrics[f"{question}_{way}"][metric]
        for way in looks
        if metric in planning.metrics.get(f"{question}_{way}", {})
    }
    draw_estimates(axes, found, looks)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.12)
    finish(axes)


def _only_first_names(axes: Sequence[Axes]) -> None:
    for one in axes[1:]:
        one.set_yticklabels([])
