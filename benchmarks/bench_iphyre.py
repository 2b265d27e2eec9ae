"""How fast the I-PHYRE world gives samples, against stepping with a picture at every step.

Both sides collect the same samples (two frames each, 128 by 128, RGB) on one core in one process.
The reference is the plain loop over the simulator's own interface: for each sample it resets the
game and calls ``step(pos, use_images=True)`` up to the second frame. Its images are compared with
ours, bit for bit. The reference is slow, so it gets only the first few of the samples.

Run ``python benchmarks/bench_iphyre.py`` for a row of the table, with ``--json`` for all figures.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from typing import Any, cast

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["SDL_AUDIODRIVER"] = "dummy"
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import numpy as np
import numpy.typing as npt
from iphyre.simulator import IPHYRE

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.worlds import Column
from mezzanine_worlds_iphyre.column import FrameColumn
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.samples import Frame
from mezzanine_worlds_iphyre.simulate import downsample
from mezzanine_worlds_iphyre.world import IphyreWorld

REQUIRED = 20.0
"""How many times faster than the reference collection has to be."""

Images = npt.NDArray[np.uint8]


def collect(config: IphyreConfig) -> tuple[list[Frame], list[Frame], Images, Images]:
    """Draw the samples and render both frames of each: obs and next_obs, with their images."""
    split = IphyreWorld(config).load().transitions("train")
    obs, next_obs = cast(FrameColumn, split.obs), cast(FrameColumn, split.next_obs)
    return [*obs.frames], [*next_obs.frames], fetch_all(obs, config), fetch_all(next_obs, config)


def fetch_all(column: Column, config: IphyreConfig) -> Images:
    images = np.empty((len(column), config.image_size, config.image_size, 3), np.uint8)
    for rows, batch in column.fetch(np.arange(len(column)), LocalExecutor(LocalConfig(workers=1))):
        images[rows] = batch
    return images


def reference(obs: Frame, next_obs: Frame, size: int) -> tuple[Images, Images]:
    """One sample by the plain loop: a picture at every step, of which two are kept."""
    # Asking for the centres resets the game, and a second reset would draw in another order.
    centres = IPHYRE(obs.game).get_action_space()[1:]
    env = IPHYRE(obs.game)
    env.init_screen()
    clicks = dict(next_obs.clicks)
    first = image = env.reset(use_images=True)
    for step in range(next_obs.step):
        position = centres[clicks[step]] if step in clicks else [0.0, 0.0]
        image, _, _ = env.step(position, use_images=True)
        if step + 1 == obs.step:
            first = image
    return downsample(_rgb(first), size), downsample(_rgb(image), size)


def _rgb(bgr: Images) -> Images:
    return np.ascontiguousarray(bgr[:, :, ::-1])


def measure(samples: int, reference_samples: int) -> dict[str, Any]:
    config = IphyreConfig(n_train=samples, n_test=1)
    collect(IphyreConfig(n_train=4, n_test=1))  # imports
    start = time.perf_counter()
    obs, next_obs, images, next_images = collect(config)
    ours = samples / (time.perf_counter() - start)

    rows = np.linspace(0, samples - 1, reference_samples, dtype=int)
    start = time.perf_counter()
    pairs = [reference(obs[row], next_obs[row], config.image_size) for row in rows]
    theirs = reference_samples / (time.perf_counter() - start)
    for row, (first, second) in zip(rows, pairs, strict=True):
        np.testing.assert_array_equal(images[row], first)
        np.testing.assert_array_equal(next_images[row], second)
    return {
        "benchmark": "iphyre_collection",
        "samples": samples,
        "reference_samples": reference_samples,
        "samples_per_second": round(ours, 2),
        "reference_samples_per_second": round(theirs, 3),
        "ratio": round(ours / theirs, 1),
        "required_ratio": REQUIRED,
        "ok": ours / theirs >= REQUIRED,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=512, help="samples that the world gives")
    parser.add_argument("--reference-samples", type=int, default=12, help="reference samples")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Arrays of 2-dimensional vectors")
        figures = measure(arguments.samples, arguments.reference_samples)
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(
            "| I-PHYRE collection, one core | {samples_per_second} samples/s | "
            "{reference_samples_per_second} samples/s (a picture at every step) | {ratio} times | "
            "at least {required_ratio:.0f} times |".format(**figures)
        )
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
