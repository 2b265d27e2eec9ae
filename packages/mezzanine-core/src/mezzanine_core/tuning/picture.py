"""The picture of a tuning: effect against baseline, history, importance."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from mezzanine_core.tuning.figures import Figure
from mezzanine_core.tuning.judging import Outcome
from mezzanine_core.tuning.records import RunSummary, TrialRecord, TuningRecord

# Okabe and Ito's palette, which the colour-blind can tell apart; the marks differ in shape too.
_LOOKS: dict[Outcome, tuple[str, str, str]] = {
    "qualifies": ("qualifies", "#0072B2", "o"),
    "too easy": ("too easy", "#E69F00", "^"),
    "dead": ("dead", "#333333", "v"),
    "unstable": ("unstable: seeds disagree", "#CC79A7", "D"),
    "stopped": ("stopped after its pilot", "#56B4E9", "x"),
}
_CONFIRMED = "#D55E00"
_BAND = "#009E73"
_LARGE, _MEDIUM, _SMALL = 13, 11, 10
_WIDTH_CHARS = 130
_DPI = 110


def draw(record: TuningRecord, paths: Sequence[Path]) -> None:
    """Draw a tuning into files, whose endings say in which format.

    Args:
        record: What came out.
        paths: Where to.
    """
    canvas = Canvas(figsize=(13, 7.8), layout="constrained")
    said = "\n".join(textwrap.wrap(record.sentence, _WIDTH_CHARS))
    canvas.suptitle(said, fontsize=_LARGE, x=0.01, ha="left", parse_math=False)
    grid = canvas.add_gridspec(2, 2, width_ratios=(1.25, 1))
    _draw_effects(canvas.add_subplot(grid[:, 0]), record)
    _draw_history(canvas.add_subplot(grid[0, 1]), record)
    _draw_importance(canvas.add_subplot(grid[1, 1]), record)
    # The layout is found once; it takes longer than all else.
    canvas.draw_without_rendering()
    canvas.set_layout_engine("none")
    for path in paths:
        canvas.savefig(path, dpi=_DPI, metadata={"Date": None} if path.suffix == ".svg" else None)


def _draw_effects(axes: Axes, record: TuningRecord) -> None:
    axes.axvspan(record.low, record.high, color=_BAND, alpha=0.13, label="hard but not dead")
    axes.axhline(0, color="#666666", linewidth=1)
    for outcome, (label, colour, mark) in _LOOKS.items():
        runs = [trial.runs[-1] for trial in record.trials if trial.outcome == outcome]
        for number, run in enumerate(runs):
            _draw_run(axes, run, colour, mark, None if number else f"{label} ({len(runs)})")
    chosen = _chosen(record)
    if chosen is not None:
        run = chosen.runs[-1]
        axes.scatter(
            run.baseline.value,
            run.effect.value,
            s=230,
            facecolors="none",
            edgecolors="black",
            linewidths=1.8,
            label=f"chosen: trial {chosen.number}",
            zorder=4,
        )
    if record.confirmation is not None:
        label = "the chosen on fresh seeds and data"
        _draw_run(axes, record.confirmation.run, _CONFIRMED, "*", label, size=15)
    axes.set_xlabel(f"Baseline: {record.baseline}", fontsize=_MEDIUM)
    axes.set_ylabel(f"Effect: {record.effect}", fontsize=_MEDIUM)
    axes.set_title(f"Effect against baseline; bars: {_intervals(record)}", fontsize=_MEDIUM)
    axes.legend(fontsize=_SMALL, loc="best")
    _finish(axes)


def _draw_run(
    axes: Axes, run: RunSummary, colour: str, mark: str, label: str | None, size: float = 7
) -> None:
    effect, baseline = run.effect, run.baseline
    axes.errorbar(
        baseline.value,
        effect.value,
        xerr=_reach(baseline),
        yerr=_reach(effect),
        color=colour,
        marker=mark,
        markersize=size,
        linestyle="none",
        elinewidth=0.8,
        alpha=0.9,
        label=label,
    )


def _intervals(record: TuningRecord) -> str:
    """What the bars are, with the level where all runs have the same."""
    effects = [run.effect for trial in record.trials for run in trial.runs]
    levels = {effect.level for effect in effects if effect.level is not None}
    level = f"{levels.pop():.0%} " if len(levels) == 1 else ""
    return f"{level}intervals of the runs"


def _reach(figure: Figure) -> list[list[float]]:
    """How far the interval reaches to either side; percentiles may leave the figure outside."""
    value = figure.value
    return [[max(0.0, value - figure.least)], [max(0.0, figure.most - value)]]


def _draw_history(axes: Axes, record: TuningRecord) -> None:
    best: list[tuple[int, float]] = []
    for place, trial in enumerate(record.trials, start=1):
        if not trial.runs:
            continue
        _, colour, mark = _LOOKS[trial.outcome]
        effect = trial.runs[-1].effect.value
        axes.plot(place, effect, color=colour, marker=mark, markersize=7, linestyle="none")
        if trial.outcome == "qualifies" and (not best or effect > best[-1][1]):
            best.append((place, effect))
    if best:
        best.append((len(record.trials), best[-1][1]))
        numbers, effects = zip(*best, strict=True)
        axes.step(
            numbers, effects, where="post", color="black", linewidth=1, label="best that qualifies"
        )
        axes.legend(fontsize=_SMALL, loc="best")
    axes.set_xlabel("Trials, in their order", fontsize=_MEDIUM)
    axes.set_ylabel("Effect", fontsize=_MEDIUM)
    axes.set_title("History; marks as on the left", fontsize=_MEDIUM)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(axes)


def _draw_importance(axes: Axes, record: TuningRecord) -> None:
    complete = sum(len(trial.runs) == len(record.rungs) for trial in record.trials)
    axes.set_title(f"Importance, over {complete} completed trials (PED-ANOVA)", fontsize=_MEDIUM)
    if not record.importance:
        axes.text(0.5, 0.5, "too few completed trials", ha="center", va="center", fontsize=_MEDIUM)
        axes.set_axis_off()
        return
    ordered = sorted(record.importance.items(), key=lambda item: item[1])
    names = [name.rpartition(".")[2] for name, _ in ordered]
    bars = axes.barh(names, [share for _, share in ordered], color="#0072B2", height=0.6)
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=_SMALL)
    axes.set_xlim(0, 1.1)
    axes.set_xlabel("Share of the variation of the effect", fontsize=_MEDIUM)
    _finish(axes)


def _chosen(record: TuningRecord) -> TrialRecord | None:
    return next((trial for trial in record.trials if trial.number == record.chosen), None)


def _finish(axes: Axes) -> None:
    axes.tick_params(labelsize=_SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
