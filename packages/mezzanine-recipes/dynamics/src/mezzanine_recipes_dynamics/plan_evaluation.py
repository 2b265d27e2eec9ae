"""What planning with the trained action predictors is worth: retrieval, and planned actions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mezzanine_core.ranks import Ranks
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.plan_goals import Goals, Questions, draw_rows
from mezzanine_recipes_dynamics.planning import (
    CEM,
    MPPI,
    Bounds,
    Box,
    CEMSettings,
    GradientDescent,
    GradientSettings,
    L1Ball,
    LatentCost,
    MPPISettings,
    Planner,
    Prior,
    ResidualMLP,
    candidate_costs,
    expand_info,
    rank_true,
)
from mezzanine_recipes_dynamics.predictors import Predictors
from mezzanine_recipes_dynamics.samples import Samples

_log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]

RANDOM_ACTIONS = 16
"""Random action sequences of a goal whose energies are averaged."""

_GOALS_AT_ONCE = 128
_BYTES = 2**28


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of several ways to choose actions, on the same test samples.

    Attributes:
        scores: Way → score → its value for each seed and sample, float64 [S, n]; S is 1 where no
            seed matters.
        episode: Trajectory of each sample, int64 [n].
        report: What else is to be said, as JSON values.
    """

    scores: Mapping[str, Mapping[str, Floats]]
    episode: npt.NDArray[np.int64]
    report: Mapping[str, Any]


def retrieve(
    predictors: Predictors,
    train: Samples,
    test: Samples,
    questions: Questions,
) -> Scores:
    """Rank the true action of test transitions among others by where the model says they lead.

    The ways to rank: ``action``, the energy between the action model's prediction and the true
    latent; and, as floors, ``random`` order; ``mean_action``, the distance to the mean training
    action, which knows neither where one is nor where one goes; and ``nearest``, the distance to
    the action of the training transition with the most similar change, which knows both but
    has no model. A model that ignores the action ties all candidates and ranks as ``random`` does.

    Args:
        predictors: Trained predictors.
        train: Training samples, for the floors.
        test: Test samples.
        questions: Which of these to ask about.

    Raises:
        LatentError: If a prediction is not finite.
    """
    candidates = test.actions[questions.candidates]
    goals = Goals.along(test, questions.queries[:, None])
    found = {
        "action": [
            candidate_costs(
                LatentCost(ResidualMLP.of(predictors, "action", seed)),
                _info(goals, predictors),
                _tensor(candidates[:, :, None], predictors),
            )
            .cpu()
            .numpy()
            for seed in predictors.seeds
        ],
        "random": [np.zeros(questions.candidates.shape)],
        "mean_action": [_far_from(candidates, train.actions.mean(axis=0), train.actions)],
        "nearest": [_far_from(candidates, nearest_actions(train, goals)[:, None], train.actions)],
    }
    return Scores(
        scores={
            way: _together([_rank_scores(rank_true(costs)) for costs in seeds])
            for way, seeds in found.items()
        },
        episode=goals.episode,
        report={
            "n": len(goals),
            "candidates": candidates.shape[1],
            "negatives": questions.negatives,
        },
    )


def nearest_actions(train: Samples, goals: Goals) -> npt.NDArray[np.float32]:
    """The action of the training transition nearest to each goal, float32 [n, A].

    Nearest by the squared distance of start and end together, [z, z_goal − z], each part divided
    by its root mean square in training.
    """
    change = train.next_latents - train.latents
    scales = [np.sqrt(np.mean(part**2)) or 1.0 for part in (train.latents, change)]
    known = np.concatenate([train.latents / scales[0], change / scales[1]], axis=1)
    asked = np.concatenate(
        [goals.latents / scales[0], (goals.goals - goals.latents) / scales[1]], axis=1
    )
    found: npt.NDArray[np.float32] = train.actions[_nearest(known, asked)]
    return found


