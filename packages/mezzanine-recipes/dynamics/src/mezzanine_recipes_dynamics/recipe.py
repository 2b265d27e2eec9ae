"""The recipe ``latent_dynamics`` and its presets."""

from __future__ import annotations

from collections.abc import Sequence

from mezzanine_core.context import RunContext
from mezzanine_core.recipes import LatentRequest, Recipe, Tunable
from mezzanine_core.results import Results
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.inputs import load_inputs
from mezzanine_recipes_dynamics.tuning import tunable


class LatentDynamics(Recipe[LatentDynamicsConfig]):
    """Learns latent dynamics with and without the action, and says whether the action is used.

    Works on any world of transitions and any encoder that takes its observations. See
    ``docs/verdicts.md`` for what is compared and when the answer is MAKE, BREAK or INCONCLUSIVE.

    Args:
        config: The recipe's settings, with those of the world and the encoder nested in it.
    """

    def run(self, ctx: RunContext) -> Results:
        """Run the experiment.

        Writes ``model.safetensors`` and ``model.json``, ``diagnostics.png``, for worlds of images
        ``montage.png``, where actions are retrieved or planned ``planning.png``, and where plans
        are played ``mpc.png``; and the plots of the report.

        Raises:
            ConfigError: If the encoder does not take the world's observations, the device is not
                there, or plans are to be played in a world that cannot be acted in.
            DataError: If the splits are empty, do not fit each other, hold the same action
                everywhere, or are too small to rank or to plan on.
            LatentError: If latents are not finite or all the same, or the training diverges.
            OutputDirectoryError: If a file of the run cannot be written.
        """
        with ctx.stage("import"):
            # Not at the top, so that nothing but a run waits for torch.
            from mezzanine_recipes_distill.determinism import determinism
            from mezzanine_recipes_dynamics.experiment import Experiment
        with determinism(ctx.deterministic):
            return Experiment(self.config, ctx).run()

    def latent_requests(self, ctx: RunContext) -> Sequence[LatentRequest]:
        """Latents of the observations and outcomes of both splits.

        The few frames of the montage are not among them: which ones are shown is known only when
        the predictors are trained.
        """
        inputs = load_inputs(self.config, ctx)
        return [
            LatentRequest(label, column, inputs.encoder)
            for label, column in inputs.columns().items()
        ]

    def tunable(self) -> Tunable | None:
        """How far ahead the outcome is, and what else of the world decides how hard it is."""
        return tunable(self.config)
