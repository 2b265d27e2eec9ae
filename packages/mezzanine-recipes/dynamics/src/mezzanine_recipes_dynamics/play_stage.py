"""Playing plans in the world's simulator: which tasks, who plays, and what they solve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mezzanine_core.context import RunContext
from mezzanine_core.encoders import Latents
from mezzanine_core.errors import ConfigError
from mezzanine_core.results import Estimate
from mezzanine_core.stats import bootstrap_gain, bootstrap_mean, wilson_interval
from mezzanine_core.tasks import PLAYABLE, Item, PlayableWorld, TaskSet
from mezzanine_core.worlds import ArrayColumn
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.inputs import Inputs
from mezzanine_recipes_dynamics.planning import CEMSettings, LatentCost, Prior, ResidualMLP
from mezzanine_recipes_dynamics.players import (
    IdlePlayer,
    OraclePlayer,
    Played,
    Player,
    RandomPlayer,
    SearchPlayer,
    ShootingPlayer,
    play,
)
from mezzanine_recipes_dynamics.predictors import MODELS, Model, Predictors
from mezzanine_recipes_dynamics.randomness import RunStreams
from mezzanine_recipes_dynamics.samples import Samples

Figures = dict[str, dict[str, Estimate]]
Floats = npt.NDArray[np.float64]

ACTION: Final = "action"
NO_ACTION: Final = "no_action"
RANDOM: Final = "random"
IDLE: Final = "idle"
ORACLE: Final = "oracle"
"""The players compared; the first three play anew for every seed of the run."""

_COMPARISONS = ((ACTION, NO_ACTION), (ACTION, RANDOM), (ACTION, IDLE))


@dataclass(frozen=True, eq=False)
class Playing:
    """What the players did.

    Attributes:
        tasks: The tasks; none where nothing was to be played.
        played: Player → what it did in each seed; a single entry where no seed matters.
        metrics: ``mpc_<player>`` → metric → estimate.
        deltas: ``mpc_<player>_minus_<player>`` → metric → paired gain.
        report: How it was done, as JSON values.
    """

    tasks: TaskSet | None
    played: Mapping[str, Sequence[Played]]
    metrics: Figures
    deltas: Figures
    report: Mapping[str, Any]


class PlayStage:
    """Has the trained predictors plan in the world's simulator, where the settings ask for it.

    Args:
        config: The recipe's settings.
        streams: The randomness of the run.
        inputs: The world's splits.
        ctx: The run.
    """

    def __init__(
        self, config: LatentDynamicsConfig, streams: RunStreams, inputs: Inputs, ctx: RunContext
    ) -> None:
        self._config, self._inputs, self._ctx = config, inputs, ctx
        self._streams = streams
        self._tasks: TaskSet | None = None

    def check(self) -> None:
        """Draw the tasks; refuse worlds that cannot be acted in.

        Raises:
            ConfigError: If the world gives no tasks, its models need a state that tasks do not
                tell, or its episodes are too short.
            DataError: If too few tasks can be drawn.
        """
        config = self._config
        if not config.do_mpc:
            return
        world = self._inputs.world
        if not isinstance(world, PlayableWorld):
            raise self._unplayable("its data are given, and there is no simulator to play plans in")
        if self._inputs.train.state is not None:
            raise self._unplayable("its models take a state, which tasks do not tell")
        seed = int(self._streams.playing.integers(2**31))
        self._tasks = world.tasks(config.mpc_tasks, config.mpc_steps, seed)

    def run(self, predictors: Predictors, train: Samples) -> Playing:
        """Let every player play the tasks, as the settings say.

        Raises:
            LatentError: If the energy of a plan is not finite.
        """
        if self._tasks is None:
            return Playing(None, {}, {}, {}, {})
        drawn, encode = self._tasks, self._encode
        tasks = drawn.tasks
        goals = encode([task.goal for task in tasks])
        players = self._players(drawn, predictors, train)
        rounds = sum(map(len, players.values()))
        played: dict[str, list[Played]] = {name: [] for name in players}
        label = f"play {len(tasks)} tasks, {len(players)} players"
        with self._ctx.progress.task(label, total=rounds) as progress:
            for name, seeds in players.items():
                for player in seeds:
                    rngs = self._streams.playing.spawn(len(tasks))
                    looks = encode if name in MODELS else partial(_blind, goals)
                    played[name].append(play(tasks, player, goals, looks, rngs))
                    progress.advance()
        starts = encode([task.start() for task in tasks])
        for task in tasks:
            task.close()
        return Playing(
            drawn,
            played,
            self._estimates(drawn, played),
            self._gains(drawn, played),
            self._report(drawn, played, {"goals": goals, "starts": starts}, train),
        )

    def _players(
        self, drawn: TaskSet, predictors: Predictors, train: Samples
    ) -> dict[str, list[Player]]:
        """Player → one for each seed, or only one where no seed matters."""
        seeds = predictors.seeds
        players: dict[str, list[Player]] = {
            ACTION: [self._planner(drawn, predictors, seed, train) for seed in seeds],
            # No search tells apart what a model without the action cannot: all proposals tie.
            NO_ACTION: [self._shooter(predictors, NO_ACTION, seed) for seed in seeds],
            RANDOM: [RandomPlayer() for _ in seeds],
        }
        if all(task.idle is not None for task in drawn.tasks):
            players[IDLE] = [IdlePlayer()]
        players[ORACLE] = [OraclePlayer()]
        return players

    def _planner(self, drawn: TaskSet, predictors: Predictors, seed: int, train: Samples) -> Player:
        config = self._config
        if not _searches(drawn):
            return self._shooter(predictors, ACTION, seed)
        settings = CEMSettings(
            num_samples=config.mpc_candidates,
            topk=min(config.cem_elite, config.mpc_candidates),
            n_steps=config.cem_iters,
        )
        prior = Prior.of(train.actions, config.cem_sigma)
        return SearchPlayer(self._cost(predictors, ACTION, seed), prior, settings)

    def _shooter(self, predictors: Predictors, model: Model, seed: int) -> Player:
        return ShootingPlayer(self._cost(predictors, model, seed), self._config.mpc_candidates)

    def _cost(self, predictors: Predictors, model: Model, seed: int) -> LatentCost:
        # Where predictions are chained their lengths must be those of latents; see ResidualMLP.
        chained = self._config.mpc_steps > 1
        return LatentCost(ResidualMLP.of(predictors, model, seed, keep_length=chained).cpu())

    def _encode(self, items: Sequence[Item]) -> Latents:
        column = ArrayColumn(np.stack(items), self._inputs.test.obs.kind)
        return self._ctx.latents(column, self._inputs.encoder, "play")

    def _estimates(self, drawn: TaskSet, played: Mapping[str, Sequence[Played]]) -> Figures:
        families = _families(drawn)
        figures: Figures = {}
        for name, seeds in played.items():
            success, distance = _scores(seeds)
            figures[f"mpc_{name}"] = {"success": self._rate(success, families)}
            if not np.isnan(distance).any():
                found = bootstrap_mean(distance, families, **self._resampling())
                low = max(0.0, found.low)
                figures[f"mpc_{name}"]["distance"] = found.model_copy(update={"low": low})
        return figures

    def _rate(self, success: Floats, families: npt.NDArray[np.int64]) -> Estimate:
        """A success rate [S, n] with Wilson's interval.

        Families are the trials, not tasks and not seeds: tasks of a family share their start, and
        the seeds play the same tasks.
        """
        rate, trials = float(success.mean()), len(np.unique(families))
        found = wilson_interval(rate * trials, trials, level=self._config.level)
        per_seed = tuple(success.mean(axis=1).tolist())
        return found.model_copy(update={"value": rate, "per_seed": per_seed})

    def _gains(self, drawn: TaskSet, played: Mapping[str, Sequence[Played]]) -> Figures:
        families = _families(drawn)
        scores = {name: _scores(seeds) for name, seeds in played.items()}
        gains: Figures = {}
        for first, second in _COMPARISONS:
            if second not in scores:
                continue
            (success, distance), (other, other_distance) = scores[first], scores[second]
            gain = bootstrap_gain(success, other, families, **self._resampling())
            low, high = np.clip([gain.low, gain.high], -1.0, 1.0).tolist()
            found = {"success": gain.model_copy(update={"low": low, "high": high})}
            if not np.isnan(distance).any():
                found["distance"] = bootstrap_gain(
                    distance,
                    other_distance,
                    families,
                    higher_is_better=False,
                    **self._resampling(),
                )
            gains[f"mpc_{first}_minus_{second}"] = found
        return gains

    def _resampling(self) -> dict[str, Any]:
        config = self._config
        return {
            "level": config.level,
            "resamples": config.bootstrap,
            "rng": self._streams.bootstrap,
        }

    def _report(
        self,
        drawn: TaskSet,
        played: Mapping[str, Sequence[Played]],
        looked: Mapping[str, Latents],
        train: Samples,
    ) -> dict[str, Any]:
        config = self._config
        wanted = {row.tobytes() for latents in looked.values() for row in latents}
        trained = (row.tobytes() for part in (train.latents, train.next_latents) for row in part)
        known = wanted.intersection(trained)
        return {
            "n": len(drawn),
            "families": len(np.unique(_families(drawn))),
            "steps": config.mpc_steps,
            "planner": "cem" if _searches(drawn) else "random shooting",
            "candidates": config.mpc_candidates,
            # Equal latents are equal observations, or such as the encoder does not tell apart.
            "seen_in_training": {
                name: sum(row.tobytes() in known for row in latents)
                for name, latents in looked.items()
            },
            "solved": {
                name: {
                    task.name: [bool(one.solved[place]) for one in seeds]
                    for place, task in enumerate(drawn.tasks)
                }
                for name, seeds in played.items()
            },
            "world": dict(drawn.report),
        }

    def _unplayable(self, why: str) -> ConfigError:
        able = sorted(
            component.spec.name
            for component in self._ctx.registry.components("world")
            if PLAYABLE in component.spec.tags
        )
        which = (
            f"Installed worlds that can: {', '.join(able)}."
            if able
            else "No installed world can; mezzanine-worlds-iphyre and mezzanine-worlds-gymnasium "
            "bring some that can."
        )
        return ConfigError(
            f"do_mpc: the world {self._config.world.name!r} cannot be acted in: {why}",
            hint=f"{which} Without do_mpc the rest of the run works as it is.",
        )


def _searches(drawn: TaskSet) -> bool:
    """Whether acts can be searched for, rather than chosen among proposals."""
    return all(task.bounds is not None for task in drawn.tasks)


def _families(drawn: TaskSet) -> npt.NDArray[np.int64]:
    """What resampling takes together: tasks of one family, unless all are of one."""
    names = [task.family for task in drawn.tasks]
    if len(set(names)) == 1:
        return np.arange(len(names))
    families: npt.NDArray[np.int64] = np.unique(names, return_inverse=True)[1].reshape(-1)
    return families


def _blind(goals: Latents, items: Sequence[Item]) -> Latents:
    """Stands for the latents of items where the player does not look at them."""
    return np.zeros((len(items), goals.shape[1]), np.float32)


def _scores(seeds: Sequence[Played]) -> tuple[Floats, Floats]:
    """Success (0 or 1) and distance, float64 [S, n] each."""
    return (
        np.stack([one.solved for one in seeds]).astype(np.float64),
        np.stack([one.distance for one in seeds]),
    )
