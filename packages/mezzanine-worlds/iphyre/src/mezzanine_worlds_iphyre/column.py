"""The column of frames: identities at once, pixels when they are fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import item_keys
from mezzanine_core.worlds import Batch, Column, Rows
from mezzanine_worlds_iphyre.samples import Frame
from mezzanine_worlds_iphyre.simulate import RenderTask, render

_TASK_FRAMES = 128
"""Frames in a task: about a third of a second of drawing, and 6 MB at 128 by 128."""

_PARALLEL_FRAMES = 512
"""Frames from which on worker processes pay: drawing them takes longer than starting two."""


class FrameColumn(Column):
    """Frames of episodes, drawn when they are fetched.

    Args:
        frames: Which frames, one a row; rows may repeat.
        size: Width and height of the images.
        source: Fingerprint of the simulator and the rendering, from which keys are made.

    Attributes:
        frames: Which frames, one a row.
    """

    kind = "image"

    def __init__(self, frames: Sequence[Frame], size: int, source: str) -> None:
        self.frames = frames
        self.keys = item_keys(source, (["frame", *frame] for frame in frames))
        self._size = size

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """Play the episodes that the rows need, each as few times as possible, and draw the frames.

        See :meth:`Column.fetch`. Images are uint8 [B, size, size, 3], RGB. Frames that follow from
        the same clicks are drawn in one playing, in the order of their steps. Tasks go to the
        executor when there are enough of them to make up for the start of its processes.
        """
        order = sorted((int(row) for row in rows), key=lambda row: self.frames[row])
        parts = [order[at : at + _TASK_FRAMES] for at in range(0, len(order), _TASK_FRAMES)]
        tasks = (RenderTask(tuple(self.frames[row] for row in part), self._size) for part in parts)
        parallel = executor.workers > 1 and len(order) >= _PARALLEL_FRAMES
        batches = executor.map(render, tasks) if parallel else map(render, tasks)
        for part, images in zip(parts, batches, strict=True):
            yield np.array(part, np.int64), images
