"""The I-PHYRE world: draws transitions, and leaves simulating to the columns."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.fingerprint import fingerprint, item_keys
from mezzanine_core.tasks import TaskSet
from mezzanine_core.worlds import Transitions, World, WorldData
from mezzanine_worlds_iphyre.catalogue import FPS, MAX_BLOCKS
from mezzanine_worlds_iphyre.column import FrameColumn
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.overlap import Separated, draw_test
from mezzanine_worlds_iphyre.samples import Sample
from mezzanine_worlds_iphyre.sampling import SAMPLER, draw, quotas
from mezzanine_worlds_iphyre.simulate import RENDERER
from mezzanine_worlds_iphyre.tasks import draw_tasks
from mezzanine_worlds_iphyre.versions import simulator_versions

ACTION_NAMES: tuple[str, ...] = (
    *(f"clicked_{block}" for block in range(MAX_BLOCKS)),
    *(f"when_{block}" for block in range(MAX_BLOCKS)),
)
"""What the 12 features of an action mean."""


def action_features(samples: Sequence[Sample]) -> npt.NDArray[np.float32]:
    """What was clicked between the frames of each sample, and when.

    Column b < 6 is 1 where block b was clicked in the window [t, t + Δ) and 0 otherwise; column
    6 + b is when, (step - t) / Δ in [0, 1), and 0 where it was not clicked. A game with fewer than
    6 removable blocks leaves the other columns 0. Different clicks give different features.

    Returns:
        float32 [n, 12]; :data:`ACTION_NAMES` names the columns.
    """
    features = np.zeros((len(samples), 2 * MAX_BLOCKS), np.float32)
    for row, sample in enumerate(samples):
        for step, block in sample.action:
            features[row, block] = 1.0
            features[row, MAX_BLOCKS + block] = (step - sample.start) / sample.delta
    return features


class IphyreWorld(World[IphyreConfig]):
    """Transitions of I-PHYRE games: a frame, the clicks of the next seconds, the frame after them.

    Args:
        config: The world's settings.
    """

    def source(self) -> Mapping[str, Any]:
        """The simulator, the libraries under it, the rendering and the platform.

        The platform is part of it because the physics is chaotic: another rounding of floating
        point numbers leads to other frames.

        Raises:
            MissingDependencyError: If the simulator is missing or of a version that does not work.
        """
        return {
            "world": "iphyre",
            "versions": simulator_versions(),
            "platform": f"{sys.platform}-{platform.machine()}",
            "fps": FPS,
            "renderer": RENDERER,
            "image_size": self.config.image_size,
        }

    def fingerprint(self) -> str:
        """Names the data set: source, everything that decides which samples are drawn, and seed."""
        sampling = self.config.fingerprint_payload()
        # `iphyre` and `iphyre@mezzanine-worlds-iphyre` are the same world.
        del sampling["name"]
        return fingerprint({"source": self.source(), "sampler": SAMPLER, "sampling": sampling})

    def load(self) -> WorldData:
        """Draw the splits ``train`` and ``test``; nothing is simulated.

        Raises:
            DataError: If there are too few distinct transitions, or the splits share some and
                ``overlap`` is ``fail``.
            MissingDependencyError: If the simulator is missing or of a version that does not work.
        """
        config = self.config
        source = fingerprint(self.source())
        train = {
            game: draw(config, "train", game, n)
            for game, n in quotas(config.n_train, config.games).items()
        }
        test = draw_test(config, train, quotas(config.n_test, config.games))
        return WorldData(
            splits={
                "train": self._transitions(train, source),
                "test": self._transitions(test.samples, source),
            },
            report={
                "fps": FPS,
                "delta_steps": config.delta_steps,
                "splits": {"train": _summary(train), "test": _summary(test.samples)},
                "overlap": {"policy": config.overlap, **_overlap(train, test)},
            },
        )

    def tasks(self, count: int, steps: int, seed: int) -> TaskSet:
        """Games to be solved by ``steps`` acts of Δ each, from the games in turn.

        See :class:`~mezzanine_core.tasks.PlayableWorld` and
        :class:`~mezzanine_worlds_iphyre.tasks.GameTask`.

        Raises:
            ConfigError: If the acts take longer than ``max_steps``.
            DataError: If random clicks solve too few of the games.
            MissingDependencyError: If the simulator is missing or of a version that does not work.
        """
        simulator_versions()
        return draw_tasks(self.config, count, steps, seed, self.progress)

    def _transitions(self, by_game: Mapping[str, list[Sample]], source: str) -> Transitions:
        samples = list(chain.from_iterable(by_game.values()))
        size = self.config.image_size
        trajectories = item_keys(source, (["episode", s.game, s.clicks] for s in samples))
        return Transitions(
            obs=FrameColumn([sample.obs for sample in samples], size, source),
            next_obs=FrameColumn([sample.next_obs for sample in samples], size, source),
            action=action_features(samples),
            action_names=ACTION_NAMES,
            episode=trajectories[:, :8].copy().view("<i8")[:, 0].astype(np.int64),
            keys=item_keys(source, (["transition", *sample.transition] for sample in samples)),
        )


def _summary(by_game: Mapping[str, list[Sample]]) -> dict[str, Any]:
    """How a split came out: sizes, and the shares of samples without a click between the frames."""
    samples = list(chain.from_iterable(by_game.values()))
    return {
        "samples": len(samples),
        "quotas": {game: len(part) for game, part in by_game.items()},
        "distinct_transitions": len({sample.transition for sample in samples}),
        "distinct_frames": len({f for sample in samples for f in (sample.obs, sample.next_obs)}),
        "episodes": len({(sample.game, sample.clicks) for sample in samples}),
        "no_action_fraction": _quiet(samples),
        "no_action_fraction_by_game": {game: _quiet(part) for game, part in by_game.items()},
    }


def _quiet(samples: Sequence[Sample]) -> float | None:
    """Share of samples without a click between the frames; ``None`` where there is no sample."""
    return sum(not sample.action for sample in samples) / len(samples) if samples else None


def _overlap(train: Mapping[str, list[Sample]], test: Separated) -> dict[str, int]:
    """What the splits have in common, in numbers of test samples and of distinct frames."""
    ours = list(chain.from_iterable(train.values()))
    theirs = list(chain.from_iterable(test.samples.values()))
    transitions = {sample.transition for sample in ours}
    episodes = {(sample.game, sample.clicks) for sample in ours}
    starts = {sample.obs for sample in ours}
    frames = starts | {sample.next_obs for sample in ours}
    return {
        "shared_transitions_found": test.shared,
        "repeated_transitions_found": test.repeated,
        "transitions_replaced": test.replaced,
        "shared_transitions_left": sum(sample.transition in transitions for sample in theirs),
        "samples_of_shared_episodes": sum((s.game, s.clicks) in episodes for s in theirs),
        "shared_initial_states": len({sample.obs for sample in theirs} & starts),
        "samples_with_shared_initial_state": sum(sample.obs in starts for sample in theirs),
        "shared_frames": len({f for s in theirs for f in (s.obs, s.next_obs)} & frames),
    }
