"""What a data set says of itself: its features, and where each episode lies.

The format is LeRobot's v3.0: ``meta/info.json``, ``meta/episodes/*/*.parquet`` with a row an
episode, ``data/*/*.parquet`` with a row a frame, and ``videos/<camera>/*/*.mp4``. Several episodes
share a file. It is read with pyarrow: that takes milliseconds, and needs no copy in a cache.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from packaging.version import InvalidVersion, Version

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_lerobot.errors import FormatError

FORMAT = "v3.0"
"""The version of LeRobot's format that is read."""

INFO = "meta/info.json"
EPISODES = "meta/episodes"

Ints = npt.NDArray[np.int64]

_CAMERAS = ("image", "video")
_FLOATS = ("float16", "float32", "float64")
_WHERE = ("chunk_index", "file_index")


@dataclass(frozen=True)
class Feature:
    """A feature of a data set.

    Attributes:
        key: Its name.
        dtype: ``video``, ``image``, ``float32``, ….
        shape: Its shape at one step.
        names: What its parts mean, as the data set has it, flattened; empty if it does not say.
    """

    key: str
    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def is_camera(self) -> bool:
        """Whether it holds frames, as images or as a video."""
        return self.dtype in _CAMERAS

    @property
    def is_vector(self) -> bool:
        """Whether it is a vector of real numbers, as an action or a state has to be."""
        return self.dtype in _FLOATS and len(self.shape) == 1

    def part_names(self) -> tuple[str, ...]:
        """A name for each number of a vector: the data set's, or its place."""
        (size,) = self.shape
        if len(self.names) == size == len(set(self.names)):
            return self.names
        return tuple(map(str, range(size)))


@dataclass(frozen=True, eq=False)
class Metadata:
    """What a data set says of itself, E episodes.

    Attributes:
        name: What the data set is called in messages.
        version: Version of its format.
        fps: Steps a second.
        features: Feature by key.
        numbers: Number of each episode, ascending, int64 [E].
        lengths: Frames of each, int64 [E].
        episodes: A row for each, in this order, with the places of its frames.
        data_path: Template of the names of the parquet files.
        video_path: Template of the names of the videos, if there are any.
    """

    name: str
    version: str
    fps: float
    features: Mapping[str, Feature]
    numbers: Ints
    lengths: Ints
    episodes: pa.Table
    data_path: str
    video_path: str | None

    def camera(self, key: str | None) -> Feature:
        """The camera of that name; the only one there is for ``None``.

        Raises:
            ConfigError: If there is none, or which one is meant is not plain; the cameras are
                listed.
        """
        cameras = [feature for feature in self.features.values() if feature.is_camera]
        if key is None and len(cameras) == 1:
            return cameras[0]
        for camera in cameras:
            if camera.key == key:
                return camera
        listed = _listed(cameras)
        if key is None:
            raise ConfigError(
                f"data set {self.name!r} has {len(cameras)} cameras: {listed}",
                hint="Name one with --camera_key." if cameras else "This world needs a camera.",
            )
        raise ConfigError(
            f"data set {self.name!r} has no camera {key!r}; it has {listed}",
            hint="Set --camera_key to one of them.",
        )

    def vector(self, key: str, role: str) -> Feature:
        """The feature of that name, which must be a vector of real numbers.

        Args:
            key: Its name.
            role: ``action`` or ``state``, for messages: the setting is called after it.

        Raises:
            ConfigError: If it is not there or is no vector of real numbers; those are listed.
        """
        feature = self.features.get(key)
        if feature is not None and feature.is_vector:
            return feature
        vectors = [one for one in self.features.values() if one.is_vector]
        usual = [one for one in vectors if role in one.key] or vectors
        if feature is None:
            problem = f"has no {role} {key!r}"
        else:
            problem = (
                f"has {key!r} of dtype {feature.dtype} and shape {list(feature.shape)}, but the "
                f"{role} must be one vector of real numbers a step"
            )
        raise ConfigError(
            f"data set {self.name!r} {problem}; it has {_listed(usual)}",
            hint=f"Set --{role}_key to one of them.",
        )

    def chosen(self, numbers: Sequence[int]) -> Ints:
        """Places among the episodes of those with these numbers, all of them for none, int64 [..].

        Raises:
            ConfigError: If there is no such episode.
        """
        if not numbers:
            return np.arange(len(self.numbers))
        wanted = np.asarray(numbers, np.int64)
        unknown = wanted[~np.isin(wanted, self.numbers)]
        if unknown.size:
            raise ConfigError(
                f"data set {self.name!r} has no episode {unknown[0]}; it has {len(self.numbers)} "
                f"episodes, {self.numbers[0]} to {self.numbers[-1]}",
                hint="Set --episodes to some of them.",
            )
        return np.searchsorted(self.numbers, wanted)

    def data_file(self, place: int) -> str:
        """Name of the parquet file with the steps of the episode at that place."""
        return self._file(self.data_path, place, "data")

    def video_file(self, place: int, camera: str) -> str:
        """Name of the video with the frames of the episode at that place."""
        if self.video_path is None:
            raise DataError(f"data set {self.name!r} has a video {camera!r}, but no video_path")
        return self._file(self.video_path, place, f"videos/{camera}", video_key=camera)

    def video_start(self, place: int, camera: str) -> float:
        """When the episode at that place begins in its video, in seconds."""
        return float(self._cell(f"videos/{camera}/from_timestamp", place))

    def _file(self, template: str, place: int, prefix: str, **fields: str) -> str:
        indices = {name: int(self._cell(f"{prefix}/{name}", place)) for name in _WHERE}
        return template.format(**indices, **fields)

    def _cell(self, column: str, place: int) -> Any:
        if column not in self.episodes.column_names:
            raise DataError(
                f"{EPISODES} of data set {self.name!r} has no column {column!r}",
                hint="The data set is damaged, or was not written by lerobot.",
            )
        return self.episodes.column(column)[place].as_py()


