"""The column of frames: identities at once, pixels when they are fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import item_keys
from mezzanine_core.worlds import Batch, Column, Rows
from mezzanine_worlds_gymnasium.environments import EnvRef
from mezzanine_worlds_gymnasium.render import RenderTask, Replay, render
from mezzanine_worlds_gymnasium.rollout import Episode

_TASK_FRAMES = 64
"""Frames in a task: about a tenth of a second of drawing, and 46 MB as they are rendered."""

_PARALLEL_FRAMES = 512
"""Frames from which on worker processes pay: drawing them takes longer than starting two."""

Ints = npt.NDArray[np.int64]


class FrameColumn(Column):
    """Frames of episodes, rendered when they are fetched.

    Args:
        episodes: The episodes.
        episode: Which one each row is from, int64 [n]; rows may repeat.
        step: The step of each row in its episode, int64 [n].
        env: The environment.
        size: Width and height of the images; ``None`` for as they are rendered.
        source: Fingerprint of the environment and the rendering, from which keys are made.

    Attributes:
        episode: Which episode each row is from.
        step: Its step there.
    """

    kind = "image"

    def __init__(
        self,
        episodes: Sequence[Episode],
        episode: Ints,
        step: Ints,
        *,
        env: EnvRef,
        size: int | None,
        source: str,
    ) -> None:
        self.episode, self.step = episode, step
        self._episodes, self._env, self._size = episodes, env, size
        self.keys = item_keys(source, map(self._identity, range(len(step))))

    def _identity(self, row: int) -> list[Any]:
        episode, step = self._episodes[self.episode[row]], int(self.step[row])
        return ["frame", episode.seed, step, episode.history[step].tobytes().hex()]

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """Play the episodes that the rows need again, and render their frames.

        See :meth:`Column.fetch`. Images are uint8 [B, H, W, 3], RGB. Rows of one episode are
        rendered in one playing, in the order of their steps. Tasks go to the executor when there
        are enough of them to make up for the start of its processes.
        """
        order = rows[np.lexsort((self.step[rows], self.episode[rows]))]
        parts = self._parts(order)
        tasks = (RenderTask(self._env, self._replays(part), self._size) for part in parts)
        parallel = executor.workers > 1 and len(order) >= _PARALLEL_FRAMES
        batches = executor.map(render, tasks) if parallel else map(render, tasks)
        for part, images in zip(parts, batches, strict=True):
            places = self._places(part)
            yield part, images[places]

    def _parts(self, order: Rows) -> list[Rows]:
        """Cut rows in order into tasks, between episodes unless one alone is too large."""
        borders = np.flatnonzero(np.diff(self.episode[order])) + 1
        parts: list[list[Rows]] = []
        size = 0
        for rows in np.split(order, borders):
            for at in range(0, len(rows), _TASK_FRAMES):
                piece = rows[at : at + _TASK_FRAMES]
                if not parts or size + len(piece) > _TASK_FRAMES:
                    parts.append([])
                    size = 0
                parts[-1].append(piece)
                size += len(piece)
        return [np.concatenate(pieces) for pieces in parts if size]

    def _replays(self, part: Rows) -> tuple[Replay, ...]:
        """The episodes of rows in order, each with its different steps."""
        replays = []
        for number, group in groupby(part.tolist(), key=lambda row: int(self.episode[row])):
            episode = self._episodes[number]
            steps = tuple(sorted({int(self.step[row]) for row in group}))
            last = steps[-1]
            replays.append(
                Replay(episode.seed, episode.actions[:last], episode.history[: last + 1], steps)
            )
        return tuple(replays)

    def _places(self, part: Rows) -> Ints:
        """Where each row's frame is among the different ones that :meth:`_replays` asks for."""
        episode, step = self.episode[part], self.step[part]
        is_new = np.ones(len(part), np.int64)
        is_new[1:] = (np.diff(episode) != 0) | (np.diff(step) != 0)
        places: Ints = np.cumsum(is_new) - 1
        return places
