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
    _draw_histogram(histogram, evaluation)
    _draw_cumulative(cumulative, evaluation)
    _draw_curves(training, curves)
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


def _draw_histogram(axes: Axes, evaluation: Evaluation) -> None:
    ranks = _pooled_ranks(evaluation)
    candidates = evaluation.scores[ACTION]["rank"].shape[-1]
    # Bins of equal width on the axis; a rank is at least 1, so finer ones would stay empty there.
    edges = np.unique(np.geomspace(1, candidates + 1, 16).round())
    for model, look in LOOKS.items():
        counts, _ = np.histogram(ranks[model], bins=edges)
        axes.stairs(
            counts / len(ranks[model]), edges, color=look.colour, linewidth=2, label=look.label
        )
    axes.set_xscale("log")
    axes.set_xlabel(f"Rank of the true next latent, of {candidates} (log scale)", fontsize=MEDIUM)
    axes.set_ylabel("Share of test samples in the bin", fontsize=MEDIUM)
    axes.set_title("Rank histogram, all seeds", fontsize=MEDIUM)
    axes.legend(fontsize=SMALL, loc="upper left")
    finish(axes)


def _draw_cumulative(axes: Axes, evaluation: Evaluation) -> None:
    ranks = _pooled_ranks(evaluation)
    candidates = evaluation.scores[ACTION]["rank"].shape[-1]
    for model, look in LOOKS.items():
        ordered = np.sort(ranks[model])
        share = np.arange(1, len(ordered) + 1) / len(ordered)
        axes.step(ordered, share, where="post", color=look.colour, linewidth=2, label=look.label)
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


def _draw_curves(axes: Axes, curves: Curves) -> None:
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


def _pooled_ranks(evaluation: Evaluation) -> dict[str, Floats]:
    return {model: scores["rank"].ravel() for model, scores in evaluation.scores.items()}