def read_info(path: Path, name: str) -> dict[str, Any]:
    """Read ``info.json``, and check that its format is one that this world reads.

    Raises:
        DataError: If the file cannot be read.
        FormatError: If the data set is in an older or a newer format.
    """
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        version = Version(str(info["codebase_version"]))
    except (OSError, ValueError, KeyError, TypeError, InvalidVersion) as error:
        raise DataError(f"{path} is no info.json of LeRobot ({error})") from error
    ours = Version(FORMAT)
    if version.major < ours.major:
        raise old_format(name, f"v{version}", path.parents[1])
    if version.major > ours.major:
        raise FormatError(
            f"data set {name!r} is in LeRobot's format v{version}; {FORMAT} is read here",
            hint="Upgrade mezzanine-worlds-lerobot, or take a --revision in that format.",
        )
    return dict(info)


def old_format(name: str, version: str, folder: Path | None = None) -> FormatError:
    """The error for a data set in an older format; says how to convert it."""
    convert = f"python -m lerobot.datasets.v30.convert_dataset_v21_to_v30 --repo-id={name}"
    if folder is not None:
        convert = f"{convert} --root={folder} --push-to-hub=false"
    first = ""
    if Version(version) < Version("v2.1"):
        first = "First bring it to v2.1 with the converter of lerobot 0.3. "
    return FormatError(
        f"data set {name!r} is in LeRobot's old format {version}; {FORMAT} is read here",
        hint=f"{first}Run `{convert}`, or take a --revision that is converted.",
    )


def read_metadata(info: Mapping[str, Any], files: Sequence[Path], name: str) -> Metadata:
    """Make sense of what :func:`read_info` gave and of the parquet files of the episodes.

    Raises:
        DataError: If a file cannot be read, or something that has to be there is not.
    """
    try:
        table = pa.concat_tables(_episode_rows(file) for file in files)
        numbers = table.column("episode_index").to_numpy()
        order = np.argsort(numbers, kind="stable")
        table = table.take(pa.array(order))
        features = {key: _feature(key, given) for key, given in info["features"].items()}
        return Metadata(
            name=name,
            version=str(info["codebase_version"]),
            fps=float(info["fps"]),
            features=features,
            numbers=numbers[order].astype(np.int64),
            lengths=table.column("length").to_numpy().astype(np.int64),
            episodes=table,
            data_path=str(info["data_path"]),
            video_path=info.get("video_path"),
        )
    except (KeyError, TypeError, ValueError, OSError, pa.ArrowException) as error:
        raise DataError(
            f"the metadata of data set {name!r} cannot be read ({type(error).__name__}: {error})",
            hint="The data set is damaged, or was not written by lerobot.",
        ) from error


def _episode_rows(file: Path) -> pa.Table:
    """All about the episodes of a file but their statistics, which are most of it."""
    names = pq.read_schema(file).names
    return pq.read_table(
        file,
        columns=[name for name in names if not name.startswith(("stats/", "tasks"))],
        partitioning=None,
    )


def _feature(key: str, given: Mapping[str, Any]) -> Feature:
    names = given.get("names")
    return Feature(key, str(given["dtype"]), tuple(given["shape"]), tuple(_flat(names)))


def _flat(names: Any) -> list[str]:
    """Names of parts: data sets have lists, lists in lists, and groups of lists by name."""
    if isinstance(names, Mapping):
        names = list(names.values()) if not _are_numbers(names.values()) else list(names)
    if isinstance(names, list | tuple):
        return [name for part in names for name in _flat(part)]
    return [] if names is None else [str(names)]


def _are_numbers(values: Any) -> bool:
    """Whether names are given as name → place."""
    return all(isinstance(value, int) for value in values)


def _listed(features: Sequence[Feature]) -> str:
    return ", ".join(repr(feature.key) for feature in features) or "none"
