"""An environment to act in: for planners that play their plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_gymnasium.actions import ActionCodec, Features, action_codec
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.environments import blamed, check_renders, headless, make
from mezzanine_worlds_gymnasium.observations import Flattener
from mezzanine_worlds_gymnasium.render import rendered, sized
from mezzanine_worlds_gymnasium.rollout import env_ref

Item = npt.NDArray[Any]
"""An observation as the world's columns give it: uint8 [H, W, 3] or float32 [D]."""


class Step(NamedTuple):
    """What came of acting.

    Attributes:
        item: The observation then, as the world's columns give it.
        terminated: Whether the environment ended the episode.
        truncated: Whether ``max_steps`` ended it.
        info: What the environment says besides, of its last step; with ``reward``, the sum of the
            rewards, and ``steps``, how many steps were played.
    """

    item: Item
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a rule of success is told.

    Attributes:
        env: The environment itself, a ``gymnasium.Env``.
        observation: What it returned last.
        terminated: Whether it ended the episode.
        reward: The reward of the last step.
        info: What it said besides.
    """

    env: Any
    observation: Any
    terminated: bool
    reward: float
    info: Mapping[str, Any]


Rule = Callable[[Outcome], bool]
"""Says whether the goal is reached."""

_INFO = ("is_success", "success")
"""What environments with goals report success by."""

_UPRIGHT = 0.95
"""Cosine of the pendulum's angle from which on it counts as upright: 18 degrees."""

_RULES: Mapping[str, Rule] = {
    "MountainCar": lambda outcome: outcome.terminated,
    "MountainCarContinuous": lambda outcome: outcome.terminated,
    "Acrobot": lambda outcome: outcome.terminated,
    "FrozenLake": lambda outcome: outcome.terminated and outcome.reward > 0,
    "CliffWalking": lambda outcome: outcome.terminated,
    "Taxi": lambda outcome: outcome.terminated,
    "Pendulum": lambda outcome: bool(outcome.observation[0] >= _UPRIGHT),
}
"""When a goal is reached in environments that do not report it, by the name in their id."""


