"""The experiment itself, stage by stage."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure

from mezzanine_core.builtin.configs import ActionShuffleConfig
from mezzanine_core.config import ComponentConfig
from mezzanine_core.context import RunContext
from mezzanine_core.presentation import Picture
from mezzanine_core.results import Estimate, Results
from mezzanine_recipes_distill.artifacts import save_figure
from mezzanine_recipes_distill.devices import resolve_device
from mezzanine_recipes_distill.vectors import panel, save_vector
from mezzanine_recipes_dynamics.checkpoint import CARD, WEIGHTS, save_predictors
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.diagnostics import (
    Overlap,
    check_latents,
    check_transitions,
    find_overlap,
    spread_report,
)
from mezzanine_recipes_dynamics.evaluation import Evaluation, evaluate, rankings
from mezzanine_recipes_dynamics.inputs import Inputs, load_inputs
from mezzanine_recipes_dynamics.judgement import Judge
from mezzanine_recipes_dynamics.montage import choose, montage_figure
from mezzanine_recipes_dynamics.panels import Panel, panels
from mezzanine_recipes_dynamics.plan_plots import planning_figure
from mezzanine_recipes_dynamics.plan_stage import Planning, PlanStage
from mezzanine_recipes_dynamics.play_plots import playing_figure
from mezzanine_recipes_dynamics.play_stage import Playing, PlayStage
from mezzanine_recipes_dynamics.plots import diagnostics_figure
from mezzanine_recipes_dynamics.predictors import MODELS, Predictors
from mezzanine_recipes_dynamics.randomness import repetition_streams, run_streams
from mezzanine_recipes_dynamics.samples import Samples, hold_out
from mezzanine_recipes_dynamics.training import Curves, Trainer
from mezzanine_recipes_dynamics.wording import MONTAGE as MONTAGE_PICTURE
from mezzanine_recipes_dynamics.wording import PLAYING as PLAYING_PICTURE
from mezzanine_recipes_dynamics.wording import presentation

_log = logging.getLogger(__name__)

DIAGNOSTICS, MONTAGE = "diagnostics.png", "montage.png"
PLANNING, PLAYING = "planning.png", "mpc.png"


@dataclass(frozen=True, eq=False)
class _Trained:
    """What training gives.

    Attributes:
        predictors: The predictors.
        curves: Their losses on the way.
        sizes: How many samples they were fitted to, and how many were held out.
    """

    predictors: Predictors
    curves: Curves
    sizes: dict[str, int]


class Experiment:
    """One run of the recipe: load, encode, train, evaluate, draw.

    Args:
        config: The recipe's settings.
        ctx: The run.
    """

    def __init__(self, config: LatentDynamicsConfig, ctx: RunContext) -> None:
        self._config = config
        self._ctx = ctx
        self._streams = run_streams(config.seed)
        self._repetitions = [repetition_streams(config.seed, seed) for seed in config.seeds]

    def run(self) -> Results:
        """See :meth:`~mezzanine_recipes_dynamics.recipe.LatentDynamics.run`."""
        ctx = self._ctx
        device = resolve_device(ctx.device)
        ctx.device = str(device)
        with ctx.stage("load"):
            inputs = load_inputs(self._config, ctx)
            check_transitions(inputs.train, inputs.test)
            actions = self._actions(inputs)
            plans = PlanStage(self._config, self._streams, inputs)
            plans.check(actions["test"])
            plays = PlayStage(self._config, self._streams, inputs, ctx)
            plays.check()
        with ctx.stage("encode"):
            train, test = self._samples(inputs, actions)
        with ctx.stage("check"):
            spread = check_latents(train, test)
            overlap = find_overlap(inputs.train, inputs.test, train, test)
        with ctx.stage("train"):
            trained = self._train(train, device)
        with ctx.stage("evaluate"):
            evaluation = self._evaluate(trained.predictors, test)
            judge = Judge(
                self._config,
                evaluation,
                test,
                overlap,
                spread,
                self._streams.bootstrap,
                ctx.progress,
            )
            judgement = judge.judge()
        saved = self._save(trained.predictors, inputs)
        with ctx.stage("plan"):
            planning = plans.run(trained.predictors, train, test, ctx)
        with ctx.stage("play"):
            playing = plays.run(trained.predictors, train)
        with ctx.stage("draw"):
            self._write(
                diagnostics_figure(
                    judgement.metrics, evaluation, trained.curves, judgement.verdict
                ),
                DIAGNOSTICS,
            )
            montage = self._draw_montage(trained.predictors, evaluation, test, inputs)
            pictures = (*self._draw_planning(planning), *self._draw_playing(playing, inputs))
            shown = [] if "skipped" in montage else [MONTAGE_PICTURE]
            kind = inputs.test.obs.kind
            shown += [PLAYING_PICTURE] if PLAYING in pictures and kind == "image" else []
            plots = self._draw_panels(panels(evaluation, trained.curves, planning, playing, kind))
        metrics = {**judgement.metrics, **planning.metrics, **playing.metrics}
        deltas = {**judgement.deltas, **planning.deltas, **playing.deltas}
        self._track(metrics)
        return Results(
            metrics=metrics,
            deltas=deltas,
            verdict=judgement.verdict,
            data={**_describe(inputs, overlap), **trained.sizes, "actions": self._config.actions},
            diagnostics={
                "spread": spread_report(spread),
                "shuffles": {
                    "count": self._config.shuffles,
                    "unchanged_share": evaluation.unchanged,
                },
                "without_twins": judgement.without_twins,
                "curves": _curves_report(trained.curves),
                "montage": montage,
                "planning": planning.report(),
                "mpc": playing.report,
                "torch": {"version": torch.__version__, "threads": torch.get_num_threads()},
            },
            artifacts=(
                *saved,
                DIAGNOSTICS,
                *(() if "skipped" in montage else (MONTAGE,)),
                *pictures,
                *(plot.file for plot in plots),
            ),
            presentation=presentation(metrics, deltas, [*plots, *shown]),
        )

    def _actions(self, inputs: Inputs) -> dict[str, npt.NDArray[np.float32]]:
        """What was done in both splits; under the negative control, noise in its place."""
        found = {"train": inputs.train.action, "test": inputs.test.action}
        if self._config.actions == "real":
            return found
        noise = self._streams.noise
        return {
            name: noise.standard_normal(action.shape, dtype=np.float32)
            for name, action in found.items()
        }

    def _samples(
        self, inputs: Inputs, actions: Mapping[str, npt.NDArray[np.float32]]
    ) -> tuple[Samples, Samples]:
        """Latent transitions of both splits."""
        latents = {
            label: self._ctx.latents(column, inputs.encoder, label)
            for label, column in inputs.columns().items()
        }
        train, test = (
            Samples(
                latents[f"{name}/obs"],
                actions[name],
                latents[f"{name}/next_obs"],
                split.episode,
                split.state,
            )
            for name, split in (("train", inputs.train), ("test", inputs.test))
        )
        return train, test

    def _train(self, train: Samples, device: torch.device) -> _Trained:
        config = self._config
        fit, held_out = hold_out(train, config.holdout, self._streams.holdout)
        trainer = Trainer(fit, held_out, config, self._repetitions, device)
        label = f"train {len(MODELS)} models x {len(config.seeds)} seeds"
        with self._ctx.progress.task(label, total=config.train_steps) as task:
            for step in trainer.run():
                task.advance()
                if trainer.measured == step:
                    self._track_curves(trainer.curves)
        sizes = {"n_fit": len(fit), "n_held_out": 0 if held_out is None else len(held_out)}
        return _Trained(trainer.predictors.eval(), trainer.curves, sizes)

    def _evaluate(self, predictors: Predictors, test: Samples) -> Evaluation:
        config = self._config
        total = rankings(len(config.seeds), config.shuffles)
        with self._ctx.progress.task("rank predictions", total) as task:
            return evaluate(
                predictors,
                test,
                self._ctx.symmetry(ActionShuffleConfig(name="action_shuffle")),
                config.shuffles,
                [streams.shuffles for streams in self._repetitions],
                task.advance,
            )

    def _save(self, predictors: Predictors, inputs: Inputs) -> tuple[str, ...]:
        for name in (WEIGHTS, CARD):
            self._ctx.artifact(name)
        return save_predictors(
            self._ctx.out,
            predictors,
            action_names=inputs.test.action_names,
            state_names=inputs.test.state_names,
            encoder=_identity(self._config.encoder, inputs.encoder.fingerprint()),
            world=_identity(self._config.world, inputs.world.fingerprint()),
        )

    def _draw_montage(
        self, predictors: Predictors, evaluation: Evaluation, test: Samples, inputs: Inputs
    ) -> dict[str, Any]:
        """Draw the montage, if there is to be one; what it shows, or why there is none."""
        rows, kind = self._config.montage_rows, inputs.test.obs.kind
        if kind != "image" or rows == 0:
            reason = "montage_rows is 0" if rows == 0 else f"the observations are {kind} items"
            _log.info("no montage is drawn: %s", reason)
            return {"skipped": reason}
        montage = choose(test, predictors, evaluation, rows, self._streams.montage)
        self._write(montage_figure(montage, inputs.test, self._ctx), MONTAGE)
        return montage.report()

    def _draw_planning(self, planning: Planning) -> tuple[str, ...]:
        """Draw what was planned, if anything was; the names of the pictures."""
        if not planning.scores:
            return ()
        self._write(planning_figure(planning), PLANNING)
        return (PLANNING,)

    def _draw_playing(self, playing: Playing, inputs: Inputs) -> tuple[str, ...]:
        """Draw what was played, if anything was; the names of the pictures."""
        if playing.tasks is None:
            return ()
        self._write(playing_figure(playing, playing.tasks, inputs.test.obs.kind), PLAYING)
        return (PLAYING,)

    def _draw_panels(self, drawn: Iterable[Panel]) -> list[Picture]:
        """Draw the panels of the report; what it says of them."""
        pictures = []
        for one in drawn:
            save_vector(panel(one.draw), self._ctx.artifact(one.picture.file))
            pictures.append(one.picture)
        return pictures

    def _write(self, figure: Figure, name: str) -> None:
        save_figure(figure, self._ctx.artifact(name))

    def _track_curves(self, curves: Curves) -> None:
        """Log the last point of the curves, over all seeds."""
        parts = {"loss": curves.train, "held_out": curves.held_out}
        values = {
            f"train/{model}/{name}": float(part[position, :, -1].mean())
            for name, part in parts.items()
            if part is not None
            for position, model in enumerate(MODELS)
        }
        self._ctx.tracker.log(values, curves.steps[-1])

    def _track(self, metrics: Mapping[str, Mapping[str, Estimate]]) -> None:
        self._ctx.tracker.log(
            {
                f"test/{model}/{metric}": value.value
                for model, by_metric in metrics.items()
                for metric, value in by_metric.items()
            }
        )


def _identity(config: ComponentConfig, fingerprint: str) -> dict[str, Any]:
    return {"config": config.model_dump(mode="json"), "fingerprint": fingerprint}


def _describe(inputs: Inputs, overlap: Overlap) -> dict[str, Any]:
    train, test = inputs.train, inputs.test
    return {
        "n_train": len(train),
        "n_test": len(test),
        "episodes": {
            "train": len(np.unique(train.episode)),
            "test": len(np.unique(test.episode)),
        },
        "candidates": {
            "count": len(test),
            "distinct": len(np.unique(test.next_obs.keys, axis=0)),
        },
        "action_names": test.action_names,
        "state_names": test.state_names,
        "overlap": overlap.counts(),
        "world": inputs.report,
    }


def _curves_report(curves: Curves) -> dict[str, Any]:
    """Loss of each model and seed at each point."""
    held_out = curves.held_out
    return {
        "steps": curves.steps,
        "train": dict(zip(MODELS, curves.train, strict=True)),
        "held_out": None if held_out is None else dict(zip(MODELS, held_out, strict=True)),
    }
