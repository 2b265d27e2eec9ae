"""The picture ``diagnostics.png``: metrics with intervals, ranks, training curves."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from mezzanine_core.results import Estimate, Verdict
from mezzanine_recipes_distill.vectors import hover
from mezzanine_recipes_dynamics.evaluation import (
    ACTION,
    NO_ACTION,
    PERSISTENCE,
    SHUFFLED,
    Evaluation,
    Floats,
)
from mezzanine_recipes_dynamics.marks import LARGE, MEDIUM, SMALL, Look, draw_estimates, finish
from mezzanine_recipes_dynamics.predictors import MODELS
from mezzanine_recipes_dynamics.training import Curves

LOOKS = {
    ACTION: Look("action", "#0072B2", "o"),
    NO_ACTION: Look("no action", "#E69F00", "s"),
    SHUFFLED: Look("shuffled actions", "#CC79A7", "D"),
    PERSISTENCE: Look("persistence", "#009E73", "^"),
}

_CHANCE = "#666666"
_HOVERED = np.array([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
"""Ranks at which the cumulative lines are marked."""
_WIDTH_CHARS = 140


def diagnostics_figure(
    metrics: Mapping[str, Mapping[str, Estimate]],
    evaluation: Evaluation,
    curves: Curves,
    verdict: Verdict,
) -> Figure:
    """Draw the figures of a run.

    Args:
        metrics: Model → metric → estimate.
        evaluation: The scores behind them, for the distribution of ranks.
        curves: Losses in the course of training.
        verdict: Said in the title.
    """
    figure = Figure(figsize=(14, 9.6), layout="constrained")
    warned = [f"Warning: {warning}" for warning in verdict.warnings]
    said = (f"{verdict.label}: {verdict.sentence}", *warned)
    lines = [line for text in said for line in _wrapped(text)]
    figure.suptitle("\n".join(lines), fontsize=LARGE, x=0.01, ha="left")
    top, bottom = cast(Sequence[SubFigure], figure.subfigures(2, 1, height_ratios=[1, 1.25]))
    _draw_metrics(top, metrics, candidates=evaluation.scores[ACTION]["rank"].shape[-1])
    histogram, cumulative, training = bottom.subplots(1, 3)
    draw_histogram(histogram, evaluation)
    draw_cumulative(cumulative, evaluation)
    draw_curves(training, curves)
    return figure


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH_CHARS)


def _draw_metrics(
    part: SubFigure, metrics: Mapping[str, Mapping[str, Estimate]], candidates: int
) -> None:
    """One panel a metric: a row a model, its estimate with interval, and single seeds."""
    harmonic = float(np.sum(1.0 / np.arange(1, candidates + 1)))
    panels = (
        ("r@10", f"R@10 (share of {candidates}), higher is better", 10 / candidates),
        ("mrr", "Mean reciprocal rank, higher is better", harmonic / candidates),
        ("mean_rank", f"Mean rank (of {candidates}), lower is better", (candidates + 1) / 2),
        ("cosine", "Cosine with the truth, higher is better", None),
    )
    row = part.subplots(1, len(panels), sharey=True)
    for axes, (metric, label, chance) in zip(row, panels, strict=True):
        _draw_metric(axes, {model: one[metric] for model, one in metrics.items()}, chance)
        axes.set_xlabel(label, fontsize=MEDIUM)
    row[0].set_ylabel("Model", fontsize=MEDIUM)
    level = next(iter(metrics.values()))["r@10"].level
    part.suptitle(
        f"Test metrics. Large marks: mean over seeds; bars: {level:.0%} interval, resampled by "
        "episode and over seeds; small marks: single seeds; dotted line: chance",
        fontsize=MEDIUM,
    )


def _draw_metric(axes: Axes, estimates: Mapping[str, Estimate], chance: float | None) -> None:
    draw_estimates(axes, {model: estimates[model] for model in LOOKS}, LOOKS)
    if chance is not None:
        axes.axvline(chance, color=_CHANCE, linestyle=":", linewidth=1.5)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.12)
    finish(axes)


def draw_histogram(axes: Axes, evaluation: Evaluation) -> None:
    """Share of test samples by the rank of what happened, a line a model."""
    ranks = _pooled_ranks(evaluation)
    candidates = evaluation.scores[ACTION]["rank"].shape[-1]
    # Bins of equal width on the axis; a rank is at least 1, so finer ones would stay empty there.
    edges = np.unique(np.geomspace(1, candidates + 1, 16).round())
    for model, look in LOOKS.items():
        shares = np.histogram(ranks[model], bins=edges)[0] / len(ranks[model])
        axes.stairs(shares, edges, color=look.colour, linewidth=2, label=look.label)
        for share, low, high in zip(shares, edges[:-1], edges[1:], strict=True):
            said = f"{look.label}: {share:.1%} of test samples have a rank in [{low:g}, {high:g})"
            _mark(axes, float(np.sqrt(low * high)), float(share), look, said)
    axes.set_xscale("log")
    axes.set_xlabel(f"Rank of the true next latent, of {candidates} (log scale)", fontsize=MEDIUM)
    axes.set_ylabel("Share of test samples in the bin", fontsize=MEDIUM)
    axes.set_title("Rank histogram, all seeds", fontsize=MEDIUM)
    axes.legend(fontsize=SMALL, loc="upper left")
    finish(axes)


def draw_cumulative(axes: Axes, evaluation: Evaluation) -> None:
    """Share of test samples ranked k or better, by k, a line a model, and chance."""
    ranks = _pooled_ranks(evaluation)
    candidates = evaluation.scores[ACTION]["rank"].shape[-1]
    for model, look in LOOKS.items():
        values, counts = np.unique(ranks[model], return_counts=True)
        share = np.cumsum(counts) / counts.sum()
        axes.step(values, share, where="post", color=look.colour, linewidth=2, label=look.label)
        for k in _HOVERED[candidates > _HOVERED]:
            reached = float((ranks[model] <= k).mean())
            said = f"{look.label}: {reached:.1%} of test samples ranked {k} or better"
            _mark(axes, float(k), reached, look, said)
    chance = np.arange(1, candidates + 1)
    axes.plot(chance, chance / candidates, color=_CHANCE, linestyle=":", label="chance")
    axes.set_xscale("log")
    axes.set_xlim(1, candidates)
    axes.set_ylim(0, 1)
    axes.set_xlabel(f"Rank k, of {candidates} (log scale)", fontsize=MEDIUM)
    axes.set_ylabel("Share of test samples ranked k or better", fontsize=MEDIUM)
    axes.set_title("Cumulative ranks, all seeds", fontsize=MEDIUM)
    axes.legend(fontsize=SMALL, loc="upper left")
    finish(axes)


def draw_curves(axes: Axes, curves: Curves) -> None:
    """Losses in the course of training: mean and range over seeds."""
    series: Sequence[tuple[str, str, Floats | None]] = (
        ("training", "-", curves.train),
        ("held out", "--", curves.held_out),
    )
    for position, model in enumerate(MODELS):
        look = LOOKS[model]
        for name, line, losses in series:
            if losses is None:
                continue
            seeds = losses[position]
            axes.plot(
                curves.steps,
                seeds.mean(axis=0),
                line,
                color=look.colour,
                linewidth=2,
                label=f"{look.label}, {name}",
            )
            axes.fill_between(
                curves.steps, seeds.min(axis=0), seeds.max(axis=0), color=look.colour, alpha=0.15
            )
    axes.set_yscale("log")
    axes.set_xlabel("Optimiser step", fontsize=MEDIUM)
    axes.set_ylabel("Loss, 1 - cosine (log scale)", fontsize=MEDIUM)
    axes.set_title("Training: mean and range over seeds", fontsize=MEDIUM)
    axes.legend(fontsize=SMALL, loc="best")
    finish(axes)


def _mark(axes: Axes, x: float, y: float, look: Look, said: str) -> None:
    """A small mark on a line, which says its figures where a page can show them."""
    axes.plot([x], [y], look.marker, color=look.colour, markersize=3.5, gid=hover(said))


def _pooled_ranks(evaluation: Evaluation) -> dict[str, Floats]:
    return {model: scores["rank"].ravel() for model, scores in evaluation.scores.items()}
