"""How fast the Gymnasium world gives samples, against stepping and rendering every frame.

Both sides collect the same samples, pairs of frames one step apart, 128 by 128, RGB, on one core in
one process. The reference is the plain loop: one environment, reset for each of the same episodes,
with the same actions, and a picture at every step, of which those that belong to a sample are kept.
Its images are compared with ours, bit for bit. Ours includes playing the episodes, drawing the
pairs, and playing again what is rendered; a frame of two columns is rendered once, as in a run.
Samples are spread over many episodes once (10 of each, the default), and once taken from as few as
have enough, where nearly every frame is wanted and nothing can be saved. Times are of the CPU.

Run ``python benchmarks/bench_gymnasium.py`` for rows of the table, with ``--json`` for all figures.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any, cast

import gymnasium
import numpy as np
import numpy.typing as npt

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_worlds_gymnasium.column import FrameColumn
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.environments import headless
from mezzanine_worlds_gymnasium.render import sized
from mezzanine_worlds_gymnasium.rollout import Episode, play_split
from mezzanine_worlds_gymnasium.world import GymnasiumWorld

ENVIRONMENTS = ("CartPole-v1", "Pendulum-v1")
SPREADS: dict[str, int | None] = {"10 samples an episode": 10, "all samples of an episode": None}

Images = npt.NDArray[np.uint8]
Wanted = set[tuple[int, int]]
Frames = dict[tuple[int, int], Images]
"""Episode and step → its picture."""


def collect(config: GymnasiumConfig) -> Frames:
    """Draw the samples and render each of their frames once."""
    split = GymnasiumWorld(config).load().transitions("train")
    frames: Frames = {}
    known: set[bytes] = set()
    executor = LocalExecutor(LocalConfig(workers=1))
    for column in (cast(FrameColumn, split.obs), cast(FrameColumn, split.next_obs)):
        keys = [key.tobytes() for key in column.keys]
        rows = np.array([row for row, key in enumerate(keys) if key not in known], np.int64)
        known.update(keys)
        for part, images in column.fetch(rows, executor):
            for row, image in zip(part, images, strict=True):
                frames[int(column.episode[row]), int(column.step[row])] = cast(Images, image)
    return frames


def reference(config: GymnasiumConfig, episodes: list[Episode], wanted: Wanted) -> Frames:
    """The same frames by the plain loop."""
    frames: Frames = {}
    env = gymnasium.make(config.env_id, render_mode="rgb_array")
    for number, episode in enumerate(episodes):
        env.reset(seed=episode.seed)
        for step in range(len(episode)):
            if step > 0:
                env.step(episode.actions[step - 1])
            image = cast(Images, env.render())
            if (number, step) in wanted:
                frames[number, step] = sized(image, config.frame_size)
    env.close()
    return frames


def measure(env_id: str, spread: str, samples: int) -> dict[str, Any]:
    config = GymnasiumConfig(
        env_id=env_id, n_train=samples, n_test=1, delta_steps=1, pairs_per_episode=SPREADS[spread]
    )
    collect(config.model_copy(update={"n_train": 4}))  # imports
    start = time.process_time()
    ours = collect(config)
    seconds = time.process_time() - start

    episodes = play_split(config, "train", samples)
    start = time.process_time()
    theirs = reference(config, episodes, set(ours))
    reference_seconds = time.process_time() - start
    assert ours.keys() == theirs.keys()
    for place, image in ours.items():
        np.testing.assert_array_equal(image, theirs[place])
    return {
        "benchmark": "gymnasium_collection",
        "env_id": env_id,
        "spread": spread,
        "samples": samples,
        "frames": len(ours),
        "reference_frames": sum(map(len, episodes)),
        "samples_per_second": round(samples / seconds, 1),
        "reference_samples_per_second": round(samples / reference_seconds, 1),
        "ratio": round(reference_seconds / seconds, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=500, help="samples to collect")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for env_id in ENVIRONMENTS:
        for spread in SPREADS:
            with headless():
                figures = measure(env_id, spread, arguments.samples)
            if arguments.json:
                print(json.dumps(figures))
            else:
                print(
                    "| {env_id}, {spread} | {samples_per_second} | "
                    "{reference_samples_per_second} | {frames} of {reference_frames} | "
                    "{ratio} |".format(**figures)
                )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
