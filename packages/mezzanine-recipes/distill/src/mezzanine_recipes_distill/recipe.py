"""The recipe ``symmetry_distill`` and its presets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mezzanine_core.context import RunContext
from mezzanine_core.recipes import LatentRequest, Recipe, Tunable
from mezzanine_core.results import Results
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.tuning import tunable


class SymmetryDistill(Recipe[SymmetryDistillConfig]):
    """Measures how far a model's answers hang on the view, and distils their average.

    Works on any world of labelled items, any symmetry of these and any encoder that takes them. See
    ``docs/distillation.md`` for what is compared and when the answer is MAKE, BREAK or
    INCONCLUSIVE.

    Args:
        config: The recipe's settings, with those of world, symmetry and encoder nested in it.
    """

    def run(self, ctx: RunContext) -> Results:
        """Run the experiment.

        Writes ``student.safetensors`` and ``student.json``, ``diagnostics.png``, and the
        plots of the report.

        Raises:
            ConfigError: If the components do not go together, or the device is not there.
            DataError: If the data allow no answer: one class, one test item, or no gap to measure.
            LatentError: If a training diverges.
            MissingDependencyError: If the student ``adapter`` is asked for without ``peft``.
            OutputDirectoryError: If a file of the run cannot be written.
        """
        with ctx.stage("import"):
            # Not at the top, so that nothing but a run waits for torch.
            from mezzanine_recipes_distill.determinism import determinism
            from mezzanine_recipes_distill.experiment import Experiment
        with determinism(ctx.deterministic):
            return Experiment(self.config, ctx).run()

    def latent_requests(self, ctx: RunContext) -> Sequence[LatentRequest]:
        """Latents, and the scores of choices where they are the base model, of all views."""
        from mezzanine_recipes_distill.inputs import load_inputs

        return load_inputs(self.config, ctx).requests()

    def tunable(self) -> Tunable:
        """How the student of the verdict is trained."""
        return tunable(self.config)

    def predict(
        self,
        ctx: RunContext,
        folder: Path,
        records: Sequence[Mapping[str, Any]],
        *,
        model: str | None = None,
        repetition: int | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """What a student says of new texts, in one forward pass each.

        Yields:
            ``label``, the name of the most probable class, and ``probabilities`` of all.

        Raises:
            ConfigError: If the run's world is not one of texts, or there is no such model.
            DataError: If the student is missing or damaged, belongs to another encoder, or a record
                lacks a field.
        """
        from mezzanine_recipes_distill.prediction import predict

        return predict(self.config, ctx, folder, records, model=model, repetition=repetition)