class Simulation:
    """One environment of a world, to act in with action features.

    It sees and acts in the terms of the world's data: items are what its columns hold, actions are
    the features of its transitions. Use it as a context manager, or call :meth:`close`. ::

        with Simulation(GymnasiumConfig(env_id="Pendulum-v1")) as simulation:
            item = simulation.reset(seed=7)
            item, terminated, truncated, info = simulation.step(simulation.high)

    Args:
        config: The world's settings. Those of the environment, the observations, ``max_steps`` and
            ``delta_steps`` matter here; no policy acts.
        success: Says whether the goal is reached. By default that is what the environment reports
            as ``is_success`` or ``success``, or a rule of ours: ``MountainCar`` and ``Acrobot``
            have terminated, ``Pendulum`` is within 18 degrees of upright, ``FrozenLake``,
            ``CliffWalking`` and ``Taxi`` have arrived.

    Attributes:
        names: What the A features of one action mean.
        low: Smallest value of each, float32 [A]; -inf where there is none.
        high: Largest value of each, float32 [A]; inf where there is none.
        codec: Between actions and their features.

    Raises:
        UnknownNameError: If there is no such environment.
        MissingDependencyError: If something that it needs is not installed.
        ConfigError: If it refuses its arguments.
        DataError: If it cannot render, or its spaces are not supported.
    """

    def __init__(self, config: GymnasiumConfig, *, success: Rule | None = None) -> None:
        self._config, self._ref, self._rule = config, env_ref(config), success
        with headless():
            self._env = make(self._ref)
        try:
            self.codec: ActionCodec = action_codec(self._env.action_space, config.env_id)
            if self._ref.render:
                check_renders(self._ref, self._env)
                self._flatten = None
            else:
                self._flatten = Flattener(self._env.observation_space, config.env_id)
        except DataError:
            self.close()
            raise
        self.names = self.codec.names
        self.low, self.high = self.codec.low, self.codec.high
        self._outcome: Outcome | None = None
        self._steps = 0
        self._over = True

    @property
    def bounds(self) -> tuple[Features, Features]:
        """Bounds of a whole chunk of Δ actions, float32 [Δ·A] each: those of a transition."""
        delta = self._config.delta_steps
        return np.tile(self.low, delta), np.tile(self.high, delta)

    @property
    def observation(self) -> Any:
        """What the environment returned last, whatever the world's columns hold.

        Raises:
            DataError: If no episode was started.
        """
        return self._last().observation

    def reset(self, seed: int) -> Item:
        """Start an episode.

        Args:
            seed: Decides how it starts; at least 0.

        Returns:
            The first observation.

        Raises:
            DataError: If the environment fails.
        """
        with headless(), blamed(self._ref, f"reset with seed {seed}"):
            observation, info = self._env.reset(seed=seed)
            self._outcome = Outcome(self._env, observation, False, 0.0, info)
            self._steps, self._over = 0, False
            return self._item(observation)

    def step(self, action: npt.ArrayLike) -> Step:
        """Act: for one step, or for as many as there are actions in a row.

        Args:
            action: Features, float [A] of one action, or [k·A] of k actions one after the other,
                such as the [Δ·A] of a transition. They need not be those of a possible action: the
                nearest one is done (:meth:`ActionCodec.decode`). Actions after the end of the
                episode are left out.

        Returns:
            The observation after them, whether and why the episode is over, and more.

        Raises:
            DataError: If the number of features does not fit, one is NaN, the episode is over, or
                the environment fails.
        """
        actions = self._actions(action)
        if self._outcome is None or self._over:
            raise DataError("there is no episode to act in; call reset(seed) first")
        before, reward = self._steps, 0.0
        with headless(), blamed(self._ref, f"step {self._steps}"):
            for place, features in enumerate(actions):
                if place > 0 and self._ref.every:
                    self._env.render()
                observation, gained, terminated, _, info = self._env.step(
                    self.codec.decode(features)
                )
                self._steps += 1
                reward += float(gained)
                self._outcome = Outcome(
                    self._env, observation, bool(terminated), float(gained), info
                )
                self._over = bool(terminated) or self._steps >= self._config.max_steps
                if self._over:
                    break
            outcome = self._outcome
            return Step(
                item=self._item(outcome.observation),
                terminated=outcome.terminated,
                truncated=self._over and not outcome.terminated,
                info={**outcome.info, "reward": reward, "steps": self._steps - before},
            )

    def success(self) -> bool:
        """Whether the goal is reached at present.

        Raises:
            DataError: If no episode was started.
            ConfigError: If nobody says what success is in this environment.
        """
        outcome = self._last()
        if self._rule is not None:
            return bool(self._rule(outcome))
        for name in _INFO:
            if name in outcome.info:
                return bool(outcome.info[name])
        rule = _RULES.get(self._name)
        if rule is None:
            raise ConfigError(
                f"the environment {self._config.env_id!r} does not say when its goal is reached",
                hint="Give Simulation a function for `success`.",
            )
        return rule(outcome)

    def close(self) -> None:
        """Let go of the environment; it cannot be used any more."""
        with headless():
            self._env.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _name(self) -> str:
        """The name in the id, without module, namespace and version."""
        name = self._config.env_id.rpartition(":")[2].rpartition("/")[2]
        return name.rpartition("-v")[0] or name

    def _actions(self, action: npt.ArrayLike) -> npt.NDArray[np.float64]:
        features, size = np.asarray(action, np.float64), self.codec.size
        if features.ndim != 1 or not features.size or features.size % size:
            raise DataError(
                f"actions of shape {list(features.shape)}; expected [{size}], the features of one "
                f"action of {self._config.env_id!r}, or [k * {size}]"
            )
        if np.isnan(features).any():
            raise DataError(f"an action holds NaN: {features}")
        return features.reshape(-1, size)

    def _last(self) -> Outcome:
        if self._outcome is None:
            raise DataError("there is no episode yet; call reset(seed) first")
        return self._outcome

    def _item(self, observation: Any) -> Item:
        if self._flatten is not None:
            return self._flatten(observation)
        return sized(rendered(self._env, self._ref), self._config.frame_size)
