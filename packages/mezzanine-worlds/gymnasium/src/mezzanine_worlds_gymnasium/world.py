"""The Gymnasium world: plays episodes and draws transitions; rendering is left to the columns."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.episodes import Pairs, draw_pairs
from mezzanine_core.fingerprint import fingerprint, item_keys
from mezzanine_core.tasks import TaskSet
from mezzanine_core.worlds import ArrayColumn, Column, Transitions, World, WorldData
from mezzanine_worlds_gymnasium.actions import ActionCodec, action_codec, one_line
from mezzanine_worlds_gymnasium.column import FrameColumn
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.environments import (
    check_renders,
    family,
    headless,
    make,
    mujoco_gl,
)
from mezzanine_worlds_gymnasium.observations import Flattener
from mezzanine_worlds_gymnasium.overlap import overlap, transitions
from mezzanine_worlds_gymnasium.policies import policy_identity
from mezzanine_worlds_gymnasium.render import RENDERER
from mezzanine_worlds_gymnasium.rollout import (
    SAMPLER,
    Episode,
    Split,
    env_ref,
    pair_generator,
    play_split,
)
from mezzanine_worlds_gymnasium.tasks import draw_tasks
from mezzanine_worlds_gymnasium.versions import simulator_versions


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Episodes of a split, and the pairs that are its samples."""

    episodes: list[Episode]
    pairs: Pairs


@dataclass(frozen=True, eq=False)
class _Interface:
    """What an environment takes and gives."""

    codec: ActionCodec
    action_space: str
    observation_space: str


