"""Playing episodes: each from a seed of its own, recorded as what it takes to play it again.

Episode number i of a split is seeded by (seed, split, i) alone and played in an environment made
afresh. So it is the same however many are played, in what order and in how many processes.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.errors import DataError, MezzError
from mezzanine_core.fingerprint import KEY_BYTES, Keys
from mezzanine_core.progress import SILENT, Progress
from mezzanine_worlds_gymnasium.actions import action_codec
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.environments import EnvRef, blamed, headless, make, renders_every
from mezzanine_worlds_gymnasium.observations import Flattener, all_finite, digest
from mezzanine_worlds_gymnasium.policies import load_policy

SAMPLER = 1
"""Version of how episodes and pairs are drawn; it grows when the same settings give others."""

Split = Literal["train", "test", "task"]
"""What episodes are for: the splits, or tasks, which are no part of them."""

_EPISODES: dict[Split, int] = {"train": 0, "test": 1, "task": 4}
_PAIRS: dict[Split, int] = {"train": 2, "test": 3}

_NOTHING = np.empty(0, np.float32)


class RollTask(NamedTuple):
    """An episode to play; picklable, so that it can be sent to a worker process.

    Attributes:
        config: The world's settings.
        split: The split it is for.
        number: i, its number.
    """

    config: GymnasiumConfig
    split: Split
    number: int


@dataclass(frozen=True, eq=False)
class Episode:
    """What was played: T actions and T + 1 observations.

    Attributes:
        seed: What the environment was reset with.
        actions: Every action, [T, *shape], as the action space has them.
        observed: A digest of each observation alone, uint8 [T + 1, 16].
        history: A digest of everything up to each observation: actions, and observations with it,
            uint8 [T + 1, 16]. Episodes of one seed share it as long as they are played alike.
        vectors: The flattened observations, float32 [T + 1, D]; D = 0 where frames are wanted.
        terminated: Whether the environment ended it, rather than ``max_steps``.
    """

    seed: int
    actions: npt.NDArray[Any]
    observed: Keys
    history: Keys
    vectors: npt.NDArray[np.float32]
    terminated: bool

    def __len__(self) -> int:
        """T + 1, the number of its observations."""
        return len(self.observed)


def env_ref(config: GymnasiumConfig) -> EnvRef:
    """Which environment the settings name, and how it is rendered.

    Raises:
        UnknownNameError: If there is no such environment.
        MissingDependencyError: If the package that registers it is not installed.
    """
    render = config.observations == "frames"
    if config.rendering == "auto":
        every = render and renders_every(config.env_id)
    else:
        every = render and config.rendering == "every"
    return EnvRef(config.env_id, config.env_kwargs, render, every)


def generator(config: GymnasiumConfig, stream: int, number: int = 0) -> np.random.Generator:
    """The random stream of that kind and number."""
    return np.random.default_rng([config.seed, stream, number])


def pair_generator(config: GymnasiumConfig, split: Split) -> np.random.Generator:
    """The random stream that draws a split's pairs."""
    return generator(config, _PAIRS[split])


def roll(task: RollTask) -> Episode:
    """Play one episode.

    Raises:
        DataError: If the environment fails, an observation is not finite, or the policy gives an
            action that the environment does not take.
        MissingDependencyError: If something that the environment needs is not installed.
        ConfigError: If the environment or the policy cannot be made.
    """
    ref = env_ref(task.config)
    rng = generator(task.config, _EPISODES[task.split], task.number)
    seed = int(rng.integers(2**31))
    with headless(), closing(make(ref)) as env, blamed(ref, f"playing the episode of seed {seed}"):
        return _Player(task, env, rng).play(seed)


