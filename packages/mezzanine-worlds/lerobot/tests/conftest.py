"""Fixtures: data sets of a real robot and of a simulator, and lerobot itself as the reference."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.worlds import Column
from mezzanine_worlds_lerobot.config import LeRobotConfig
from mezzanine_worlds_lerobot.world import LeRobotWorld

Images = npt.NDArray[np.uint8]

FPS = 10
LENGTHS = (14, 22, 17, 25, 12, 19, 21, 16)


@dataclass(frozen=True)
class Written:
    """A data set that lerobot wrote, and what it was given: frames and actions by episode."""

    root: Path
    frames: list[Images]
    actions: list[npt.NDArray[np.float32]]


@pytest.fixture(scope="session")
def g1() -> Path:
    """Real demonstrations with a robot, one video, where they are at hand."""
    root = Path(__file__).parents[4]
    folder = Path(os.environ.get("MEZZ_TEST_DATA", root.parent / "shared" / "data")) / "g1_bottle"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}; MEZZ_TEST_DATA names another folder of real data")
    return folder


@pytest.fixture(scope="session")
def played() -> list[dict[str, Any]]:
    """Random play of the simulator PushT: frames, states and actions of each episode."""
    with warnings.catch_warnings():
        # pygame imports pkg_resources where it is there, and some versions of that complain.
        warnings.simplefilter("ignore")
        import gym_pusht  # noqa: F401
        import gymnasium

        env = gymnasium.make("gym_pusht/PushT-v0", obs_type="pixels", max_episode_steps=1000)
        episodes = []
        for number, length in enumerate(LENGTHS):
            env.action_space.seed(number)
            frame, info = env.reset(seed=number)
            episode: dict[str, Any] = {"frames": [], "states": [], "actions": []}
            for _ in range(length):
                action = env.action_space.sample()
                episode["frames"].append(frame)
                episode["states"].append(np.float32(info["pos_agent"]))
                episode["actions"].append(np.float32(action))
                frame, _, _, _, info = env.step(action)
            episodes.append(episode)
        env.close()
    return episodes


@pytest.fixture(scope="session")
def write(played, lerobot_dataset, tmp_path_factory) -> Callable[..., Written]:
    """Write the play through lerobot, as images or as videos, into files of some size."""

    def make(*, videos: bool, megabytes: float) -> Written:
        root = tmp_path_factory.mktemp("lerobot") / "pusht"
        camera = {
            "dtype": "video" if videos else "image",
            "shape": played[0]["frames"][0].shape,
            "names": ["height", "width", "channels"],
        }
        vector = {"dtype": "float32", "shape": (2,), "names": {"motors": ["x", "y"]}}
        features = {"observation.image": camera, "observation.state": vector, "action": vector}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = lerobot_dataset.create(
                "mezzanine/pusht", FPS, features, root=root, use_videos=videos, vcodec="h264"
            )
            dataset.meta.info |= {
                "data_files_size_in_mb": megabytes,
                "video_files_size_in_mb": megabytes,
            }
            for episode in played:
                for frame, state, action in zip(*episode.values(), strict=True):
                    dataset.add_frame(
                        {
                            "observation.image": frame,
                            "observation.state": state,
                            "action": action,
                            "task": "push",
                        }
                    )
                dataset.save_episode()
            dataset.finalize()
        return Written(
            root,
            [np.stack(episode["frames"]) for episode in played],
            [np.stack(episode["actions"]) for episode in played],
        )

    return make


@pytest.fixture(scope="session")
def pusht(write) -> Written:
    """Images in a few parquet files."""
    return write(videos=False, megabytes=0.05)


@pytest.fixture(scope="session")
def pusht_video(write) -> Written:
    """Videos with a key frame every other frame, in a few files."""
    return write(videos=True, megabytes=0.03)


@pytest.fixture(scope="session")
def lerobot_dataset(tmp_path_factory) -> Iterator[Any]:
    """The class of lerobot itself; the copies that it makes of what it reads are not kept."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets
        from lerobot.datasets.lerobot_dataset import LeRobotDataset
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("datasets")
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(folder))
        yield LeRobotDataset


@pytest.fixture
def reference(lerobot_dataset) -> Callable[..., list[dict[str, Any]]]:
    """Items of a data set as lerobot gives them; frames as uint8 [H, W, 3]."""

    def items(root: Path, indices: list[int], **settings: Any) -> list[dict[str, Any]]:
        with warnings.catch_warnings():
            # What torchvision says of its decoder.
            warnings.simplefilter("ignore")
            dataset = lerobot_dataset("any/name", root=root, video_backend="pyav", **settings)
            found = [dataset[index] for index in indices]
        for item in found:
            for key in dataset.meta.camera_keys:
                frame = item[key].numpy().transpose(1, 2, 0)
                item[key] = np.round(255 * frame).astype(np.uint8)
        return found

    return items


@pytest.fixture
def world() -> Callable[..., LeRobotWorld]:
    """A world of a local folder, with settings; few samples, and PyAV."""

    def make(root: Path, **settings: Any) -> LeRobotWorld:
        given = {"root": str(root), "n_train": 30, "n_test": 20, "video_backend": "pyav"}
        return LeRobotWorld(LeRobotConfig(**{**given, **settings}))

    return make


@pytest.fixture
def serial() -> LocalExecutor:
    """An executor that runs everything in this thread."""
    return LocalExecutor(LocalConfig(workers=1))


@pytest.fixture
def fetched(serial: LocalExecutor) -> Callable[..., Images]:
    """All frames of a column, in its order; every row must come once."""

    def fetch(column: Column, executor: LocalExecutor = serial) -> Images:
        parts = list(column.fetch(np.arange(len(column)), executor))
        rows = np.concatenate([rows for rows, _ in parts])
        assert sorted(rows.tolist()) == list(range(len(column)))
        return np.concatenate([np.asarray(batch) for _, batch in parts])[np.argsort(rows)]

    return fetch


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    """A copy of a data set that may be changed."""

    def copy(root: Path) -> Path:
        target = tmp_path / "copied"
        shutil.copytree(root, target, copy_function=shutil.copyfile)
        return target

    return copy


@pytest.fixture
def altered(copied) -> Callable[..., Path]:
    """A copy of a data set whose parquet files of steps a function has changed."""

    def alter(root: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
        target = copied(root)
        for file in (target / "data").glob("*/*.parquet"):
            pq.write_table(change(pq.read_table(file, partitioning=None)), file)
        return target

    return alter


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in a Python of its own; it must succeed."""

    def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )

    return run
