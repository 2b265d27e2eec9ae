"""The picture ``montage.png``: what was seen, what happened, and what the predictors retrieve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Latents
from mezzanine_core.ranks import TIE_TOLERANCE
from mezzanine_core.worlds import Transitions
from mezzanine_recipes_dynamics.evaluation import Evaluation, row_cosines
from mezzanine_recipes_dynamics.marks import MEDIUM, SMALL
from mezzanine_recipes_dynamics.plots import LOOKS
from mezzanine_recipes_dynamics.predictors import MODELS, Model, Predictors
from mezzanine_recipes_dynamics.samples import Samples
from mezzanine_recipes_dynamics.thumbnails import thumbnails

_SHOWN_FEATURES = 4


@dataclass(frozen=True, eq=False)
class Montage:
    """What the montage shows, r rows of it.

    Attributes:
        test_rows: Rows of the test split, int64 [r].
        actions: Their action features as the predictors saw them, float32 [r, A].
        seed: The repetition whose predictors are shown.
        retrieved: Model → row of the test split whose next observation is nearest to its
            prediction, int64 [r]; the first of those that tie.
        ranks: Model → expected rank of the true next observation, float64 [r].
        likeness: Model → cosine of the latents of the retrieved and the true next observation,
            float64 [r].
    """

    test_rows: npt.NDArray[np.int64]
    actions: npt.NDArray[np.float32]
    seed: int
    retrieved: Mapping[Model, npt.NDArray[np.int64]]
    ranks: Mapping[Model, npt.NDArray[np.float64]]
    likeness: Mapping[Model, npt.NDArray[np.float64]]

    def report(self) -> dict[str, Any]:
        """All of it by name."""
        return asdict(self)


def choose(
    test: Samples,
    predictors: Predictors,
    evaluation: Evaluation,
    count: int,
    rng: np.random.Generator,
) -> Montage:
    """Draw test samples at random, and find what the predictors of the first seed retrieve.

    Drawn from the samples that have an action (a feature that is not zero), or from all where none
    has.
    """
    acted = np.flatnonzero((test.actions != 0).any(axis=1))
    candidates = acted if acted.size else np.arange(len(test))
    rows = np.sort(rng.choice(candidates, size=min(count, len(candidates)), replace=False))
    seed = predictors.seeds[0]
    state = None if test.state is None else test.state[rows]
    retrieved = {
        model: _nearest(
            predictors.predict(model, seed, test.latents[rows], test.actions[rows], state),
            test.next_latents,
        )
        for model in MODELS
    }
    return Montage(
        test_rows=rows,
        actions=test.actions[rows],
        seed=seed,
        retrieved=retrieved,
        ranks={model: evaluation.scores[model]["rank"][0, 0, rows] for model in MODELS},
        likeness={
            model: row_cosines(test.next_latents[found], test.next_latents[rows])
            for model, found in retrieved.items()
        },
    )


def montage_figure(montage: Montage, split: Transitions, ctx: RunContext) -> Figure:
    """Draw a montage: a row a sample, with the frame before, the frame after, and one a model.

    Frames pass through the latent cache as thumbnails, so a run that shows what an earlier run
    showed renders nothing.

    Args:
        montage: What to show.
        split: The test split; its observations are images.
        ctx: The run.
    """
    before = thumbnails(split.obs, montage.test_rows, ctx)
    after = thumbnails(split.next_obs, montage.test_rows, ctx)
    retrieved = {
        model: thumbnails(split.next_obs, found, ctx) for model, found in montage.retrieved.items()
    }
    count = len(montage.test_rows)
    figure = Figure(figsize=(10.5, 1.2 + 2.65 * count), layout="constrained")
    grid = figure.subplots(count, 2 + len(MODELS), squeeze=False)
    for line, axes in enumerate(grid):
        action = describe_action(montage.actions[line], split.action_names)
        _show(axes[0], before[line], f"test sample {montage.test_rows[line]}\n{action}")
        _show(axes[1], after[line], "")
        for one, model in zip(axes[2:], MODELS, strict=True):
            likeness, rank = montage.likeness[model][line], montage.ranks[model][line]
            _show(
                one,
                retrieved[model][line],
                f"cosine with what happened: {likeness:.4f}\n"
                f"rank of what happened: {rank:.4g} of {len(split)}",
                LOOKS[model].colour if likeness > 1 - TIE_TOLERANCE else None,
            )
    _head(grid[0])
    figure.suptitle(
        f"{count} test samples with an action, drawn at random (not chosen by result); predictors "
        f"of seed {montage.seed}.\nRetrieved: the frame, among all {len(split)} outcomes of the "
        "test split, whose latent is nearest to the prediction.\nA coloured border: its latent "
        "equals that of what happened. Ranks are expectations over ties.",
        fontsize=MEDIUM,
    )
    return figure


def describe_action(action: npt.NDArray[np.float32], names: Sequence[str]) -> str:
    """The features of an action that are not zero, in words, a line each; four lines at most."""
    given = [
        f"{name} = {value:.2f}" for name, value in zip(names, action, strict=True) if value != 0
    ]
    if len(given) > _SHOWN_FEATURES:
        given = [*given[: _SHOWN_FEATURES - 1], f"and {len(given) - _SHOWN_FEATURES + 1} more"]
    return "\n".join(given) if given else "no action"


def _nearest(predicted: Latents, targets: Latents) -> npt.NDArray[np.int64]:
    """Row of the target with the largest cosine, for each prediction."""
    lengths = np.linalg.norm(targets, axis=1)
    cosines = (predicted @ targets.T) / np.where(lengths > 0, lengths, 1)
    nearest: npt.NDArray[np.int64] = cosines.argmax(axis=1).astype(np.int64)
    return nearest


def _head(axes: Sequence[Axes]) -> None:
    titles = ["observation at t", "what happened, t + Δ"]
    titles += [f"retrieved, {LOOKS[model].label.replace(' ', '-')} model" for model in MODELS]
    for one, title in zip(axes, titles, strict=True):
        one.set_title(title, fontsize=MEDIUM, fontweight="bold")


def _show(axes: Axes, image: npt.NDArray[np.uint8], text: str, colour: str | None = None) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(text, fontsize=SMALL)
    for spine in axes.spines.values():
        spine.set_color(colour or "#999999")
        spine.set_linewidth(4 if colour else 0.8)
