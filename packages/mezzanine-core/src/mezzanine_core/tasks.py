"""Worlds that can be acted in: tasks in which the plans of a model can be played.

Predicting a world well is one thing, acting in it another. A world that has its simulator at hand
can let a plan be played and say what came of it; it does so by giving tasks, each with a start, a
goal, and a sequence of actions that is known to solve it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import DataError

Item = npt.NDArray[Any]
"""One observation as a world's columns give it: uint8 [H, W, 3], or float32 [D]."""

Actions = npt.NDArray[np.float32]
"""Action features in the columns of the world's transitions: float32 [..., A]."""

PLAYABLE = "playable"
"""The tag by which the ``Spec`` of a world says that it gives tasks."""


class Step(NamedTuple):
    """What came of an act.

    Attributes:
        item: What is observed then.
        over: Whether the task takes no more acts.
        solved: Whether the goal is reached, now or before.
        distance: How far the present state is from the goal, at least 0, in the task's own measure;
            ``None`` where a task has no such measure.
    """

    item: Item
    over: bool
    solved: bool
    distance: float | None


class Task(ABC):
    """Something to be reached in a simulator by a limited number of acts.

    An act is one action of the world's transitions: all that is done in Δ. A task is played by
    :meth:`start`, then :meth:`act` until a step is over; it may be started again at any time. What
    happens depends on the acts alone. Use it as a context manager, or call :meth:`close`.

    Attributes:
        name: Its name among the tasks it was drawn with.
        family: What it shares with others that are no independent trials, such as the game that is
            played; its own name where it shares nothing.
        goal: What the goal looks like, an item like those of the world's columns.
        steps: How many acts it takes at most, H.
        bounds: Lowest and highest values of one act, float32 [A] each, where every act in between
            can be played; ``None`` where only those that :meth:`propose` gives make sense.
        idle: The act of doing nothing, float32 [A]; ``None`` where something must be done.
        oracle: A sequence that solves it, float32 [h, A] with 1 ≤ h ≤ H.
    """

    name: str
    family: str
    goal: Item
    steps: int
    bounds: tuple[Actions, Actions] | None
    idle: Actions | None
    oracle: Actions

    @abstractmethod
    def start(self) -> Item:
        """Begin from the start, whatever was played before; gives what is observed there."""

    @abstractmethod
    def act(self, features: Actions) -> Step:
        """Act for Δ.

        Args:
            features: The act, float32 [A], finite. They need not be those of a possible act: what
                comes nearest is done.

        Raises:
            DataError: If the task was not started or is over, or the shape does not fit.
        """

    @abstractmethod
    def propose(self, count: int, steps: int, rng: np.random.Generator) -> Actions:
        """Draw sequences that can be played from the present state on.

        Args:
            count: How many.
            steps: Acts in each.
            rng: Source of all randomness.

        Returns:
            float32 [count, steps, A], distributed as the world's own actions are.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the simulator; :meth:`start` takes hold of it again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, eq=False)
class TaskSet:
    """Tasks that were drawn together.

    Attributes:
        tasks: The tasks, at least one, of different names.
        report: What a reader of the results should know of how they were drawn (what counts as
            solved, what was left out, …), as plain JSON values.

    Raises:
        DataError: If there are none, or two of one name.
    """

    tasks: tuple[Task, ...]
    report: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [task.name for task in self.tasks]
        if not names or len(set(names)) != len(names):
            raise DataError(f"a set holds tasks of different names, at least one; not {names}")

    def __len__(self) -> int:
        return len(self.tasks)


@runtime_checkable
class PlayableWorld(Protocol):
    """A world that can be acted in. Its ``Spec`` carries the tag :data:`PLAYABLE`."""

    def tasks(self, count: int, steps: int, seed: int) -> TaskSet:
        """Draw tasks; they are no part of the world's splits.

        Args:
            count: How many, at least 1.
            steps: How many acts each takes at most, H, at least 1.
            seed: Decides which; the same seed gives the same tasks.

        Raises:
            ConfigError: If the world's episodes are shorter than that.
            DataError: If there are not enough tasks that can be solved and do not solve themselves.
        """
        ...


def check_act(features: npt.ArrayLike, size: int, name: str) -> npt.NDArray[np.float32]:
    """An act as float32 [A].

    Args:
        features: What is to be done.
        size: A.
        name: The task's name, for the message.

    Raises:
        DataError: If the shape is another, or a value is not finite.
    """
    act = np.asarray(features, np.float32)
    if act.shape != (size,):
        raise DataError(f"{name}: an act of shape {list(act.shape)}; expected [{size}]")
    if not np.isfinite(act).all():
        raise DataError(f"{name}: an act is not finite: {act}")
    return act
