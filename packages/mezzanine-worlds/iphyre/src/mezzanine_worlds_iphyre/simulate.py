"""The real simulator: stepped without a display, drawn only where a frame is asked for.

Frames are pixel for pixel those of ``IPHYRE.step(pos, use_images=True)``, in RGB where the
simulator's own images have the channels swapped, and averaged down to the size asked for. The same
frame comes out whatever was simulated before and in whatever process: every episode is played in a
simulator built afresh, because one that is reset keeps contacts and the numbering of its shapes.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from itertools import groupby
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from mezzanine_core.errors import DataError, MissingDependencyError
from mezzanine_core.interrupts import interrupts_deferred
from mezzanine_worlds_iphyre.catalogue import FPS, SIZE
from mezzanine_worlds_iphyre.samples import Clicks, Frame

RENDERER = 1
"""Version of how a state becomes an image; it grows when the same state would look different."""

_WHITE = (255, 255, 255)


class RenderTask(NamedTuple):
    """Frames to draw; picklable, so that it can be sent to a worker process.

    Attributes:
        frames: Which; neighbours of the same game and clicks at ascending steps share one playing
            of their episode.
        size: Width and height of the images.
    """

    frames: tuple[Frame, ...]
    size: int


def render(task: RenderTask) -> npt.NDArray[np.uint8]:
    """Play the episodes of a task and draw its frames.

    Returns:
        Images, uint8 [len(task.frames), size, size, 3], RGB, first row at the top.

    Raises:
        DataError: If a click hits no block: its block is not there, or was clicked before.
        MissingDependencyError: If the simulator cannot be imported.
    """
    images = np.empty((len(task.frames), task.size, task.size, 3), np.uint8)
    canvas = Canvas()
    rows = iter(range(len(images)))
    for (game, clicks), frames in groupby(task.frames, key=lambda frame: frame[:2]):
        episode = Episode(game, clicks)
        for frame in frames:
            episode.advance(frame.step)
            images[next(rows)] = downsample(canvas.draw(episode), task.size)
    return images


class Episode:
    """One game as it is played with given clicks; it only goes forward.

    Args:
        game: The game.
        clicks: What is clicked, and when.

    Attributes:
        env: The simulator.
        step: Steps so far.
    """

    def __init__(self, game: str, clicks: Clicks) -> None:
        self.env = _libraries().IPHYRE(game, fps=FPS)
        # The simulator lists one point for no action first, then the centres of the blocks.
        self._centres: Sequence[list[float]] = self.env.get_action_space()[1:]
        self._blocks = dict(clicks)
        self.step = 0

    def advance(self, step: int) -> None:
        """Play on until ``step``; each click is carried out before the physics of its step.

        Raises:
            DataError: If a click hits no block, or ``step`` lies in the past.
        """
        if step < self.step:
            raise DataError(f"{self.env.game} is at step {self.step} and cannot go back to {step}")
        physics, seconds = self.env.space.step, self.env.timestep
        for now in range(self.step, step):
            if now in self._blocks:
                self._click(self._blocks[now], now)
            physics(seconds)
        self.step = step

    def _click(self, block: int, now: int) -> None:
        with warnings.catch_warnings():
            # iphyre takes the cross product of 2-vectors; this package requires a NumPy that can.
            warnings.filterwarnings(
                "ignore", message="Arrays of 2-dimensional vectors", category=DeprecationWarning
            )
            removed = self.env.eliminate(self._centres[block])
        if removed < 0:
            raise DataError(
                f"{self.env.game}: the click on block {block} at step {now} hits nothing"
            )


class Canvas:
    """A picture in memory that states are drawn on; it needs no display."""

    def __init__(self) -> None:
        libraries = _libraries()
        self._to_bytes = libraries.pygame.image.tobytes
        # With fewer bits, blending at the rims of circles comes out differently.
        self._surface = libraries.pygame.Surface((SIZE, SIZE), depth=32)
        self._options = libraries.DrawOptions(self._surface)

    def draw(self, episode: Episode) -> npt.NDArray[np.uint8]:
        """Draw the present state of an episode: uint8 [600, 600, 3], RGB, first row at the top."""
        self._surface.fill(_WHITE)
        # The drawing calls back into Python through cffi, which prints and drops an interrupt.
        with interrupts_deferred():
            episode.env.space.debug_draw(self._options)
        pixels = np.frombuffer(self._to_bytes(self._surface, "RGB"), np.uint8)
        return pixels.reshape(SIZE, SIZE, 3)


def downsample(image: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Average an image down to ``size``.

    A pixel of the result is the mean of the pixels whose centres lie in its box, rounded (Pillow's
    box filter).

    Args:
        image: uint8 [H, W, 3].
        size: Width and height of the result.

    Returns:
        uint8 [size, size, 3].
    """
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BOX))


def _libraries() -> Any:
    """The simulator and what draws it, imported on first use and without their greetings."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        with warnings.catch_warnings():
            # pygame looks for its files with pkg_resources where that is installed.
            warnings.filterwarnings("ignore", message=".*pkg_resources", category=UserWarning)
            warnings.filterwarnings(
                "ignore", message=".*pkg_resources", category=DeprecationWarning
            )
            import pygame
            from iphyre.simulator import IPHYRE
            from pymunk.pygame_util import DrawOptions
    except ImportError as error:
        raise MissingDependencyError(
            f"the I-PHYRE simulator cannot be imported: {error}",
            hint="Run `pip install --force-reinstall mezzanine-worlds-iphyre`.",
        ) from error
    return SimpleNamespace(pygame=pygame, IPHYRE=IPHYRE, DrawOptions=DrawOptions)
