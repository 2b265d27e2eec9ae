"""Rendering the frames that are asked for, by playing their episodes again.

Physics is stepped from the seed of the episode through its recorded actions; a frame is rendered
only where one is wanted (but see ``rendering`` among the settings). On the way every observation is
compared with the recorded one, so an environment that does not repeat itself is found out rather
than cached.
"""

from __future__ import annotations

import copy
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import Keys
from mezzanine_worlds_gymnasium.environments import EnvRef, blamed, headless, make
from mezzanine_worlds_gymnasium.observations import digest

RENDERER = 1
"""Version of how a state becomes an image; it grows when the same state would look different."""

_CHECKED = 8
"""One in so many episodes is looked at twice, to find pictures that depend on the rendering."""

Images = npt.NDArray[np.uint8]


class Replay(NamedTuple):
    """An episode to play again.

    Attributes:
        seed: What the environment is reset with.
        actions: Its actions up to the last step that is wanted, [T, *shape].
        history: The recorded digests of it, uint8 [T + 1, 16].
        steps: Which steps to render, ascending, each at most T.
    """

    seed: int
    actions: npt.NDArray[Any]
    history: Keys
    steps: tuple[int, ...]


class RenderTask(NamedTuple):
    """Frames to render; picklable, so that it can be sent to a worker process.

    Attributes:
        env: The environment.
        replays: Which episodes, and which of their steps.
        size: Width and height of the images; ``None`` for as they are rendered.
    """

    env: EnvRef
    replays: tuple[Replay, ...]
    size: int | None


def render(task: RenderTask) -> Images:
    """Play the episodes of a task again and render its frames.

    Returns:
        Images, uint8 [frames of all replays, H, W, 3], RGB, in the order of the replays and steps.

    Raises:
        DataError: If the environment does not repeat what was recorded, fails, renders something
            other than RGB images of one size, or pictures that depend on the rendering of others.
        MissingDependencyError: If something that rendering needs is not installed.
    """
    images: list[Images] = []
    for replay in task.replays:
        images += _play(task.env, replay, task.size)
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        raise DataError(
            f"the environment {task.env.env_id!r} renders frames of different sizes: "
            f"{sorted(shapes)}",
            hint="Give frame_size, which averages all to one.",
        )
    return np.stack(images)


def _play(ref: EnvRef, replay: Replay, size: int | None) -> list[Images]:
    doing = f"rendering the episode of seed {replay.seed}"
    # An environment afresh for each episode: one that is reset may keep something of its past.
    with headless(), closing(make(ref)) as env, blamed(ref, doing):
        observation, _ = env.reset(seed=replay.seed)
        seen = digest((), b"", b"", digest(observation))
        wanted, images = set(replay.steps), []
        for step in range(replay.steps[-1] + 1):
            if step > 0:
                action = replay.actions[step - 1]
                observation, *_ = env.step(copy.copy(action))
                seen = digest((), seen, np.asarray(action).tobytes(), digest(observation))
            if seen != replay.history[step].tobytes():
                raise _unrepeatable(ref, replay.seed, step)
            if step in wanted or ref.every:
                image = rendered(env, ref)
            if step in wanted:
                images.append(sized(image, size))
        if not ref.every and replay.seed % _CHECKED == 0:
            _check_again(env, ref, image)
        return images


def _check_again(env: Any, ref: EnvRef, image: Images) -> None:
    """Make sure that rendering changes nothing of what is rendered next."""
    if not np.array_equal(rendered(env, ref), image):
        raise DataError(
            f"the environment {ref.env_id!r} renders one and the same state differently the second "
            "time, so its pictures depend on which steps are rendered",
            hint="Use rendering=every, which renders all steps on the way.",
        )


def _unrepeatable(ref: EnvRef, seed: int, step: int) -> DataError:
    return DataError(
        f"the environment {ref.env_id!r} does not repeat itself: played again from seed {seed} "
        f"with the same actions, it gives another observation at step {step}",
        hint="Its randomness must come from reset(seed=…) alone; use observations=vector, which "
        "plays each episode once, or mend the environment.",
    )


def rendered(env: Any, ref: EnvRef) -> Images:
    """The picture of an environment's present state: uint8 [H, W, 3], RGB, first row at the top.

    Args:
        env: The environment.
        ref: Which it is, for messages.

    Raises:
        DataError: If what it renders is no RGB image.
    """
    image = env.render()
    is_image = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3
    if not is_image or image.shape[2] != 3:
        what = f"{image.dtype} {list(image.shape)}" if hasattr(image, "shape") else repr(image)
        raise DataError(
            f"the environment {ref.env_id!r} renders {what}, not an image of uint8 [H, W, 3]",
            hint="Use observations=vector.",
        )
    # A copy, since some environments draw into the same array again.
    return np.array(image)


def sized(image: Images, size: int | None) -> Images:
    """An image as it is, for ``None``, or else averaged to a square.

    A pixel of the square is the mean of those that it covers, rounded (Pillow's box filter). Sides
    are scaled independently, so the picture of a wide environment is squeezed.

    Args:
        image: uint8 [H, W, 3].
        size: Width and height of the square.

    Returns:
        uint8 [H, W, 3] or [size, size, 3].
    """
    if size is None:
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BOX))
