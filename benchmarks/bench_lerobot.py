"""How fast the LeRobot world gives the frames of random pairs, against plain ``dataset[i]``.

Both sides give the frames at t and t + Δ of the same pairs of a video data set, in one process,
with the same decoder and the threads that it takes by itself. The reference is a loop over
lerobot's own ``LeRobotDataset.__getitem__``; its frames are compared with ours, bit for bit.

Run ``python benchmarks/bench_lerobot.py [--data ../shared/data/g1_bottle] [--pairs 500]`` for a row
of the table, with ``--json`` for all figures. It needs an environment with
``mezzanine-worlds-lerobot``, whose requirements do not fit those of the other benchmarks.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.worlds import Column
from mezzanine_worlds_lerobot.config import LeRobotConfig
from mezzanine_worlds_lerobot.world import LeRobotWorld

REQUIRED = 3.0
"""How many times faster than the reference decoding has to be."""

Images = npt.NDArray[np.uint8]


def fetch_all(column: Column) -> Images:
    parts = list(column.fetch(np.arange(len(column)), LocalExecutor(LocalConfig(workers=1))))
    rows = np.concatenate([rows for rows, _ in parts])
    return np.concatenate([np.asarray(frames) for _, frames in parts])[np.argsort(rows)]


def measure(data: Path, pairs: int, reference_pairs: int, delta: int) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lerobot.datasets.lerobot_dataset import LeRobotDataset
    config = LeRobotConfig(root=str(data), n_train=pairs, n_test=1, delta_steps=delta)
    world = LeRobotWorld(config)
    backend = world.source()["decoder"]["name"]
    dataset = LeRobotDataset("any/name", root=data, video_backend=backend)
    camera = world.source()["camera"]
    few = LeRobotWorld(config.model_copy(update={"n_train": 1}))
    fetch_all(few.load().transitions("train").obs)  # imports
    dataset[0]

    start = time.perf_counter()
    split = world.load().transitions("train")
    frames = fetch_all(split.obs), fetch_all(split.next_obs)
    ours = 2 * pairs / (time.perf_counter() - start)

    drawn = world.pairs()["train"]
    begins = np.asarray(dataset.meta.episodes["dataset_from_index"])
    first = begins[drawn.episode] + drawn.start
    rows = np.linspace(0, pairs - 1, min(reference_pairs, pairs), dtype=int)
    start = time.perf_counter()
    items = [(dataset[int(first[row])], dataset[int(first[row]) + delta]) for row in rows]
    theirs = 2 * len(rows) / (time.perf_counter() - start)
    for row, pair in zip(rows, items, strict=True):
        for found, item in zip(frames, pair, strict=True):
            expected = np.round(255 * item[camera].numpy().transpose(1, 2, 0)).astype(np.uint8)
            np.testing.assert_array_equal(found[row], expected)
    return {
        "benchmark": "lerobot_frames",
        "backend": backend,
        "pairs": pairs,
        "reference_pairs": len(rows),
        "frames_per_second": round(ours, 1),
        "reference_frames_per_second": round(theirs, 1),
        "ratio": round(ours / theirs, 1),
        "required_ratio": REQUIRED,
        "ok": ours / theirs >= REQUIRED,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/g1_bottle"))
    parser.add_argument("--pairs", type=int, default=500, help="pairs that the world gives")
    parser.add_argument("--reference-pairs", type=int, default=500, help="pairs of the reference")
    parser.add_argument("--delta", type=int, default=1, help="steps between the frames of a pair")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The video decoding and encoding capabilities")
        figures = measure(
            arguments.data, arguments.pairs, arguments.reference_pairs, arguments.delta
        )
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(
            "| {backend}, {pairs} pairs | {frames_per_second} frames/s | "
            "{reference_frames_per_second} frames/s | {ratio} | "
            "{required_ratio:.0f} |".format(**figures)
        )
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
