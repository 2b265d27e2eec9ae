"""The LeRobot world: draws pairs of frames by episode, and leaves decoding to the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.episodes import Pairs, draw_pairs, pairs_available, split_episodes
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import Keys, fingerprint, item_keys
from mezzanine_core.worlds import Transitions, World, WorldData
from mezzanine_worlds_lerobot.backends import Backend, choose_backend
from mezzanine_worlds_lerobot.column import FrameColumn, Places, Task
from mezzanine_worlds_lerobot.config import LeRobotConfig
from mezzanine_worlds_lerobot.images import ImageTask
from mezzanine_worlds_lerobot.metadata import Feature, Ints, Metadata
from mezzanine_worlds_lerobot.sources import LocalFolder, Source
from mezzanine_worlds_lerobot.steps import Floats, Steps, read_steps
from mezzanine_worlds_lerobot.video import VideoTask

SAMPLER = 1
"""Version of the way pairs are drawn; it grows when the same settings would give others."""

DECODER = 1
"""Version of how stored frames become images; it grows with every change of what comes out."""

_LEAST_TOLERANCE = 1e-4
_TOLERANCE = 0.1
"""How far from its time a frame may be, as a share of the time between frames. ``lerobot`` allows
the least tolerance, in seconds, alone; with either, only one frame fits."""

_ELSEWHERE = ("name", "repo_id", "root", "revision", "camera_key", "image_size", "video_backend")
"""Settings that the source stands for in a fingerprint."""


@dataclass(frozen=True, eq=False)
class _Opened:
    """What is known of a data set before anything of it is read but its metadata."""

    source: Source
    metadata: Metadata
    camera: Feature
    action: Feature
    state: Feature | None


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The pairs of each split; episodes are places in the metadata.

    Attributes:
        chosen: Places of the episodes that were drawn from.
        pairs: Split → pairs.
        episodes: Split → places of its episodes.
    """

    chosen: Ints
    pairs: Mapping[str, Pairs]
    episodes: Mapping[str, Ints]


