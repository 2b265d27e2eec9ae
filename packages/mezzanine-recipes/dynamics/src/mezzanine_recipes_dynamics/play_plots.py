"""The picture ``mpc.png``: what the players solved, and how some tasks ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from mezzanine_core.tasks import Item, TaskSet
from mezzanine_core.worlds import ItemKind
from mezzanine_recipes_dynamics.marks import LARGE, MEDIUM, SMALL, Look, draw_estimates, finish
from mezzanine_recipes_dynamics.play_stage import (
    ACTION,
    IDLE,
    NO_ACTION,
    ORACLE,
    RANDOM,
    Playing,
)

PLAYER_LOOKS = {
    ACTION: Look("action model", "#0072B2", "o"),
    NO_ACTION: Look("no-action model", "#E69F00", "s"),
    RANDOM: Look("random", "#666666", "D"),
    IDLE: Look("doing nothing", "#CC79A7", "v"),
    ORACLE: Look("oracle", "#009E73", "^"),
}

_EXAMPLES = 4


def playing_figure(playing: Playing, tasks: TaskSet, kind: ItemKind) -> Figure:
    """Draw what the players solved; beside it how tasks ended, or how near players came.

    Args:
        playing: What they did.
        tasks: At what.
        kind: What observations are; only images are shown.
    """
    figure = Figure(figsize=(14, 6.2), layout="constrained")
    report, level = playing.report, playing.metrics[f"mpc_{ACTION}"]["success"].level
    figure.suptitle(
        f"Plans played in the simulator: {report['n']} tasks ({report['families']} independent), "
        f"{report['steps']} acts each, planned by {report['planner']}. Bars: {level:.0%} Wilson "
        "interval; small marks: single seeds",
        fontsize=MEDIUM,
        x=0.01,
        ha="left",
    )
    left, right = cast(Sequence[SubFigure], figure.subfigures(1, 2, width_ratios=[1, 1.25]))
    _draw_success(left.subplots(), playing)
    if kind == "image":
        _draw_examples(right, playing, tasks)
    else:
        draw_distances(right.subplots(), playing)
    return figure


def _draw_success(axes: Axes, playing: Playing) -> None:
    rates = {
        player: playing.metrics[f"mpc_{player}"]["success"]
        for player in PLAYER_LOOKS
        if player in playing.played
    }
    draw_estimates(axes, rates, PLAYER_LOOKS, ".0%")
    axes.set_xlim(-0.04, 1.04)
    axes.set_xlabel("Share of tasks solved, higher is better", fontsize=SMALL)
    axes.set_title("Solved", fontsize=LARGE)
    finish(axes)


def _draw_examples(part: SubFigure, playing: Playing, tasks: TaskSet) -> None:
    """The first tasks: goal, and what the first action model and a random player left."""
    shown = tasks.tasks[:_EXAMPLES]
    grid = part.subplots(3, len(shown), squeeze=False)
    for column, task in enumerate(shown):
        _show(grid[0, column], task.goal, f"goal of {task.name}", "black")
        for row, player in enumerate((ACTION, RANDOM), start=1):
            one = playing.played[player][0]
            solved = bool(one.solved[column])
            text = f"{PLAYER_LOOKS[player].label}: {'solved' if solved else 'not solved'}"
            _show(grid[row, column], one.last[column], text, "#007050" if solved else "#A03000")
    part.suptitle("How the first tasks ended (first seed)", fontsize=LARGE)


def draw_distances(axes: Axes, playing: Playing) -> None:
    """How near the players came to their goals, a line each."""
    for player, look in PLAYER_LOOKS.items():
        if player in playing.played and player != ORACLE:
            nearest = np.sort(np.concatenate([one.distance for one in playing.played[player]]))
            share = np.arange(1, len(nearest) + 1) / len(nearest)
            axes.step(nearest, share, where="post", color=look.colour, label=look.label)
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("Least distance from the goal after an act, in the task's measure", fontsize=9)
    axes.set_ylabel("Share of tasks (and seeds) that came so near", fontsize=SMALL)
    axes.set_title("How near they came, higher is better", fontsize=LARGE)
    axes.legend(fontsize=SMALL)
    finish(axes)


def _show(axes: Axes, image: Item, text: str, colour: str) -> None:
    axes.imshow(image)
    axes.set_title(text, fontsize=SMALL, color=colour)
    axes.set_xticks([])
    axes.set_yticks([])
