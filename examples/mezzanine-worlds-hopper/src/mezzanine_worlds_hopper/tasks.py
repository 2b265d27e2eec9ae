"""Heights and speeds to be reached: tasks in which plans are played."""

import numpy as np
from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.tasks import Actions, Item, Step, Task, TaskSet, check_act

from mezzanine_worlds_hopper.config import HopperConfig
from mezzanine_worlds_hopper.drawing import draw
from mezzanine_worlds_hopper.episodes import COMMANDS, Episode, obey, play
from mezzanine_worlds_hopper.physics import Floats

_TOLERANCE = np.array([0.05, 0.15])
"""How far from the goal counts as there: in m and in m/s."""

_EPISODES_A_TASK = 50
"""Episodes that are looked at for each task wanted, before it is given up."""


class ApexTask(Task):
    """To be as high and as fast at the top of a flight as another robot was.

    An act is Δ hops. The distance from the goal is the larger of the differences in height and in
    speed, each in tolerances: it is reached where that is at most 1. A robot that falls is out.

    Args:
        config: The world's settings.
        episode: The other robot, ``steps`` · Δ hops long.
        number: Its number.
        steps: How many acts there are, H.
    """

    def __init__(self, config: HopperConfig, episode: Episode, number: int, steps: int) -> None:
        size = self._size = config.delta_hops * len(COMMANDS)
        self.name = self.family = f"episode {number}"
        self.steps = steps
        self.bounds = np.full(size, -1, np.float32), np.full(size, 1, np.float32)
        self.idle: Actions = np.zeros(size, np.float32)
        self.oracle = episode.commands.reshape(steps, size)
        self._config, self._first, self._last = config, episode.apexes[0], episode.apexes[-1]
        self.goal = self._item(self._last)
        self._apex: Floats | None = None

    def start(self) -> Item:
        """See :meth:`Task.start`."""
        self._apex, self._acts, self._over, self._solved = self._first, 0, False, False
        return self._item(self._first)

    def act(self, features: Actions) -> Step:
        """Make Δ hops; see :meth:`Task.act`."""
        act = check_act(features, self._size, self.name)
        if self._apex is None or self._over:
            raise DataError(f"{self.name} takes no act now; call start() first")
        self._acts += 1
        stands = True
        for commands in act.reshape(-1, 1, len(COMMANDS)):
            hops = obey(self._apex[None], commands, self._config)
            stands = bool(hops.stood[0])
            if not stands:
                break
            self._apex = hops.apex[0]
        distance = self._distance(self._apex)
        self._solved = stands and distance <= 1
        self._over = self._solved or not stands or self._acts >= self.steps
        return Step(self._item(self._apex), self._over, self._solved, distance)

    def propose(self, count: int, steps: int, rng: np.random.Generator) -> Actions:
        """Draw commands as the world does; see :meth:`Task.propose`."""
        return rng.uniform(-1, 1, (count, steps, self._size)).astype(np.float32)

    def close(self) -> None:
        """Forget the robot."""
        self._apex = None

    @property
    def start_distance(self) -> float:
        """How far the start is from the goal, in tolerances."""
        return self._distance(self._first)

    def _distance(self, apex: Floats) -> float:
        return float(np.max(np.abs(apex - self._last) / _TOLERANCE))

    def _item(self, apex: Floats) -> Item:
        shown: Item = apex.astype(np.float32)
        if self._config.observations == "vector":
            return shown
        picture: Item = draw(shown[None], self._config.frame_size, self._config.gravity)[0]
        return picture


def draw_tasks(config: HopperConfig, count: int, steps: int, seed: int) -> TaskSet:
    """Draw tasks; see :meth:`~mezzanine_core.tasks.PlayableWorld.tasks`.

    Episodes have a stream of their own, apart from those of both splits. One in which the robot
    falls, or whose goal is reached by doing nothing, makes no task.

    Raises:
        ConfigError: If the acts take longer than ``episode_hops``.
        DataError: If too few episodes make a task.
    """
    hops = steps * config.delta_hops
    if hops > config.episode_hops:
        raise ConfigError(
            f"{steps} acts of delta_hops={config.delta_hops} are {hops} hops, more than the "
            f"episode_hops={config.episode_hops} of an episode",
            hint="Lower the number of acts or delta_hops, or raise episode_hops.",
        )
    seeded = config.model_copy(update={"seed": seed})
    tasks: list[Task] = []
    looked = 0
    while len(tasks) < count and looked < _EPISODES_A_TASK * count:
        (episode,) = play(seeded, "tasks", [looked], hops)
        looked += 1
        if len(episode.commands) == hops:
            task = ApexTask(config, episode, looked - 1, steps)
            if not _solved_by_idling(task):
                tasks.append(task)
    if len(tasks) < count:
        raise DataError(
            f"only {len(tasks)} of {looked} episodes make a task, of {count} that are asked for",
            hint="Ask for fewer tasks or acts, or lower lean_degrees and thrust_metres.",
        )
    return TaskSet(
        tuple(tasks),
        {
            "solved": "within 0.05 m and 0.15 m/s of the goal at the top of a flight after an act",
            "distance": "the larger of the differences in height and speed, each in tolerances",
            "passed_over": looked - count,
        },
    )


def _solved_by_idling(task: ApexTask) -> bool:
    """Whether the goal is there at the start, or comes by doing nothing."""
    with task:
        task.start()
        if task.start_distance <= 1:
            return True
        step = task.act(task.idle)
        while not step.over:
            step = task.act(task.idle)
    return step.solved
