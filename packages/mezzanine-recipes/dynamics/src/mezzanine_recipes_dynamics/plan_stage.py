"""The planning part of a run: what is asked for, in figures with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.context import RunContext
from mezzanine_core.errors import DataError
from mezzanine_core.results import Estimate
from mezzanine_core.stats import bootstrap_gain, bootstrap_mean
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.inputs import Inputs
from mezzanine_recipes_dynamics.plan_evaluation import Floats, Scores, choose_goals, plan, retrieve
from mezzanine_recipes_dynamics.plan_goals import Questions, chains
from mezzanine_recipes_dynamics.predictors import Predictors
from mezzanine_recipes_dynamics.randomness import RunStreams
from mezzanine_recipes_dynamics.samples import Samples

Figures = dict[str, dict[str, Estimate]]

_METRICS = {"rank": "mean_rank"}
"""Score → its name in the results, where that is another."""

_LOWER_IS_BETTER = frozenset({"rank", "energy", "action_distance"})

_RANGES = {"rank": (1.0, np.inf), "r@1": (0.0, 1.0), "mrr": (0.0, 1.0)}
"""Score → the values that it can have, where it is not that it cannot be negative."""

_COMPARISONS = {
    "retrieval": (("action", "random"), ("action", "mean_action"), ("action", "nearest")),
    "plan": (
        ("planned", "true"),
        ("planned", "random"),
        ("true", "random"),
        ("rounded", "true"),
        ("rounded", "random"),
    ),
}
"""Question → which ways to choose actions are compared; positive means that the first is better."""


@dataclass(frozen=True, eq=False)
class Planning:
    """What the planning part of a run found.

    Attributes:
        scores: Question (``retrieval``, ``plan``) → scores of each way to choose actions.
        metrics: ``<question>_<way>`` → metric → estimate.
        deltas: ``<question>_<way>_minus_<way>`` → metric → paired gain.
    """

    scores: Mapping[str, Scores]
    metrics: Figures
    deltas: Figures

    def report(self) -> dict[str, Any]:
        """How it was found, as JSON values."""
        return {question: dict(one.report) for question, one in self.scores.items()}


class PlanStage:
    """Asks the trained predictors the questions that the settings name.

    Args:
        config: The recipe's settings.
        streams: The randomness of the run.
        inputs: The world's splits.
    """

    def __init__(self, config: LatentDynamicsConfig, streams: RunStreams, inputs: Inputs) -> None:
        self._config = config
        self._streams = streams
        self._inputs = inputs
        self._questions: Questions | None = None
        self._chains: npt.NDArray[np.int64] | None = None

    def check(self, actions: npt.NDArray[np.float32]) -> None:
        """Draw the questions, and refuse what the splits cannot answer; needs no latents.

        Args:
            actions: What is taken for the actions of the test split, float32 [n, A].

        Raises:
            DataError: If there are more candidates than test transitions, or than items with
                another action, or too few transitions that follow each other.
        """
        test = self._inputs.test
        if self._config.do_planning and self._config.plan_candidates > len(test):
            raise DataError(
                f"plan_candidates={self._config.plan_candidates} candidates are more than the "
                f"{len(test)} test transitions that they are drawn from",
                hint="Lower plan_candidates or raise n_test.",
            )
        if self._config.do_planning:
            self._questions = Questions.draw(
                actions, test.episode, self._config, self._streams.retrieval
            )
        if self._config.do_cem:
            self._chains = chains(test, self._config.plan_horizon)

    def run(
        self, predictors: Predictors, train: Samples, test: Samples, ctx: RunContext
    ) -> Planning:
        """Retrieve and plan, as the settings say.

        Raises:
            LatentError: If an energy is not finite.
        """
        config, scores = self._config, {}
        if self._questions is not None:
            scores["retrieval"] = retrieve(predictors, train, test, self._questions)
        if self._chains is not None:
            rng = self._streams.planning
            goals = choose_goals(test, self._chains, config.cem_eval, rng)
            label = f"plan for {len(goals)} goals x {len(config.seeds)} seeds"
            with ctx.progress.task(label, total=len(goals) * len(config.seeds)) as task:
                scores["plan"] = plan(predictors, train, goals, config, rng, task.advance)
        return Planning(scores, self._estimates(scores), self._gains(scores))

    def _estimates(self, scores: Mapping[str, Scores]) -> Figures:
        """Means with their intervals, off which is cut what a score cannot be."""

        def figure(name: str, values: Floats, episode: npt.NDArray[np.int64]) -> Estimate:
            found = bootstrap_mean(
                values,
                episode,
                level=self._config.level,
                resamples=self._config.bootstrap,
                rng=self._streams.bootstrap,
            )
            low, high = np.clip([found.low, found.high], *_RANGES.get(name, (0.0, np.inf)))
            return found.model_copy(update={"low": float(low), "high": float(high)})

        return {
            f"{question}_{way}": {
                _METRICS.get(name, name): figure(name, values, found.episode)
                for name, values in by_score.items()
            }
            for question, found in scores.items()
            for way, by_score in found.scores.items()
        }

    def _gains(self, scores: Mapping[str, Scores]) -> Figures:
        gains: Figures = {}
        for question, found in scores.items():
            for first, second in _COMPARISONS[question]:
                if first not in found.scores:
                    continue
                one, other = found.scores[first], found.scores[second]
                gains[f"{question}_{first}_minus_{second}"] = {
                    _METRICS.get(name, name): bootstrap_gain(
                        one[name],
                        other[name],
                        found.episode,
                        higher_is_better=name not in _LOWER_IS_BETTER,
                        level=self._config.level,
                        resamples=self._config.bootstrap,
                        rng=self._streams.bootstrap,
                    )
                    for name in one
                    if name in other
                }
        return gains
