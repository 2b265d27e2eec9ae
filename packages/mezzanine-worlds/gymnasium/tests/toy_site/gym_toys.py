"""Small environments with one peculiarity each, and policies; `gym_toys:Line-v0` is their base."""

import os
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

ACTIONS = {
    "discrete": spaces.Discrete(2),
    "shifted": spaces.Discrete(3, start=-1),
    "multi": spaces.MultiDiscrete([2, 3]),
    "binary": spaces.MultiBinary(2),
    "box": spaces.Box(-2.0, np.array([2.0, np.inf], np.float32)),
    "dict": spaces.Dict({"left": spaces.Discrete(2)}),
    "text": spaces.Text(4),
}


class Line(gymnasium.Env):
    """A point on a line that starts at 0 whatever the seed; each action moves it by its sum."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, render_mode=None, action="discrete", end=1000, fault=None) -> None:
        self.render_mode = render_mode
        self.action_space = ACTIONS[action]
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self._end, self._fault = end, fault

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._x, self._t = 0.0, 0
        self._rendered = -1
        return self._seen(), {}

    def step(self, action):
        self._t += 1
        self._x += float(np.sum(action)) + 1.0
        if self._fault == "raise" and self._t == 3:
            raise RuntimeError("the wheel came off")
        return self._seen(), 1.0, self._t >= self._end, False, {"is_success": self._x > 5}

    def _seen(self):
        drift = os.urandom(1)[0] / 256 if self._fault == "drift" and self._t >= 2 else 0.0
        x = np.nan if self._fault == "nan" and self._t == 3 else self._x + drift
        return np.array([x, self._t], np.float32)

    def render(self):
        if self._fault == "grey":
            return np.zeros((8, 12), np.uint8)
        if self._fault == "growing":
            return np.zeros((8 + self._t, 12, 3), np.uint8)
        image = np.zeros((8, 12, 3), np.uint8)
        if self._fault == "fading":
            self._rendered += 1
            return np.full((8, 12, 3), self._rendered, np.uint8)
        image[:, int(self._x) % 12] = (self._t % 256, 200, 0)
        return image


class Blind(Line):
    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["human"]}


class Words(Line):
    """Observes a sequence of any length and a place, so that there is no vector."""

    def __init__(self, render_mode=None) -> None:
        super().__init__(render_mode)
        self.observation_space = spaces.Dict(
            {
                "words": spaces.Sequence(spaces.Discrete(9)),
                "at": spaces.Box(-9.0, 9.0, (2,), np.float32),
            }
        )

    def _seen(self):
        return {"words": (1, 2), "at": super()._seen()}


for toy in (Line, Blind, Words):
    gymnasium.register(f"{toy.__name__}-v0", entry_point=f"gym_toys:{toy.__name__}")


def always_right(observation, step, rng, action_space):
    return 1


def mostly_right(observation, step, rng, action_space):
    return int(rng.random() < 0.9)


def push(observation, step, rng, action_space):
    """Swing the car of MountainCar: push the way it moves."""
    return 2 if observation[1] >= 0 else 0


def too_far(observation, step, rng, action_space):
    return 7


def broken(observation, step, rng, action_space):
    return observation["nothing"]


NOT_CALLABLE = 3
