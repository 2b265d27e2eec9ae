"""What the predictions are worth: cosine and retrieval, for each model and every seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mezzanine_core.encoders import Latents
from mezzanine_core.ranks import retrieval_ranks
from mezzanine_core.results import Estimate
from mezzanine_core.stats import (
    Statistic,
    bootstrap_gain,
    bootstrap_mean,
    bootstrap_median,
)
from mezzanine_core.symmetries import Symmetry
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.predictors import MODELS, Predictors
from mezzanine_recipes_dynamics.samples import Mask, Samples

Floats = npt.NDArray[np.float64]

Scores = Mapping[str, Floats]
"""Score → its value for each seed, action shuffle and test sample, float64 [S, K, n]: S is 1
where no seed matters, K is 1 where nothing is shuffled."""

ACTION: Final = "action"
NO_ACTION: Final = "no_action"
SHUFFLED: Final = "shuffled"
PERSISTENCE: Final = "persistence"
"""The models compared; ``shuffled`` is the action model given other samples' actions."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of merit.

    Attributes:
        name: Its name in the results.
        score: The score of a sample that it summarises.
        statistic: How it summarises the samples of one seed.
        higher_is_better: Which way is up.
        smallest: The smallest value that it can have.
        largest: The largest value that it can have, if the metric itself sets it.
    """

    name: str
    score: str
    statistic: Statistic
    higher_is_better: bool
    smallest: float
    largest: float


METRICS = (
    Metric("cosine", "cosine", "mean", True, -1, 1),
    Metric("mean_rank", "rank", "mean", False, 1, math.inf),
    Metric("median_rank", "rank", "median", False, 1, math.inf),
    Metric("r@1", "r@1", "mean", True, 0, 1),
    Metric("r@10", "r@10", "mean", True, 0, 1),
    Metric("mrr", "mrr", "mean", True, 0, 1),
)
"""The figures of merit. Ranks start from 1 and are expectations over ties."""

COMPARISONS = {
    "action_minus_no_action": (ACTION, NO_ACTION),
    "action_minus_shuffled": (ACTION, SHUFFLED),
    "action_minus_persistence": (ACTION, PERSISTENCE),
}
"""Comparison → what is compared with what; a positive gain means that the first is better."""


def _nothing() -> None:
    """What is called where nobody counts."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of every model on the same test samples.

    Attributes:
        scores: Model → scores.
        unchanged: Share of the shuffled actions that equal the true one, over all shuffles.
    """

    scores: Mapping[str, Scores]
    unchanged: float


def evaluate(
    predictors: Predictors,
    test: Samples,
    shuffle: Symmetry[Any, Any, Any],
    shuffles: int,
    rngs: Sequence[np.random.Generator],
    advance: Callable[[], object] = _nothing,
) -> Evaluation:
    """Score both predictors, persistence, and the action predictor under shuffled actions.

    The true next latent of each sample is ranked among the next latents of all test samples by its
    cosine with the prediction.

    Args:
        predictors: Trained predictors.
        test: Test samples, n of them.
        shuffle: The symmetry ``action_shuffle``.
        shuffles: How many shuffles are averaged.
        rngs: Source of the shuffles of each seed.
        advance: Called after each of the :func:`rankings`.

    Raises:
        LatentError: If a prediction is not finite.
    """
    trained: dict[str, list[Scores]] = {model: [] for model in (*MODELS, SHUFFLED)}
    unchanged = []
    for seed, rng in zip(predictors.seeds, rngs, strict=True):
        for model in MODELS:
            predicted = predictors.predict(model, seed, test.latents, test.actions, test.state)
            trained[model].append(_together([score(predicted, test.next_latents)]))
            advance()
        repeats = []
        for _ in range(shuffles):
            actions = shuffle.act(shuffle.sample(test.actions, rng), test.actions, "action")
            unchanged.append((actions == test.actions).all(axis=1).mean())
            predicted = predictors.predict(ACTION, seed, test.latents, actions, test.state)
            repeats.append(score(predicted, test.next_latents))
            advance()
        trained[SHUFFLED].append(_together(repeats))
    scores = {model: _together(seeds) for model, seeds in trained.items()}
    scores[PERSISTENCE] = _together([_together([score(test.latents, test.next_latents)])])
    advance()
    return Evaluation(scores=scores, unchanged=float(np.mean(unchanged)))


def rankings(seeds: int, shuffles: int) -> int:
    """How often :func:`evaluate` ranks predictions of all test samples."""
    return seeds * (len(MODELS) + shuffles) + 1


def score(predicted: Latents, targets: Latents) -> dict[str, Floats]:
    """Scores of predictions whose true targets are the same rows of ``targets``.

    Args:
        predicted: float32 [n, D].
        targets: float32 [n, D]; the candidates of every prediction.

    Returns:
        ``cosine`` with the true target, its expected ``rank`` among all, the probabilities ``r@1``
        and ``r@10`` that it is the first or among the first ten, and its expected reciprocal rank
        ``mrr``, each float64 [n].
    """
    ranks = retrieval_ranks(predicted, targets, np.arange(len(targets)))
    return {
        "cosine": row_cosines(predicted, targets),
        "rank": ranks.expected(),
        "r@1": ranks.recall_at(1),
        "r@10": ranks.recall_at(10),
        "mrr": ranks.reciprocal(),
    }


def estimate(
    evaluation: Evaluation,
    episode: npt.NDArray[np.int64],
    config: LatentDynamicsConfig,
    rng: np.random.Generator,
    advance: Callable[[], object] = _nothing,
) -> dict[str, dict[str, Estimate]]:
    """Every metric of every model with its interval, resampled by episode and over seeds.

    Means are taken over the shuffles of each sample, medians over samples and shuffles together.
    What lies beyond the values that a metric can have is cut off its interval.

    Args:
        evaluation: The scores.
        episode: Trajectory of each test sample, int64 [n].
        config: Level and number of resamples.
        rng: Source of the resamples.
        advance: Called after each estimate.
    """

    def figure(metric: Metric, scores: Scores) -> Estimate:
        bootstrap = bootstrap_mean if metric.statistic == "mean" else bootstrap_median
        found = bootstrap(
            *_sampled(metric, [scores[metric.score]], episode),
            level=config.level,
            resamples=config.bootstrap,
            rng=rng,
        )
        low, high = np.clip([found.low, found.high], metric.smallest, metric.largest)
        advance()
        return found.model_copy(update={"low": float(low), "high": float(high)})

    return {
        model: {metric.name: figure(metric, scores) for metric in METRICS}
        for model, scores in evaluation.scores.items()
    }


def gains(
    evaluation: Evaluation,
    episode: npt.NDArray[np.int64],
    config: LatentDynamicsConfig,
    rng: np.random.Generator,
    only: Mask | None = None,
    advance: Callable[[], object] = _nothing,
) -> dict[str, dict[str, Estimate]]:
    """Paired gains of every comparison in every metric; positive where the first is better.

    Args:
        evaluation: The scores.
        episode: Trajectory of each test sample, int64 [n].
        config: Level and number of resamples.
        rng: Source of the resamples.
        only: Test samples to which the comparison is restricted, bool [n]; all by default. The
            candidates that they were ranked among stay the same.
        advance: Called after each gain.
    """
    rows = np.ones(len(episode), dtype=np.bool_) if only is None else only

    def gain(metric: Metric, pair: tuple[str, str]) -> Estimate:
        found = bootstrap_gain(
            *_sampled(
                metric,
                [evaluation.scores[model][metric.score][..., rows] for model in pair],
                episode[rows],
            ),
            higher_is_better=metric.higher_is_better,
            statistic=metric.statistic,
            level=config.level,
            resamples=config.bootstrap,
            rng=rng,
        )
        advance()
        return found

    return {
        name: {metric.name: gain(metric, pair) for metric in METRICS}
        for name, pair in COMPARISONS.items()
    }


def _together(parts: Sequence[Scores]) -> dict[str, Floats]:
    """Scores of equal shape along a new first axis."""
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def _sampled(
    metric: Metric, scores: Sequence[Floats], episode: npt.NDArray[np.int64]
) -> list[npt.NDArray[Any]]:
    """Scores [S, K, n] of one or two models as samples [S, N], and the episode of each sample.

    For a mean, the shuffles of a sample are averaged, N = n. For a median, which averaging would
    distort, each stands for itself, N = K·n, as often in one model as in the other.
    """
    if metric.statistic == "mean":
        return [*(one.mean(axis=1) for one in scores), episode]
    repeats = max(one.shape[1] for one in scores)
    pooled = (one.repeat(repeats // one.shape[1], axis=1) for one in scores)
    return [*(one.reshape(len(one), -1) for one in pooled), np.tile(episode, repeats)]


def row_cosines(first: Latents, second: Latents) -> Floats:
    """Cosine of each pair of rows, float64 [n]; 0 where either has no length."""
    dot = np.einsum("ij,ij->i", first, second, dtype=np.float64)
    squares = [np.einsum("ij,ij->i", one, one, dtype=np.float64) for one in (first, second)]
    lengths = np.sqrt(squares[0] * squares[1])
    cosines: Floats = np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)
    return cosines
