"""The world ``hopper``: plays episodes and draws transitions; drawing is left to the columns."""

import platform
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from mezzanine_core.episodes import draw_pairs
from mezzanine_core.fingerprint import fingerprint, item_keys
from mezzanine_core.tasks import TaskSet
from mezzanine_core.worlds import ArrayColumn, Column, Transitions, World, WorldData

from mezzanine_worlds_hopper.column import FrameColumn
from mezzanine_worlds_hopper.config import HopperConfig
from mezzanine_worlds_hopper.drawing import DRAWING
from mezzanine_worlds_hopper.episodes import (
    COMMANDS,
    SAMPLER,
    Episode,
    Stream,
    generator,
    lengths,
    play_enough,
)
from mezzanine_worlds_hopper.physics import PHYSICS
from mezzanine_worlds_hopper.tasks import draw_tasks


class HopperWorld(World[HopperConfig]):
    """Transitions of a one-legged robot: the top of a flight, Δ commands, the top of a later one.

    Args:
        config: The world's settings.
    """

    def source(self) -> Mapping[str, Any]:
        """The robot and its pictures: all that decides what items and outcomes are like."""
        config = self.config
        source: dict[str, Any] = {
            "world": "hopper",
            "physics": PHYSICS,
            "stiffness": config.stiffness,
            "gravity": config.gravity,
            "observations": config.observations,
        }
        if config.observations == "frames":
            source |= {"drawing": DRAWING, "frame_size": config.frame_size}
        return source

    def fingerprint(self) -> str:
        """Names the data set: source, all that decides which samples are drawn, seed, platform.

        The platform is part of it because another rounding of sines leads to other last digits.
        """
        sampling = self.config.fingerprint_payload()
        # `hopper` and `hopper@mezzanine-worlds-hopper` are the same world.
        del sampling["name"]
        machine = f"{sys.platform}-{platform.machine()}"
        return fingerprint(
            {"source": self.source(), "sampler": SAMPLER, "sampling": sampling, "on": machine}
        )

    def load(self) -> WorldData:
        """Play the episodes and draw the splits ``train`` and ``test``; no picture is drawn.

        Raises:
            DataError: If the robots fall so often that there are not enough samples.
        """
        config = self.config
        episodes = {
            "train": play_enough(config, "train", config.n_train),
            "test": play_enough(config, "test", config.n_test),
        }
        return WorldData(
            splits={
                "train": self._transitions("train", episodes["train"], config.n_train),
                "test": self._transitions("test", episodes["test"], config.n_test),
            },
            report={
                "delta_hops": config.delta_hops,
                "splits": {name: _summary(played, config) for name, played in episodes.items()},
            },
        )

    def tasks(self, count: int, steps: int, seed: int) -> TaskSet:
        """Heights and speeds to be reached in ``steps`` acts of Δ hops each.

        See :class:`~mezzanine_core.tasks.PlayableWorld`.

        Raises:
            ConfigError: If the acts take longer than ``episode_hops``.
            DataError: If the robots fall too often.
        """
        return draw_tasks(self.config, count, steps, seed)

    def _transitions(self, stream: Stream, episodes: list[Episode], n: int) -> Transitions:
        config, delta = self.config, self.config.delta_hops
        every = np.arange(len(episodes), dtype=np.int64)
        rng = generator(config.seed, stream)
        pairs = draw_pairs(lengths(episodes), every, delta, n, rng)
        where = list(zip(pairs.episode.tolist(), pairs.start.tolist(), strict=True))
        obs = np.stack([episodes[i].apexes[t] for i, t in where]).astype(np.float32)
        after = np.stack([episodes[i].apexes[t + delta] for i, t in where]).astype(np.float32)
        action = np.stack([episodes[i].commands[t : t + delta].ravel() for i, t in where])
        whole = np.concatenate([obs, action, after], axis=1)
        return Transitions(
            obs=self._column(obs),
            next_obs=self._column(after),
            action=action,
            action_names=tuple(f"{name}@{step}" for step in range(delta) for name in COMMANDS),
            episode=pairs.episode,
            keys=item_keys(self._source, (["transition", *row] for row in whole.tolist())),
        )

    @property
    def _source(self) -> str:
        return fingerprint(self.source())

    def _column(self, apexes: npt.NDArray[np.float32]) -> Column:
        config = self.config
        if config.observations == "vector":
            return ArrayColumn(apexes, "vector")
        return FrameColumn(apexes, config.frame_size, config.gravity, self._source)


def _summary(episodes: list[Episode], config: HopperConfig) -> dict[str, Any]:
    """What a reader of the results should know of a split; moments are of height and speed."""
    seen = np.concatenate([episode.apexes for episode in episodes])
    fell = sum(len(episode.commands) < config.episode_hops for episode in episodes)
    return {
        "episodes": len(episodes),
        "fell": fell,
        "mean": seen.mean(axis=0).tolist(),
        "std": seen.std(axis=0).tolist(),
    }
