"""The experiment itself, stage by stage."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mezzanine_core.config import ComponentConfig
from mezzanine_core.context import RunContext
from mezzanine_core.results import Results, Verdict
from mezzanine_core.views import SplitViews
from mezzanine_core.worlds import Labelled
from mezzanine_recipes_distill import report
from mezzanine_recipes_distill.artifacts import save_figure
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.devices import resolve_device
from mezzanine_recipes_distill.edit_control import edit_control
from mezzanine_recipes_distill.evaluation import BASE, TestViews
from mezzanine_recipes_distill.facts import Facts, clusters_of, find_facts, overlap, weaknesses
from mezzanine_recipes_distill.figures import Figurer
from mezzanine_recipes_distill.inputs import Inputs, load_inputs
from mezzanine_recipes_distill.items import Items
from mezzanine_recipes_distill.judgement import Judgement, final, judge
from mezzanine_recipes_distill.models import Models
from mezzanine_recipes_distill.panels import panels
from mezzanine_recipes_distill.picture import make_picture
from mezzanine_recipes_distill.plots import distillation_figure
from mezzanine_recipes_distill.randomness import repetition_streams, run_streams
from mezzanine_recipes_distill.resuming import AdapterCheckpoints
from mezzanine_recipes_distill.students import CARD, WEIGHTS, save_students
from mezzanine_recipes_distill.training import Trained, Trainer, check_students
from mezzanine_recipes_distill.vectors import save_vector
from mezzanine_recipes_distill.wording import presentation

DIAGNOSTICS = "diagnostics.png"


class Experiment:
    """One run of the recipe: load, encode, train, evaluate, draw.

    Args:
        config: The recipe's settings.
        ctx: The run.
    """

    def __init__(self, config: SymmetryDistillConfig, ctx: RunContext) -> None:
        self._config = config
        self._ctx = ctx
        self._streams = run_streams(config.seed)

    def run(self) -> Results:
        """See :meth:`~mezzanine_recipes_distill.recipe.SymmetryDistill.run`."""
        ctx = self._ctx
        device = resolve_device(ctx.device)
        ctx.device = str(device)
        with ctx.stage("load"):
            checkpoints = AdapterCheckpoints(self._config, ctx)
            inputs = load_inputs(self._config, ctx)
            edits = inputs.edits
            check_students(self._config, inputs)
        with ctx.stage("encode"):
            train = self._encoded(inputs, inputs.train, inputs.train_views, "train")
            test = self._encoded(inputs, inputs.test, inputs.test_views, "test")
            edited = None
            if edits is not None:
                edited = self._encoded(inputs, edits.split(), edits.views(), "edits")
        with ctx.stage("check"):
            facts = self._facts(inputs)
            seen = TestViews(test.groups, test.label, clusters_of(inputs.test.input.keys))
        with ctx.stage("train"):
            models = self._train(inputs, train, device, checkpoints)
        with ctx.stage("evaluate"):
            base, students = models.answers(test, seen)
            teacher = models.teacher(test)
            figurer = Figurer.of(self._config, seen, self._streams.bootstrap)
            judgement = judge(base, teacher, students, self._config, figurer, ctx.progress)
            verdict = self._verdict(judgement, facts, inputs)
            control = None
            if edits is not None and edited is not None:
                control = edit_control(edits, edited, models, judgement, self._config, figurer.rng)
            views, right = models.teacher_by_views(test)
            by_views = [figurer.share(one) for one in right]
        saved = self._save(models, inputs)
        checkpoints.remove()
        with ctx.stage("draw"):
            picture = make_picture(
                base, teacher, students, judgement, verdict, views, by_views, self._config
            )
            save_figure(distillation_figure(picture), ctx.artifact(DIAGNOSTICS))
            shown = []
            for said, figure in panels(picture):
                save_vector(figure, ctx.artifact(said.file))
                shown.append(said)
        self._track(judgement)
        return Results(
            metrics=judgement.metrics,
            deltas=judgement.deltas,
            verdict=verdict,
            data=report.data(inputs, facts, models),
            diagnostics={
                **report.diagnostics(models, judgement, base, students),
                "latents": report.latents(test, models, figurer),
                "costs": report.costs(inputs, models, judgement),
                "teacher_by_views": report.teacher_by_views(views, by_views),
                "edits": control,
                "torch": {"version": torch.__version__, "threads": torch.get_num_threads()},
            },
            artifacts=(*saved, DIAGNOSTICS, *(one.file for one in shown)),
            presentation=presentation(
                {name for of_one in judgement.metrics.values() for name in of_one}
                | {name for of_one in judgement.deltas.values() for name in of_one},
                judgement.metrics,
                judgement.deltas,
                self._config.students,
                shown,
            ),
        )

    def _encoded(self, inputs: Inputs, split: Labelled, views: SplitViews, name: str) -> Items:
        """The views of a split with their latents, and with the encoder's own belief if wanted."""
        column = views.column
        beliefs = None
        if inputs.scorer is not None:
            scores = self._ctx.latents(column, inputs.scorer, f"{name}/choices")
            beliefs = scores.astype(np.float64)
        latents = self._ctx.latents(column, inputs.encoder, f"{name}/views")
        return Items(column, views.groups, latents, split.label, beliefs)

    def _facts(self, inputs: Inputs) -> dict[str, Facts]:
        pairs = {
            "train": (inputs.train, inputs.train_views),
            "test": (inputs.test, inputs.test_views),
        }
        return {
            name: find_facts(split, views, inputs.encoder, self._ctx.executor)
            for name, (split, views) in pairs.items()
        }

    def _train(
        self,
        inputs: Inputs,
        train: Items,
        device: torch.device,
        checkpoints: AdapterCheckpoints,
    ) -> Models:
        classes = len(inputs.train.label_names)
        trainer = Trainer(self._config, self._ctx, inputs.encoder, classes, device)
        clusters = clusters_of(inputs.train.input.keys)
        repetitions = []
        label = f"train {', '.join(self._config.students)}"
        with self._ctx.progress.task(label, len(self._config.seeds)) as task:
            for repetition in self._config.seeds:
                trained = trainer.train(
                    train,
                    clusters,
                    repetition_streams(self._config.seed, repetition),
                    checkpoints.of(repetition, inputs),
                )
                repetitions.append(trained)
                self._track_curves(trained, repetition)
                task.advance()
        return Models(repetitions, self._config, self._ctx, inputs.encoder, device)

    def _verdict(self, judgement: Judgement, facts: dict[str, Facts], inputs: Inputs) -> Verdict:
        label = inputs.test.label
        said = weaknesses(
            facts["train"],
            facts["test"],
            leaked=int(overlap(inputs.test.input.keys, inputs.train.input.keys).sum()),
            seeds=len(self._config.seeds),
            base_accuracy=judgement.metrics[BASE]["accuracy"],
            commonest=float(np.bincount(label).max() / len(label)),
        )
        return final(judgement, said, self._config.students)

    def _save(self, models: Models, inputs: Inputs) -> tuple[str, str]:
        for name in (WEIGHTS, CARD):
            self._ctx.artifact(name)
        config = self._config
        return save_students(
            self._ctx.out,
            models.saved(),
            repetitions=config.seeds,
            primary=config.students[0],
            belief=config.belief,
            average=config.average,
            label_names=inputs.train.label_names,
            choices=inputs.choices,
            encoder=_identity(config.encoder, inputs.encoder.fingerprint()),
            symmetry=_identity(config.symmetry, inputs.symmetry.fingerprint()),
            world=_identity(config.world, inputs.world.fingerprint()),
        )

    def _track_curves(self, trained: Trained, repetition: int) -> None:
        for model, curves in trained.curves.items():
            name = f"train/{model}/{repetition}"
            for epoch, (fit, held) in enumerate(zip(curves.train, curves.validation, strict=True)):
                self._ctx.tracker.log({f"{name}/loss": fit, f"{name}/validation": held}, epoch)

    def _track(self, judgement: Judgement) -> None:
        self._ctx.tracker.log(
            {
                f"test/{model}/{metric}": value.value
                for model, metrics in judgement.metrics.items()
                for metric, value in metrics.items()
            }
        )


def _identity(config: ComponentConfig, fingerprint: str) -> dict[str, Any]:
    return {"config": config.model_dump(mode="json"), "fingerprint": fingerprint}
