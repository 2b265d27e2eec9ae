"""Who acts: random actions, a function, or a policy from a file."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mezzanine_core.errors import ConfigError, MissingDependencyError
from mezzanine_worlds_gymnasium.config import RANDOM, SAVED
from mezzanine_worlds_gymnasium.saved import read_policy
from mezzanine_worlds_gymnasium.versions import module_digest


class Policy(Protocol):
    """What chooses actions.

    A scripted policy is a function with this signature. It must depend on its arguments alone, with
    all randomness from ``rng`` or ``action_space.sample()``: episodes are played in any order and
    in several processes.
    """

    def __call__(
        self, observation: Any, step: int, rng: np.random.Generator, action_space: Any
    ) -> Any:
        """Choose an action.

        Args:
            observation: What the environment returned.
            step: Steps since the start of the episode.
            rng: The generator of this episode.
            action_space: The environment's action space, seeded for this episode.

        Returns:
            An element of ``action_space``.
        """


def random_policy(observation: Any, step: int, rng: np.random.Generator, action_space: Any) -> Any:
    """The policy ``random``: ``action_space.sample()``, whatever is seen."""
    return action_space.sample()


def load_policy(text: str, env: Any) -> Policy:
    """The policy that a setting names, ready for an environment.

    Args:
        text: ``random``, ``module:function`` or ``saved:PATH``.
        env: The environment it will act in.

    Raises:
        MissingDependencyError: If the module cannot be imported.
        ConfigError: If the module has no such function, or the file holds no policy that fits.
    """
    if text == RANDOM:
        return random_policy
    if text.startswith(SAVED):
        saved = read_policy(_path(text))
        saved.bind(env.observation_space, env.action_space)
        return saved
    scripted: Policy = _function(text)
    return scripted


def policy_identity(text: str) -> dict[str, str]:
    """What names a policy in a fingerprint: digests of its code or its numbers, not paths.

    Raises:
        MissingDependencyError: If the module cannot be imported.
        ConfigError: If there is no such function or file.
    """
    if text == RANDOM:
        return {"kind": RANDOM}
    if text.startswith(SAVED):
        read_policy(_path(text))
        return {"kind": "saved", "sha256": module_digest(str(_path(text)))}
    source = inspect.getsourcefile(inspect.unwrap(_function(text)))
    digest = {} if source is None else {"sha256": module_digest(source)}
    return {"kind": "function", "name": text, **digest}


def _path(text: str) -> Path:
    return Path(text.removeprefix(SAVED)).expanduser()


def _function(text: str) -> Any:
    module, _, name = text.partition(":")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        raise MissingDependencyError(
            f"the module {module!r} of the policy {text!r} cannot be imported: {error}",
            hint="Install the package it belongs to, or name its folder in PYTHONPATH.",
        ) from error
    if not callable(found):
        raise ConfigError(
            f"the module {module!r} has no function {name!r}, which policy={text!r} names",
            hint="A policy is a function of (observation, step, rng, action_space).",
        )
    return found