class GymnasiumWorld(World[GymnasiumConfig]):
    """Transitions of a Gymnasium environment: an observation, Δ actions, the observation then.

    Args:
        config: The world's settings.
    """

    def source(self) -> Mapping[str, Any]:
        """The environment, what simulates and draws it, and the platform.

        The platform is part of it because another rounding of floating point numbers leads to other
        states.

        Raises:
            UnknownNameError: If there is no such environment.
            MissingDependencyError: If the package that registers it is not installed.
        """
        config, ref = self.config, env_ref(self.config)
        source: dict[str, Any] = {
            "world": "gymnasium",
            "env_id": config.env_id,
            "env_kwargs": config.env_kwargs,
            "versions": simulator_versions(ref),
            "platform": f"{sys.platform}-{platform.machine()}",
            "observations": config.observations,
        }
        if ref.render:
            source |= {
                "renderer": RENDERER,
                "rendering": "every" if ref.every else "wanted",
                "frame_size": config.frame_size,
            }
            if family(ref) == "mujoco":
                source["mujoco_gl"] = mujoco_gl()
        return source

    def fingerprint(self) -> str:
        """Names the data set: source, policy, all that decides which samples are drawn, and seed.

        Raises:
            UnknownNameError: If there is no such environment.
            MissingDependencyError: If the package of the environment or the module of the policy is
                not installed.
            ConfigError: If there is no such policy.
        """
        sampling = self.config.fingerprint_payload()
        # `gymnasium` and `gymnasium@mezzanine-worlds-gymnasium` are the same world.
        del sampling["name"]
        sampling["policy"] = policy_identity(self.config.policy)
        return fingerprint({"source": self.source(), "sampler": SAMPLER, "sampling": sampling})

    def load(self) -> WorldData:
        """Play the episodes and draw the splits ``train`` and ``test``; nothing is rendered.

        Raises:
            DataError: If the environment cannot render, has an action space that is not supported,
                fails or gives what is not finite; if Δ is longer than every episode, or
                ``max_episodes`` do not have as many samples as are asked for.
            UnknownNameError: If there is no such environment.
            MissingDependencyError: If something that the environment needs is not installed.
            ConfigError: If it refuses its arguments, or there is no such policy.
        """
        config = self.config
        source = fingerprint(self.source())
        interface = self._interface()
        train, test = self._drawn("train", config.n_train), self._drawn("test", config.n_test)
        shared = overlap(train.episodes, train.pairs, test.episodes, test.pairs, config.delta_steps)
        return WorldData(
            splits={
                "train": self._transitions(train, interface.codec, source),
                "test": self._transitions(test, interface.codec, source),
            },
            report={
                "env_id": config.env_id,
                "delta_steps": config.delta_steps,
                "policy": config.policy,
                "versions": simulator_versions(env_ref(config)),
                "action": {
                    "space": interface.action_space,
                    # Without finite bounds they are not scaled to [-1, 1].
                    "unscaled": list(interface.codec.unscaled),
                },
                "observation": {"space": interface.observation_space, **_moments(train)},
                "splits": {"train": self._summary(train), "test": self._summary(test)},
                "overlap": shared,
            },
        )

    def tasks(self, count: int, steps: int, seed: int) -> TaskSet:
        """Goals that the policy reaches in ``steps`` acts of Δ each, to be reached again.

        See :class:`~mezzanine_core.tasks.PlayableWorld` and
        :class:`~mezzanine_worlds_gymnasium.tasks.EpisodeTask`.

        Raises:
            ConfigError: If the acts take longer than ``max_steps``; or as :meth:`load`.
            DataError: If too few episodes make a task; or as :meth:`load`.
            UnknownNameError: If there is no such environment.
            MissingDependencyError: If something that the environment needs is not installed.
        """
        return draw_tasks(self.config, count, steps, seed, self.progress)

    def _interface(self) -> _Interface:
        """Look at the environment before anything is played."""
        config, ref = self.config, env_ref(self.config)
        with headless(), closing(make(ref)) as env:
            if ref.render:
                check_renders(ref, env)
            else:
                Flattener(env.observation_space, config.env_id)
            return _Interface(
                action_codec(env.action_space, config.env_id, _meanings(env)),
                one_line(env.action_space),
                one_line(env.observation_space),
            )

    def _drawn(self, split: Split, n: int) -> _Drawn:
        config = self.config
        episodes = play_split(config, split, n, self.progress)
        lengths = np.array([len(episode) for episode in episodes], np.int64)
        rng = pair_generator(config, split)
        every = np.arange(len(episodes), dtype=np.int64)
        return _Drawn(episodes, draw_pairs(lengths, every, config.delta_steps, n, rng))

    def _transitions(self, drawn: _Drawn, codec: ActionCodec, source: str) -> Transitions:
        delta = self.config.delta_steps
        episodes, number, start = drawn.episodes, drawn.pairs.episode, drawn.pairs.start
        trajectories = item_keys(
            source, (["episode", e.seed, e.history[-1].tobytes().hex()] for e in episodes)
        )
        chunks = np.concatenate(
            [episodes[e].actions[t : t + delta] for e, t in _listed(drawn.pairs)]
        )
        return Transitions(
            obs=self._column(episodes, number, start, source),
            next_obs=self._column(episodes, number, start + delta, source),
            action=codec.features(chunks).reshape(len(start), delta * codec.size),
            action_names=codec.chunk_names(delta),
            episode=trajectories[:, :8].copy().view("<i8")[:, 0].astype(np.int64)[number],
            keys=item_keys(source, self._identities(drawn)),
        )

    def _identities(self, drawn: _Drawn) -> Iterator[list[Any]]:
        """What tells each transition from every other.

        A vector is what was observed, and so are its transitions. A frame may show more than that,
        so transitions of frames are the same only if all was the same from the seed on.
        """
        delta, episodes = self.config.delta_steps, drawn.episodes
        if self.config.observations == "vector":
            for identity in transitions(episodes, drawn.pairs, delta):
                yield ["transition", *(part.hex() for part in identity)]
        else:
            for e, t in _listed(drawn.pairs):
                history = episodes[e].history[t + delta].tobytes()
                yield ["transition", episodes[e].seed, t, delta, history.hex()]

    def _column(
        self,
        episodes: list[Episode],
        number: npt.NDArray[np.int64],
        step: npt.NDArray[np.int64],
        source: str,
    ) -> Column:
        if self.config.observations == "frames":
            size, ref = self.config.frame_size, env_ref(self.config)
            return FrameColumn(episodes, number, step, env=ref, size=size, source=source)
        return ArrayColumn(_vectors(episodes, number, step), "vector")

    def _summary(self, drawn: _Drawn) -> dict[str, Any]:
        """How a split came out."""
        steps = [len(episode) - 1 for episode in drawn.episodes]
        return {
            "samples": len(drawn.pairs),
            "distinct_transitions": len(
                set(transitions(drawn.episodes, drawn.pairs, self.config.delta_steps))
            ),
            "episodes_played": len(drawn.episodes),
            "episodes": len(np.unique(drawn.pairs.episode)),
            "episode_steps": {
                "min": min(steps),
                "mean": sum(steps) / len(steps),
                "max": max(steps),
            },
            "terminated_fraction": sum(e.terminated for e in drawn.episodes) / len(steps),
        }


def _meanings(env: Any) -> Sequence[str] | None:
    """Names of discrete actions, which Atari games have."""
    names = getattr(env.unwrapped, "get_action_meanings", None)
    return None if names is None else names()


def _listed(pairs: Pairs) -> list[tuple[int, int]]:
    return list(zip(pairs.episode.tolist(), pairs.start.tolist(), strict=True))


def _vectors(
    episodes: Sequence[Episode], number: npt.NDArray[np.int64], step: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    places = zip(number.tolist(), step.tolist(), strict=True)
    return np.stack([episodes[e].vectors[t] for e, t in places])


def _moments(train: _Drawn) -> dict[str, list[float]]:
    """Mean and standard deviation of the training observations, by which one may scale them."""
    seen = _vectors(train.episodes, train.pairs.episode, train.pairs.start).astype(np.float64)
    if seen.shape[1] == 0:
        return {}
    return {"mean": seen.mean(axis=0).tolist(), "std": seen.std(axis=0).tolist()}
