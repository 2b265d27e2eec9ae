"""The panels of a report: each a small vector picture with what is to be seen in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from mezzanine_core.presentation import Picture
from mezzanine_recipes_dynamics.evaluation import Evaluation
from mezzanine_recipes_dynamics.plan_plots import draw_energies, draw_retrieved
from mezzanine_recipes_dynamics.plan_stage import Planning
from mezzanine_recipes_dynamics.play_plots import draw_distances
from mezzanine_recipes_dynamics.play_stage import Playing
from mezzanine_recipes_dynamics.plots import draw_cumulative, draw_curves, draw_histogram
from mezzanine_recipes_dynamics.training import Curves


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: what a report says of it, and what draws it into axes."""

    picture: Picture
    draw: Callable[[Axes], Any]


def panels(
    evaluation: Evaluation, curves: Curves, planning: Planning, playing: Playing, kind: str
) -> Iterator[Panel]:
    """The panels of a run, in the order in which they are to be read.

    Args:
        evaluation: Scores of the models.
        curves: Losses in the course of training.
        planning: What the planning part found, if it was asked anything.
        playing: What the players did, if any played.
        kind: Kind of the world's observations.
    """
    yield Panel(_CUMULATIVE, partial(draw_cumulative, evaluation=evaluation))
    yield Panel(_HISTOGRAM, partial(draw_histogram, evaluation=evaluation))
    yield Panel(_TRAINING, partial(draw_curves, curves=curves))
    if "retrieval" in planning.scores:
        yield Panel(_RETRIEVAL, partial(draw_retrieved, found=planning.scores["retrieval"]))
    if "plan" in planning.scores:
        yield Panel(_ENERGIES, partial(draw_energies, found=planning.scores["plan"]))
    if playing.tasks is not None and kind != "image":
        yield Panel(_DISTANCES, partial(draw_distances, playing=playing))


_CUMULATIVE = Picture(
    file="plots/cumulative_ranks.svg",
    title="How often what happened is ranked k or better",
    caption="A model that uses the action lies above the others; the dotted line is chance. Marks "
    "say their figures under the pointer. All seeds together.",
    alt="A rising line for each model over the rank k on a logarithmic axis. The figures at k = 1 "
    "and k = 10 are in the table as r@1 and r@10.",
)
_HISTOGRAM = Picture(
    file="plots/ranks.svg",
    title="Rank of what happened, among all outcomes of the test split",
    caption="The further a line is gathered at the left, the better the model; the bins are of "
    "equal width on the logarithmic axis, and wider in ranks to the right. All seeds together.",
    alt="A stepped line for each model: share of test samples by the rank of the true next latent.",
)
_TRAINING = Picture(
    file="plots/training.svg",
    title="Training",
    caption="Loss of both predictors: the line is the mean over seeds, the band their range. If "
    "the loss on held-out samples rises while that on training samples falls, the model overfits; "
    "if both still fall at the right end, the steps are too few.",
    alt="Loss, one minus cosine, over optimiser steps on a logarithmic axis, for the predictor "
    "with the action and the one without.",
)
_RETRIEVAL = Picture(
    file="plots/retrieval_ranks.svg",
    title="Rank of the true action among candidates",
    caption="The further a line is gathered at the left, the more often the way puts the action "
    "that was really taken first. All seeds together.",
    alt="A stepped line for each way to choose actions: share of test samples by the rank of the "
    "true action.",
)
_ENERGIES = Picture(
    file="plots/plan_energies.svg",
    title="Plans against the true actions",
    caption="Each dot is a goal and a seed. Below the dotted line the plan, by the model's own "
    "account, comes nearer to the goal than the action that was really taken: far below it, the "
    "planner exploits errors of the model.",
    alt="Scatter of the energy of each plan over the energy of the true action, both logarithmic.",
)
_DISTANCES = Picture(
    file="plots/distances.svg",
    title="How near the players came to their goals",
    caption="A line further to the left and above is better: more of its tasks came as near. All "
    "seeds together.",
    alt="A rising line for each player: share of tasks by the least distance from the goal.",
)