def round_actions(
    actions: npt.NDArray[np.float32], possible: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Each of actions [..., A] moved to the nearest of those that are possible, [m, A]."""
    kinds = np.unique(possible, axis=0)
    rows = _nearest(kinds, actions.reshape(-1, actions.shape[-1]))
    found: npt.NDArray[np.float32] = kinds[rows].reshape(actions.shape)
    return found


def _nearest(
    known: npt.NDArray[np.float32], asked: npt.NDArray[np.float32]
) -> npt.NDArray[np.int64]:
    """The row of known [m, F] that is nearest to each of asked [n, F], int64 [n]."""
    lengths = np.einsum("ij,ij->i", known, known)
    block = max(1, _BYTES // (4 * len(known)))
    nearest = [
        np.argmin(lengths - 2 * (asked[start : start + block] @ known.T), axis=1)
        for start in range(0, len(asked), block)
    ]
    return np.concatenate(nearest)


def plan(
    predictors: Predictors,
    train: Samples,
    goals: Goals,
    config: LatentDynamicsConfig,
    rng: np.random.Generator,
    advance: Callable[[int], None],
) -> Scores:
    """Plan for goals with the action model of every seed, and compare with what was done.

    The ways to choose actions: ``planned``; ``true``, what was done; ``random``, actions of the
    training split; and ``stay``, the energy between start and goal without any model. Where all
    training actions are of zeros and ones, as one-hot ones are, planners search what lies between
    them, which cannot be done; so there is ``rounded`` too: each planned action moved to the
    nearest one of the training split. Their scores: ``energy``, between where the model says that
    they lead and the goal; and ``action_distance``, to the true actions, root mean square in
    standard deviations of the training actions.

    Args:
        predictors: Trained predictors.
        train: Training samples; their actions say where to look and what is allowed.
        goals: What to plan for, n goals.
        config: The planner and its settings.
        rng: Source of the seeds and of the random actions.
        advance: Called with the number of goals that were planned for.

    Raises:
        LatentError: If the energy of a plan is not finite.
    """
    seeds = rng.integers(2**63, size=(len(predictors.seeds), len(goals)))
    drawn = rng.integers(len(train), size=(len(goals), RANDOM_ACTIONS, config.plan_horizon))
    prior, bounds = Prior.of(train.actions, config.cem_sigma), _bounds(train, config)
    others = _tensor(train.actions[drawn], predictors)
    info, true = _info(goals, predictors), _tensor(goals.actions, predictors)
    unit = _tensor(_spread(train.actions), predictors)
    relaxed = bool(np.isin(train.actions, (0, 1)).all())
    if relaxed:
        _log.warning(
            "all training actions are of zeros and ones; plans are mixtures of such actions, which "
            "cannot be done. plan_rounded is of the nearest actions of the training split"
        )
    found, calls = [], []
    for repetition, seed in enumerate(predictors.seeds):
        cost = _cost(predictors, seed, config)
        planner = _planner(cost, prior, bounds, config)
        actions, energy = [], []
        for start in range(0, len(goals), _GOALS_AT_ONCE):
            part = slice(start, start + _GOALS_AT_ONCE)
            one = planner.solve(
                {name: value[part] for name, value in info.items()},
                seeds=seeds[repetition, part].tolist(),
            )
            actions.append(one.actions)
            energy.append(one.costs)
            calls.append(one.calls)
            advance(len(one.costs))
        planned = torch.cat(actions)
        found.append(
            {
                "planned": {
                    "energy": torch.cat(energy),
                    "action_distance": _distance(planned, true, unit),
                },
                "true": {"energy": _energies(cost, info, true[:, None])},
                "random": {
                    "energy": _energies(cost, info, others),
                    "action_distance": _distance(others, true[:, None], unit).mean(dim=1),
                },
            }
        )
        if relaxed:
            rounded = _tensor(round_actions(planned.cpu().numpy(), train.actions), predictors)
            found[-1]["rounded"] = {
                "energy": _energies(cost, info, rounded[:, None]),
                "action_distance": _distance(rounded, true, unit),
            }
    still = LatentCost(lambda latents, _actions, *_context: latents)
    scores = {way: _together([_numpy(one[way]) for one in found]) for way in found[0]}
    scores["stay"] = _together([_numpy({"energy": _energies(still, info, true[:, None, :1])})])
    return Scores(
        scores=scores,
        episode=goals.episode,
        report={
            "n": len(goals),
            "planner": config.planner,
            "horizon": config.plan_horizon,
            "relaxed": relaxed,
            "calls_per_goal": float(torch.cat(calls).double().mean()),
            "radius": bounds.radius if isinstance(bounds, L1Ball) else None,
        },
    )


def choose_goals(
    test: Samples, rows: npt.NDArray[np.int64], count: int, rng: np.random.Generator
) -> Goals:
    """Some of the chains of test samples, int64 [m, H], drawn at random: at most ``count``.

    They are of at least two episodes, as the chains must be; see :func:`~.plan_goals.draw_rows`.
    """
    return Goals.along(test, rows[draw_rows(test.episode[rows[:, 0]], count, rng)])


def _bounds(train: Samples, config: LatentDynamicsConfig) -> Bounds | None:
    if config.plan_bounds == "box":
        return Box.of(train.actions)
    if config.plan_bounds == "none":
        return None
    if config.cem_l1_bound is not None:
        return L1Ball(config.cem_l1_bound)
    return L1Ball.of(train.actions, config.cem_l1_quantile)


def _cost(predictors: Predictors, seed: int, config: LatentDynamicsConfig) -> LatentCost:
    # Where predictions are chained their lengths must be those of latents; see ResidualMLP.
    model = ResidualMLP.of(predictors, "action", seed, keep_length=config.plan_horizon > 1)
    fast = model.in_bfloat16() if config.plan_dtype == "bfloat16" else None
    return LatentCost(model, search_model=fast)


def _planner(
    cost: LatentCost, prior: Prior, bounds: Bounds | None, config: LatentDynamicsConfig
) -> Planner:
    samples, steps, horizon = config.cem_samples, config.cem_iters, config.plan_horizon
    if config.planner == "mppi":
        mppi = MPPISettings(num_samples=samples, n_steps=steps)
        return MPPI(cost, horizon=horizon, prior=prior, bounds=bounds, settings=mppi)
    if config.planner == "gradient":
        descent = GradientSettings(
            num_samples=config.gradient_starts, n_steps=config.gradient_steps
        )
        return GradientDescent(cost, horizon=horizon, prior=prior, bounds=bounds, settings=descent)
    cem = CEMSettings(num_samples=samples, n_steps=steps, topk=config.cem_elite)
    return CEM(cost, horizon=horizon, prior=prior, bounds=bounds, settings=cem)


@torch.no_grad()
def _energies(cost: LatentCost, info: Mapping[str, torch.Tensor], actions: Any) -> torch.Tensor:
    """Mean energy of K action sequences [n, K, H, A] of each goal, [n]."""
    return cost.get_exact_cost(expand_info(info, actions.shape[1]), actions).mean(dim=1)


def _distance(first: torch.Tensor, second: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
    """Root mean square difference of sequences [..., H, A] in units [A], over what varies."""
    varies = unit > 0
    apart = ((first - second)[..., varies] / unit[varies]).square()
    return apart.mean(dim=(-2, -1)).sqrt()


def _far_from(
    candidates: npt.NDArray[np.float32],
    centre: npt.NDArray[np.float32],
    actions: npt.NDArray[np.float32],
) -> Floats:
    """Squared distance of candidates [q, C, A] to one action or one a query, float64 [q, C]."""
    unit = _spread(actions).astype(np.float64)
    varies = unit > 0
    apart = (candidates - centre)[..., varies] / unit[varies]
    far: Floats = (apart**2).sum(axis=-1)
    return far


def _spread(actions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Standard deviation of each action feature, exactly 0 where it never differs."""
    return Prior.of(actions).std.numpy()


def _rank_scores(ranks: Ranks) -> dict[str, Floats]:
    return {"rank": ranks.expected(), "r@1": ranks.recall_at(1), "mrr": ranks.reciprocal()}


def _info(goals: Goals, predictors: Predictors) -> dict[str, torch.Tensor]:
    known = {"latent": goals.latents, "goal": goals.goals}
    if goals.state is not None:
        known["context"] = goals.state
    return {name: _tensor(value, predictors) for name, value in known.items()}


def _tensor(array: npt.NDArray[np.float32], predictors: Predictors) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(predictors.latent_mean.device)


def _numpy(scores: Mapping[str, torch.Tensor]) -> dict[str, Floats]:
    return {name: value.double().cpu().numpy() for name, value in scores.items()}


def _together(seeds: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    return {name: np.stack([one[name] for one in seeds]) for name in seeds[0]}
