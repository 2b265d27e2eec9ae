"""Goals to be reached in an environment: what its policy sees some transitions after a start."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from itertools import count as counting
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.progress import SILENT, Progress
from mezzanine_core.tasks import Actions, Item, Step, Task, TaskSet, check_act
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.environments import headless, make
from mezzanine_worlds_gymnasium.observations import Flattener
from mezzanine_worlds_gymnasium.rollout import Episode, RollTask, env_ref, roll
from mezzanine_worlds_gymnasium.simulation import Simulation

TOLERANCE = 0.1
"""How far a state may be from the goal to count as there, in standard deviations."""

REFERENCE = 32
"""Episodes whose observations say what a standard deviation is."""

_EPISODES_A_TASK = 20
"""Episodes that are looked at for each task wanted, beyond the reference, before it is given up."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Measure:
    """How far apart two observations are.

    The root mean square difference of their values, each divided by its standard deviation, over
    the values that vary.

    Attributes:
        std: Standard deviations, float64 [D]; those of 0 are not counted.
        flatten: Makes the values of an observation.
    """

    std: Floats
    flatten: Flattener

    def between(self, first: Any, second: Any) -> float:
        """The distance of two observations as the environment returns them, or as vectors [D]."""
        varies = self.std > 0
        apart = (self._vector(first) - self._vector(second))[varies] / self.std[varies]
        return float(np.sqrt(np.mean(apart**2))) if varies.any() else 0.0

    def _vector(self, observation: Any) -> Floats:
        is_flat = isinstance(observation, np.ndarray) and observation.shape == self.std.shape
        flat = observation if is_flat else self.flatten(observation)
        return np.asarray(flat, np.float64)


class EpisodeTask(Task):
    """To reach what an episode of the world's policy reached, from where that started.

    It is solved where the observation after one of the acts is within :data:`TOLERANCE` of the
    goal; where the episode was ended by the environment, because *its* goal was reached, that is
    the goal here too. Each start makes the environment afresh.

    Args:
        config: The world's settings.
        episode: The episode, played in vectors.
        number: Its number.
        steps: How many acts there are, H.
        measure: How far observations are apart.
        by_rule: Whether the environment's own rule of success decides.

    Raises:
        DataError: If the environment fails.
        ConfigError: If ``by_rule`` and the environment has no rule.
    """

    def __init__(
        self,
        config: GymnasiumConfig,
        episode: Episode,
        number: int,
        steps: int,
        measure: Measure,
        *,
        by_rule: bool,
    ) -> None:
        self.name = self.family = f"episode {number}"
        self.steps, self.by_rule = steps, by_rule
        self._config, self._episode, self._measure = config, episode, measure
        self._simulation: Simulation | None = None
        with self:
            seen = self.start()
            simulation = self._open()
            codec = simulation.codec
            self.bounds = simulation.bounds if codec.continuous else None
            self.idle = None if codec.idle is None else np.tile(codec.idle, config.delta_steps)
            self.oracle = _in_chunks(codec.features(episode.actions), config.delta_steps)
            for act in self.oracle:
                seen = simulation.step(act).item
            self.goal = seen

    @property
    def start_distance(self) -> float:
        """How far the start is from the goal."""
        return self._measure.between(self._episode.vectors[0], self._episode.vectors[-1])

    def start(self) -> Item:
        """See :meth:`~mezzanine_core.tasks.Task.start`."""
        self.close()
        self._simulation = Simulation(self._config)
        self._acts, self._solved, self._ended = 0, False, False
        return self._simulation.reset(self._episode.seed)

    def act(self, features: Actions) -> Step:
        """Play a chunk of Δ actions; see :meth:`~mezzanine_core.tasks.Task.act`."""
        simulation = self._open()
        act = check_act(features, len(simulation.bounds[0]), self.name)
        if self._is_over():
            raise DataError(f"{self.name} takes no act now; call start() first")
        step = simulation.step(act)
        self._acts += 1
        self._ended = step.terminated or step.truncated
        distance = self._measure.between(simulation.observation, self._episode.vectors[-1])
        self._solved = simulation.success() if self.by_rule else distance <= TOLERANCE
        return Step(step.item, self._is_over(), self._solved, distance)

    def propose(self, count: int, steps: int, rng: np.random.Generator) -> Actions:
        """Draw actions from the action space; see :meth:`~mezzanine_core.tasks.Task.propose`.

        Each is held for ``repeat_action`` steps, as in the episodes. No policy is asked: it would
        have to see what is not known yet.
        """
        codec, delta = self._open().codec, self._config.delta_steps
        length = steps * delta
        changes = (self._acts * delta + np.arange(length)) % self._config.repeat_action == 0
        changes[0] = True
        drawn = codec.features(codec.sample(count * int(changes.sum()), rng))
        held = drawn.reshape(count, -1, codec.size)[:, np.cumsum(changes) - 1]
        return held.reshape(count, steps, delta * codec.size)

    def close(self) -> None:
        """Let go of the environment."""
        if self._simulation is not None:
            self._simulation.close()
            self._simulation = None

    def _open(self) -> Simulation:
        if self._simulation is None:
            raise DataError(f"{self.name} is not started; call start() first")
        return self._simulation

    def _is_over(self) -> bool:
        return self._solved or self._ended or self._acts >= self.steps


