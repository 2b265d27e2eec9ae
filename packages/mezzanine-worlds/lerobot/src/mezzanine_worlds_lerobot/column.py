"""A column of frames, decoded when they are fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import Keys
from mezzanine_core.worlds import Batch, Column, Rows
from mezzanine_worlds_lerobot.frames import Frames
from mezzanine_worlds_lerobot.images import ImageTask
from mezzanine_worlds_lerobot.video import VideoTask

Task = VideoTask | ImageTask
"""Frames of one file to decode, in order."""

_TASK_FRAMES = 128
"""Frames in a task of a worker process: neighbours, so that little is decoded for nothing."""

_PARALLEL_FRAMES = 4096
"""Frames from which on worker processes pay: decoding them takes longer than starting two."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where frames lie, n of them.

    Attributes:
        files: Names of files in the data set.
        file: Index of the file of each frame, int64 [n].
        at: Where in the file: microseconds of a video, or a row of a parquet file, int64 [n].
    """

    files: tuple[str, ...]
    file: npt.NDArray[np.int64]
    at: npt.NDArray[np.int64]


class FrameColumn(Column):
    """Frames of one camera.

    Args:
        places: Where they lie.
        keys: Item keys, uint8 [n, 16].
        find: Gives the path of a file of the data set, which may download it.
        task: Makes a task of the path of a file and ascending places in it.
    """

    kind = "image"

    def __init__(
        self,
        places: Places,
        keys: Keys,
        find: Callable[[str], Path],
        task: Callable[[Path, Sequence[int]], Task],
    ) -> None:
        self.places = places
        self.keys = keys
        self._find = find
        self._task = task

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """Decode frames, grouped by file and in their order in it.

        See :meth:`Column.fetch`. Frames are uint8 [B, H, W, 3], RGB. Tasks go to the executor when
        there are enough of them to make up for the start of its processes.

        Raises:
            DataError: If a file is missing or damaged, or lacks a frame; it is named.
            DatasetNotFoundError: If a file has to be downloaded and cannot be.
        """
        places = self.places
        order = rows[np.lexsort((places.at[rows], places.file[rows]))]
        borders = np.flatnonzero(np.diff(places.file[order])) + 1
        groups = np.split(order, borders) if len(order) else []
        if executor.workers > 1 and len(rows) >= _PARALLEL_FRAMES:
            parts = [part for group in groups for part in _parts(group)]
            batches = executor.map(collect, map(self._of, parts))
            yield from zip(parts, batches, strict=True)
            return
        for group in groups:
            start = 0
            for frames in self._of(group).frames():
                yield group[start : start + len(frames)], frames
                start += len(frames)

    def _of(self, rows: Rows) -> Task:
        """The task for some rows of one file, in their order in it."""
        path = self._find(self.places.files[self.places.file[rows[0]]])
        return self._task(path, self.places.at[rows].tolist())


def collect(task: Task) -> Frames:
    """All frames of a task, uint8 [B, H, W, 3]."""
    return np.concatenate(list(task.frames()))


def _parts(group: Rows) -> list[Rows]:
    return [group[at : at + _TASK_FRAMES] for at in range(0, len(group), _TASK_FRAMES)]