class _Player:
    """One episode under way."""

    def __init__(self, task: RollTask, env: Any, rng: np.random.Generator) -> None:
        config = task.config
        self._config, self._env, self._rng = config, env, rng
        self._policy = load_policy(config.policy, env)
        self._codec = action_codec(env.action_space, config.env_id)
        # A copy, so that nothing is drawn from the generator of the environment's own.
        self._space = copy.deepcopy(env.action_space)
        self._space.seed(int(rng.integers(2**31)))
        flat = config.observations == "vector"
        self._flatten = Flattener(env.observation_space, config.env_id) if flat else None
        self._where = f"{task.split} episode {task.number}"

    def play(self, seed: int) -> Episode:
        observation, _ = self._env.reset(seed=seed)
        self._observed: list[bytes] = []
        self._history: list[bytes] = []
        self._vectors: list[npt.NDArray[np.float32]] = []
        self._record(observation, b"")
        actions: list[Any] = []
        terminated = truncated = False
        while len(actions) < self._config.max_steps and not (terminated or truncated):
            if len(actions) % self._config.repeat_action == 0:
                action = self._choose(observation, len(actions))
            # Environments may change what they are given.
            observation, _, terminated, truncated, _ = self._env.step(copy.copy(action))
            actions.append(action)
            self._record(observation, np.asarray(action).tobytes())
        return Episode(
            seed=seed,
            actions=np.array(actions, self._codec.dtype).reshape(-1, *self._codec.shape),
            observed=_keys(self._observed),
            history=_keys(self._history),
            vectors=np.stack(self._vectors),
            terminated=bool(terminated),
        )

    def _choose(self, observation: Any, step: int) -> Any:
        """An action of the policy, or, with probability epsilon, of the action space."""
        if self._config.epsilon and self._rng.random() < self._config.epsilon:
            return self._space.sample()
        whose = f"the policy {self._config.policy!r} at step {step}"
        try:
            action = self._policy(observation, step, self._rng, self._space)
        except MezzError:
            raise
        except Exception as error:
            raise DataError(f"{whose} fails: {type(error).__name__}: {error}") from error
        return self._codec.checked(action, whose)

    def _record(self, observation: Any, action: bytes) -> None:
        step = len(self._observed)
        vector = _NOTHING if self._flatten is None else self._flatten(observation)
        if not all_finite(observation) or not np.isfinite(vector).all():
            raise self._not_finite(observation, step)
        self._vectors.append(vector)
        seen = digest(observation)
        before = self._history[-1] if self._history else b""
        self._observed.append(seen)
        self._history.append(digest((), before, action, seen))

    def _not_finite(self, observation: Any, step: int) -> DataError:
        return DataError(
            f"the environment {self._config.env_id!r} gives an observation that is not finite, at "
            f"step {step} of {self._where}: {observation}"
        )


def _keys(digests: list[bytes]) -> Keys:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, KEY_BYTES)


def play_split(
    config: GymnasiumConfig, split: Split, n: int, progress: Progress = SILENT
) -> list[Episode]:
    """Play episodes until they have ``n`` pairs and are as many as those are spread over.

    Args:
        config: The world's settings.
        split: Which split they are for.
        n: How many pairs are wanted.
        progress: Where it is shown how many of the episodes have been played; how many that will be
            is known once their length is.

    Raises:
        DataError: If ``max_episodes`` episodes have fewer pairs, or one cannot be played.
        MissingDependencyError: If something that the environment needs is not installed.
        ConfigError: If the environment or the policy cannot be made.
    """
    wanted = config.episodes_wanted(n)
    episodes: list[Episode] = []
    pairs = 0
    with (
        LocalExecutor(LocalConfig(workers=config.num_envs)) as executor,
        progress.task(f"play {split} episodes", wanted) as task,
    ):
        for episode in executor.map(roll, _tasks(config, split)):
            episodes.append(episode)
            pairs += max(0, len(episode) - config.delta_steps)
            task.total = max(wanted, math.ceil(n * len(episodes) / pairs)) if pairs else None
            task.advance()
            if pairs >= n and len(episodes) >= wanted:
                return episodes
    longest = max(map(len, episodes)) - 1
    if pairs == 0:
        raise DataError(
            f"delta_steps={config.delta_steps} is longer than every episode: the longest of "
            f"{len(episodes)} {split} episodes of {config.env_id!r} has {longest} steps",
            hint="Lower delta_steps, or use a policy that keeps episodes going.",
        )
    raise DataError(
        f"{n} {split} samples are asked for, but max_episodes={config.max_episodes} episodes of "
        f"{config.env_id!r} have {pairs} pairs of observations {config.delta_steps} steps apart "
        f"(the longest has {longest} steps)",
        hint=f"Lower n_{split} or delta_steps, or raise max_episodes.",
    )


def _tasks(config: GymnasiumConfig, split: Split) -> Iterator[RollTask]:
    return (RollTask(config, split, i) for i in islice(count(), config.max_episodes))