def draw_tasks(
    config: GymnasiumConfig, count: int, steps: int, seed: int, progress: Progress = SILENT
) -> TaskSet:
    """Draw goals; see :meth:`~mezzanine_core.tasks.PlayableWorld.tasks`.

    Episodes have a stream of their own, apart from those of both splits. One is passed over, and
    counted in the report, if its start is within the tolerance of its goal, doing nothing solves
    it, it ends early without success, or playing it again does not solve it.

    Raises:
        ConfigError: If the acts take longer than ``max_steps``.
        DataError: If too few episodes make a task, or observations cannot be flattened.
    """
    length = steps * config.delta_steps
    if length > config.max_steps:
        raise ConfigError(
            f"{steps} acts of delta_steps={config.delta_steps} are {length} steps, more than the "
            f"max_steps={config.max_steps} of an episode",
            hint="Lower the number of acts or delta_steps, or raise max_steps.",
        )
    played = config.model_copy(update={"observations": "vector", "seed": seed, "max_steps": length})
    flatten = _flattener(config)
    episodes = (roll(RollTask(played, "task", number)) for number in counting())
    reference = list(islice(episodes, REFERENCE))
    seen = np.concatenate([episode.vectors for episode in reference]).astype(np.float64)
    measure = Measure(seen.std(axis=0), flatten)
    tasks: list[Task] = []
    passed: Counter[str] = Counter()
    with progress.task("find tasks", count) as shown:
        for number in range(REFERENCE + _EPISODES_A_TASK * count):
            if len(tasks) == count:
                break
            episode = reference[number] if number < REFERENCE else next(episodes)
            found = _task(config, episode, number, steps, measure)
            if isinstance(found, str):
                passed[found] += 1
            else:
                tasks.append(found)
                shown.advance()
    if len(tasks) < count:
        raise DataError(
            f"only {len(tasks)} of {REFERENCE + _EPISODES_A_TASK * count} episodes of "
            f"{config.env_id!r} make a task, of {count} that are asked for; passed over: "
            f"{dict(passed)}",
            hint="Ask for fewer tasks, or change how many acts each has.",
        )
    return TaskSet(
        tuple(tasks),
        {
            "solved": f"within {TOLERANCE:g} of the goal after an act, or the environment's own "
            "success where that ended the episode",
            "distance": "root mean square over the values that vary, in standard deviations",
            "std": measure.std.tolist(),
            "by_rule": sum(task.by_rule for task in tasks if isinstance(task, EpisodeTask)),
            "passed_over": dict(passed),
        },
    )


def _task(
    config: GymnasiumConfig, episode: Episode, number: int, steps: int, measure: Measure
) -> EpisodeTask | str:
    """The task that an episode makes, or why it makes none."""
    if not episode.terminated and len(episode) - 1 < steps * config.delta_steps:
        return "ended early"
    # Looked at in vectors, because whether it makes a task does not depend on the pictures.
    unseen = config.model_copy(update={"observations": "vector"})
    by_rule = episode.terminated
    task = EpisodeTask(unseen, episode, number, steps, measure, by_rule=by_rule)
    if not by_rule and task.start_distance <= TOLERANCE:
        return "goal at the start"
    try:
        repeats = _solves(task, task.oracle)
    except ConfigError:
        # The environment ends its episodes, but nobody says which ends are successes.
        return "ended early"
    if not repeats:
        return "ended early" if by_rule else "not repeated"
    if task.idle is not None and _solves(task, np.tile(task.idle, (steps, 1))):
        return "solved by doing nothing"
    if config.observations == "vector":
        return task
    shown = EpisodeTask(config, episode, number, steps, measure, by_rule=by_rule)
    return shown if _solves(shown, shown.oracle) else "not repeated"


def _solves(task: EpisodeTask, acts: Actions) -> bool:
    with task:
        task.start()
        for act in acts:
            step = task.act(act)
            if step.over:
                break
    return step.solved


def _in_chunks(features: Actions, delta: int) -> Actions:
    """Features of T actions as acts of Δ each; the last one is repeated to fill up its act.

    Only an episode that ended leaves an act to fill up, and what is done after that has no effect.
    """
    short = -len(features) % delta
    padded = np.concatenate([features, np.repeat(features[-1:], short, axis=0)])
    return padded.reshape(-1, delta * features.shape[1])


def _flattener(config: GymnasiumConfig) -> Flattener:
    with headless(), closing(make(env_ref(config))) as env:
        try:
            return Flattener(env.observation_space, config.env_id)
        except DataError as error:
            raise DataError(
                f"{error.message}, so it cannot be said how far a state is from a goal",
                hint="Tasks need an environment whose observations are numbers.",
            ) from error
