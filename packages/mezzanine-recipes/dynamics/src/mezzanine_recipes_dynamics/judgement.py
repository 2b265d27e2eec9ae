"""From scores to figures and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mezzanine_core.collapse import LatentSpread
from mezzanine_core.progress import SILENT, Progress
from mezzanine_core.results import Estimate, Verdict
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.diagnostics import MIN_EPISODES, MIN_TEST, Overlap, warnings
from mezzanine_recipes_dynamics.evaluation import (
    COMPARISONS,
    METRICS,
    Evaluation,
    estimate,
    gains,
)
from mezzanine_recipes_dynamics.samples import Samples
from mezzanine_recipes_dynamics.verdict import decide

Deltas = dict[str, dict[str, Estimate]]
"""Comparison → metric → paired gain."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What the evaluation says.

    Attributes:
        metrics: Model → metric → estimate.
        deltas: Gains of each comparison.
        verdict: The answer.
        without_twins: What the answer would be on the test samples that have no twin in training,
            as plain values; ``None`` where every sample is such.
    """

    metrics: dict[str, dict[str, Estimate]]
    deltas: Deltas
    verdict: Verdict
    without_twins: dict[str, Any] | None


class Judge:
    """Estimates, compares and decides.

    Args:
        config: Thresholds, level and number of resamples.
        evaluation: The scores.
        test: The samples they belong to.
        overlap: What of them is in training too.
        spread: How their outcomes are spread.
        rng: Source of the resamples.
        progress: Where it is shown how many of the intervals are there.
    """

    def __init__(
        self,
        config: LatentDynamicsConfig,
        evaluation: Evaluation,
        test: Samples,
        overlap: Overlap,
        spread: LatentSpread,
        rng: np.random.Generator,
        progress: Progress = SILENT,
    ) -> None:
        self._config = config
        self._evaluation = evaluation
        self._test = test
        self._overlap = overlap
        self._spread = spread
        self._rng = rng
        self._progress = progress

    def judge(self) -> Judgement:
        """Everything that the run says in figures."""
        models, pairs = len(self._evaluation.scores), len(COMPARISONS)
        if self._overlap.twin.any():
            pairs *= 2
        with self._progress.task("intervals", len(METRICS) * (models + pairs)) as task:
            return self._judged(task.advance)

    def _judged(self, advance: Callable[[], object]) -> Judgement:
        episode = self._test.episode
        deltas = gains(self._evaluation, episode, self._config, self._rng, advance=advance)
        said = warnings(
            self._overlap,
            self._spread,
            episodes=len(np.unique(episode)),
            seeds=len(self._config.seeds),
            unchanged=self._evaluation.unchanged,
        )
        without = self._without_twins(advance)
        if without is not None:
            said.append(without["summary"])
        return Judgement(
            metrics=estimate(self._evaluation, episode, self._config, self._rng, advance),
            deltas=deltas,
            verdict=self._decide(deltas, said),
            without_twins=without,
        )

    def _decide(self, deltas: Deltas, said: Sequence[str] = ()) -> Verdict:
        return decide(
            deltas["action_minus_no_action"],
            deltas["action_minus_shuffled"],
            rank_gain=self._config.rank_gain,
            recall_gain=self._config.recall_gain,
            collapsed=self._spread.is_collapsed,
            warnings=said,
        )

    def _without_twins(self, advance: Callable[[], object]) -> dict[str, Any] | None:
        alone = ~self._overlap.twin
        left, total = int(alone.sum()), len(alone)
        if left == total:
            return None
        summary = (
            f"{total - left} of {total} test samples have a twin in training, equal in both "
            "latents and the action"
        )
        episode = self._test.episode
        if left < MIN_TEST or len(np.unique(episode[alone])) < MIN_EPISODES:
            return {"n": left, "summary": f"{summary}; the {left} others are too few to judge by"}
        deltas = gains(self._evaluation, episode, self._config, self._rng, alone, advance)
        verdict = self._decide(deltas)
        return {
            "n": left,
            "summary": f"{summary}; by the {left} others alone, {verdict.label}: "
            f"{verdict.sentence}",
            "verdict": verdict.model_dump(),
            "deltas": {
                comparison: {metric: gain.model_dump() for metric, gain in by_metric.items()}
                for comparison, by_metric in deltas.items()
            },
        }