class LeRobotWorld(World[LeRobotConfig]):
    """Frames of one camera before and after Δ steps of what a robot did.

    Files are opened when something is asked that needs them.

    Args:
        config: The world's settings.
    """

    def source(self) -> Mapping[str, Any]:
        """The data set (a commit, or the digests that item keys hold), camera, decoder and size.

        Raises:
            MezzError: If the data set cannot be found or is not one that is read.
        """
        return {
            "world": "lerobot",
            "dataset": dict(self._opened.source.identity()),
            "camera": self._opened.camera.key,
            "decoder": {"code": DECODER, **self._decoder},
            "size": self.config.image_size,
        }

    def fingerprint(self) -> str:
        """Names the data set: the files that are used, everything that decides the draw, seed."""
        settings = self.config.fingerprint_payload()
        source = self._opened.source
        files = [*source.metadata_files(), *self._files]
        return fingerprint(
            {
                "source": self.source(),
                "files": {name: source.file_identity(name) for name in files},
                "sampler": SAMPLER,
                "sampling": {
                    name: value for name, value in settings.items() if name not in _ELSEWHERE
                },
            }
        )

    def load(self) -> WorldData:
        """Draw the splits ``train`` and ``test``; no frame is decoded.

        Raises:
            ConfigError: If a feature or an episode is not there, or the action is no vector of real
                numbers; what there is is listed.
            DataError: If there are too few pairs or episodes, an action or a state is not finite,
                or a file is missing or damaged.
            DatasetNotFoundError: If the data set is not to be had.
            FormatError: If the data set is in another version of LeRobot's format.
        """
        splits = {name: self._split(pairs) for name, pairs in self._drawn.pairs.items()}
        return WorldData(splits, self._report())

    def pairs(self) -> Mapping[str, Pairs]:
        """Where the transitions of each split lie, in their order; episodes by their number."""
        numbers = self._opened.metadata.numbers
        return {
            name: Pairs(numbers[pairs.episode], pairs.start)
            for name, pairs in self._drawn.pairs.items()
        }

    @cached_property
    def _opened(self) -> _Opened:
        source = open_source(self.config)
        metadata = source.metadata()
        config = self.config
        state = None if config.state_key is None else metadata.vector(config.state_key, "state")
        return _Opened(
            source,
            metadata,
            metadata.camera(config.camera_key),
            metadata.vector(config.action_key, "action"),
            state,
        )

    @cached_property
    def _backend(self) -> Backend | None:
        """What decodes the camera's video; ``None`` for images."""
        if self._opened.camera.dtype != "video":
            return None
        return choose_backend(self.config.video_backend)

    @property
    def _decoder(self) -> dict[str, str]:
        return {"name": "pillow"} if self._backend is None else asdict(self._backend)

    @cached_property
    def _drawn(self) -> _Drawn:
        config, metadata = self.config, self._opened.metadata
        chosen = metadata.chosen(config.episodes)
        lengths = metadata.lengths[chosen]
        split, *draws = np.random.default_rng(config.seed).spawn(3)
        sides = split_episodes(lengths, config.delta_steps, config.n_train, config.n_test, split)
        pairs, episodes = {}, {}
        for name, side, n, rng in zip(
            ("train", "test"), sides, (config.n_train, config.n_test), draws, strict=True
        ):
            drawn = draw_pairs(lengths, side, config.delta_steps, n, rng)
            pairs[name] = Pairs(chosen[drawn.episode], drawn.start)
            episodes[name] = chosen[side]
        return _Drawn(chosen, pairs, episodes)

    @cached_property
    def _used(self) -> list[int]:
        """Places of the episodes that a pair was drawn from."""
        drawn = [pairs.episode for pairs in self._drawn.pairs.values()]
        return [int(place) for place in np.unique(np.concatenate(drawn))]

    @cached_property
    def _files(self) -> list[str]:
        """Names of the files that the pairs lie in."""
        metadata = self._opened.metadata
        data = {metadata.data_file(place) for place in self._used}
        return sorted({*data, *map(self._camera_file, self._used)})

    def _camera_file(self, place: int) -> str:
        """Name of the file with the frames of the episode at that place."""
        metadata, camera = self._opened.metadata, self._opened.camera
        if camera.dtype == "video":
            return metadata.video_file(place, camera.key)
        return metadata.data_file(place)

    @cached_property
    def _steps(self) -> dict[int, Steps]:
        opened = self._opened
        vectors = [opened.action] + ([] if opened.state is None else [opened.state])
        return read_steps(opened.source, opened.metadata, self._used, vectors)

    def _split(self, pairs: Pairs) -> Transitions:
        delta, opened = self.config.delta_steps, self._opened
        action = self._vectors(pairs, opened.action, delta)
        state = None if opened.state is None else self._vectors(pairs, opened.state, 1)
        obs = self._column(pairs.episode, pairs.start)
        return Transitions(
            obs=obs,
            next_obs=self._column(pairs.episode, pairs.start + delta),
            action=action,
            action_names=tuple(
                f"{name}@{step}" for step in range(delta) for name in opened.action.part_names()
            ),
            episode=opened.metadata.numbers[pairs.episode],
            keys=self._transition_keys(pairs, obs.keys),
            state=state,
            state_names=() if opened.state is None else opened.state.part_names(),
        )

    def _vectors(self, pairs: Pairs, feature: Feature, steps: int) -> Floats:
        """The values of a feature at ``steps`` steps from each start on, float32 [n, steps · A].

        Raises:
            DataError: If one of them is not finite.
        """
        found = np.empty((len(pairs), steps * feature.shape[0]), np.float32)
        for place, rows in _by_episode(pairs.episode):
            values = self._steps[place].vectors[feature.key]
            window = pairs.start[rows][:, None] + np.arange(steps)
            bad = np.intersect1d(window, np.flatnonzero(~np.isfinite(values).all(axis=1)))
            if bad.size:
                raise DataError(
                    f"{feature.key!r} of episode {self._opened.metadata.numbers[place]}, frame "
                    f"{bad[0]}, is not finite: {values[bad[0]].tolist()}",
                    hint="Leave the episode out with --episodes, or mend the data set.",
                )
            found[rows] = values[window].reshape(len(rows), -1)
        return found

    def _column(self, episode: Ints, step: Ints) -> FrameColumn:
        """The frames at some steps of some episodes."""
        camera = self._opened.camera
        files = tuple(sorted({self._camera_file(place) for place in self._used}))
        number = {name: index for index, name in enumerate(files)}
        file, at = np.empty(len(step), np.int64), np.empty(len(step), np.int64)
        for place, rows in _by_episode(episode):
            steps = self._steps[place]
            file[rows] = number[self._camera_file(place)]
            if camera.dtype == "video":
                start = self._opened.metadata.video_start(place, camera.key)
                at[rows] = np.round(1e6 * (start + steps.seconds[step[rows]]))
            else:
                at[rows] = steps.row[step[rows]]
        places = Places(files, file, at)
        return FrameColumn(places, self._frame_keys(places), self._opened.source.file, self._task)

    @property
    def _task(self) -> Callable[[Path, Sequence[int]], Task]:
        """What makes the task of decoding some frames of a file."""
        opened, size = self._opened, self.config.image_size
        if self._backend is None:
            return partial(_image_task, opened.camera.key, size)
        tolerance = max(_LEAST_TOLERANCE, _TOLERANCE / opened.metadata.fps)
        return partial(_video_task, self._backend, tolerance, size)

    def _frame_keys(self, places: Places) -> Keys:
        """Keys of frames: the source, the content of the file, and the place in it."""
        contents = [self._opened.source.file_identity(name) for name in places.files]
        pairs = zip(places.file.tolist(), places.at.tolist(), strict=True)
        return item_keys(fingerprint(self.source()), ([contents[file], at] for file, at in pairs))

    def _transition_keys(self, pairs: Pairs, obs: Keys) -> Keys:
        """Keys of pairs: the first frame, and where the actions and the second one are from."""
        config, opened = self.config, self._opened
        data = {
            place: opened.source.file_identity(opened.metadata.data_file(place))
            for place in self._used
        }
        rest = [config.delta_steps, opened.action.key, config.state_key]
        rows = zip(pairs.episode.tolist(), pairs.start.tolist(), obs, strict=True)
        return item_keys(
            fingerprint(self.source()),
            (
                [key.tobytes().hex(), data[place], int(opened.metadata.numbers[place]), t, *rest]
                for place, t, key in rows
            ),
        )

    def _report(self) -> dict[str, Any]:
        opened, drawn, config = self._opened, self._drawn, self.config
        metadata = opened.metadata
        available = pairs_available(metadata.lengths, config.delta_steps)
        return {
            **opened.source.describe(),
            "format": metadata.version,
            "fps": metadata.fps,
            "delta_steps": config.delta_steps,
            "delta_seconds": config.delta_steps / metadata.fps,
            "camera": {**asdict(opened.camera), "decoder": self._decoder},
            "action": asdict(opened.action),
            "state": None if opened.state is None else asdict(opened.state),
            "episodes": len(drawn.chosen),
            "splits": {
                name: {
                    "episodes": len(places),
                    "pairs_available": int(available[places].sum()),
                    "pairs": len(drawn.pairs[name]),
                }
                for name, places in drawn.episodes.items()
            },
        }


