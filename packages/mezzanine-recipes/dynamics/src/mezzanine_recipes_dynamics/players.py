"""Who plays tasks, and the playing itself: look, choose, act, look again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from mezzanine_core.encoders import Latents
from mezzanine_core.tasks import Actions, Item, Task
from mezzanine_recipes_dynamics.planning import (
    CEM,
    Box,
    CEMSettings,
    LatentCost,
    Prior,
    candidate_costs,
)
from mezzanine_recipes_dynamics.planning.retrieval import TIE_TOLERANCE

Encode = Callable[[Sequence[Item]], Latents]
"""Latents, float32 [n, D], of n items."""

Rngs = Sequence[np.random.Generator]
"""A generator for each task, so that a task's plan does not depend on the others."""


@dataclass(frozen=True, eq=False)
class Situation:
    """What a player chooses from: n tasks that are under way.

    Attributes:
        tasks: The tasks.
        latents: Latents of what is observed, float32 [n, D].
        goals: Latents of their goals, float32 [n, D].
        done: Acts so far.
        left: Acts left, at least 1.
        rngs: Source of what is random, for each task.
    """

    tasks: Sequence[Task]
    latents: Latents
    goals: Latents
    done: int
    left: int
    rngs: Rngs


class Player(Protocol):
    """Chooses acts."""

    def choose(self, situation: Situation) -> Actions:
        """The next act of each task, float32 [n, A]."""
        ...


class OraclePlayer:
    """Plays the sequences that are known to solve the tasks."""

    def choose(self, situation: Situation) -> Actions:
        """See :meth:`Player.choose`; after the end of a sequence its last act is repeated."""
        done = situation.done
        return np.stack([task.oracle[min(done, len(task.oracle) - 1)] for task in situation.tasks])


class IdlePlayer:
    """Does nothing, in tasks that have an act for that."""

    def choose(self, situation: Situation) -> Actions:
        """See :meth:`Player.choose`."""
        return np.stack([task.idle for task in situation.tasks if task.idle is not None])


class RandomPlayer:
    """Plays what the world would do, whatever the goal."""

    def choose(self, situation: Situation) -> Actions:
        """See :meth:`Player.choose`: the first act of a proposal for all acts that are left."""
        pairs = zip(situation.tasks, situation.rngs, strict=True)
        return np.stack([task.propose(1, situation.left, rng)[0, 0] for task, rng in pairs])


class ShootingPlayer:
    """Random shooting: the first act of the best of many proposals, by where a model says they end.

    Proposals that tie for the best are drawn among at random. So a model that ignores the action,
    to which all are alike, plays as :class:`RandomPlayer` does.

    Args:
        cost: What the model says of proposals.
        candidates: How many proposals.
    """

    def __init__(self, cost: LatentCost, candidates: int) -> None:
        self._cost = cost
        self._candidates = candidates

    def choose(self, situation: Situation) -> Actions:
        """See :meth:`Player.choose`."""
        proposed = np.stack(
            [
                task.propose(self._candidates, situation.left, rng)
                for task, rng in zip(situation.tasks, situation.rngs, strict=True)
            ]
        )
        costs = candidate_costs(self._cost, _info(situation), torch.from_numpy(proposed))
        chosen = [
            pick_lowest(row, rng)
            for row, rng in zip(costs.cpu().numpy(), situation.rngs, strict=True)
        ]
        first: Actions = proposed[np.arange(len(chosen)), chosen, 0]
        return first


class SearchPlayer:
    """Model-predictive control by the cross-entropy method, for continuous actions.

    Args:
        cost: What the model says of action sequences.
        prior: Where actions are looked for at first.
        settings: Candidates, elites and iterations.
    """

    def __init__(self, cost: LatentCost, prior: Prior, settings: CEMSettings) -> None:
        self._cost, self._prior, self._settings = cost, prior, settings

    def choose(self, situation: Situation) -> Actions:
        """See :meth:`Player.choose`; plans lie within the bounds of the tasks."""
        bounds = [task.bounds for task in situation.tasks if task.bounds is not None]
        low, high = bounds[0]
        planner = CEM(
            self._cost,
            horizon=situation.left,
            prior=self._prior,
            bounds=Box(low, high),
            settings=self._settings,
        )
        seeds = [int(rng.integers(2**63)) for rng in situation.rngs]
        first: Actions = planner.solve(_info(situation), seeds=seeds).actions[:, 0].cpu().numpy()
        return first


def pick_lowest(costs: npt.NDArray[np.float32], rng: np.random.Generator) -> int:
    """The place of the lowest cost; of one of those that tie with it, at random.

    Costs tie that are beyond the lowest by no more than
    :data:`~mezzanine_recipes_dynamics.planning.retrieval.TIE_TOLERANCE` of it.
    """
    lowest = float(costs.min())
    return int(rng.choice(np.flatnonzero(costs <= lowest + TIE_TOLERANCE * abs(lowest))))


@dataclass(frozen=True, eq=False)
class Played:
    """How a player fared at n tasks.

    Attributes:
        solved: Whether each was solved, bool [n].
        acts: How many acts each took, int64 [n].
        distance: The least distance from the goal after any act, float64 [n]; NaN where the task
            does not measure it.
        last: What was observed last.
    """

    solved: npt.NDArray[np.bool_]
    acts: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float64]
    last: list[Item]


def play(
    tasks: Sequence[Task], player: Player, goals: Latents, encode: Encode, rngs: Rngs
) -> Played:
    """Let a player play tasks side by side, until each is over.

    Args:
        tasks: The tasks, n of them, with the same number of acts.
        player: Who plays.
        goals: Latents of the goals, float32 [n, D].
        encode: Encodes what is observed, once before each round of acts.
        rngs: A generator for each task.
    """
    seen = [task.start() for task in tasks]
    found = Played(
        solved=np.zeros(len(tasks), np.bool_),
        acts=np.zeros(len(tasks), np.int64),
        distance=np.full(len(tasks), np.nan),
        last=seen,
    )
    try:
        active = list(range(len(tasks)))
        for done in range(tasks[0].steps):
            situation = Situation(
                tasks=[tasks[place] for place in active],
                latents=encode([seen[place] for place in active]),
                goals=goals[active],
                done=done,
                left=tasks[0].steps - done,
                rngs=[rngs[place] for place in active],
            )
            acts = player.choose(situation)
            active = [
                place
                for place, act in zip(active, acts, strict=True)
                if not _act(tasks[place], act, found, place)
            ]
            if not active:
                break
    finally:
        for task in tasks:
            task.close()
    return found


def _act(task: Task, act: Actions, found: Played, place: int) -> bool:
    """Play one act and note what came of it; whether the task is over."""
    step = task.act(act)
    found.last[place] = step.item
    found.acts[place] += 1
    found.solved[place] = step.solved
    if step.distance is not None:
        found.distance[place] = np.fmin(found.distance[place], step.distance)
    return step.over


def _info(situation: Situation) -> dict[str, torch.Tensor]:
    return {
        "latent": torch.from_numpy(situation.latents),
        "goal": torch.from_numpy(situation.goals),
    }