def open_source(config: LeRobotConfig) -> Source:
    """Where the data set that the settings name is.

    Raises:
        ConfigError: If the local folder holds none, or the hub id is malformed.
        DatasetNotFoundError: If the hub does not give it and it is not cached.
        FormatError: If the hub has it in another version of the format only.
    """
    if config.root is not None:
        folder = Path(config.root).expanduser()
        return LocalFolder(folder, config.repo_id or folder.resolve().name)
    # Not at the top, so that local folders do without huggingface_hub.
    from mezzanine_worlds_lerobot.hub import open_hub

    assert config.repo_id is not None
    return open_hub(config.repo_id, config.revision)


def _by_episode(episode: Ints) -> list[tuple[int, npt.NDArray[np.int64]]]:
    """Each episode with the rows that are of it."""
    # Pairs are sorted by episode, so the rows of each are together.
    places, begins = np.unique(episode, return_index=True)
    rows = np.split(np.arange(len(episode)), begins[1:])
    return list(zip(places.tolist(), rows, strict=True))


def _video_task(
    backend: Backend, tolerance: float, size: int | None, path: Path, at: Sequence[int]
) -> Task:
    return VideoTask(path, [micro / 1e6 for micro in at], tolerance, size, backend.name)


def _image_task(camera: str, size: int | None, path: Path, at: Sequence[int]) -> Task:
    return ImageTask(path, camera, at, size)
