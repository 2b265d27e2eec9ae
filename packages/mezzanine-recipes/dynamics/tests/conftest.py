"""Fixtures of the recipe's tests: small worlds as an installed plugin, and whole runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mezzanine_core.builtin.action_shuffle import ActionShuffle
from mezzanine_core.builtin.configs import ActionShuffleConfig
from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.cache import LatentCache
from mezzanine_core.config.resolve import resolve
from mezzanine_core.context import RunContext
from mezzanine_core.plugins import load_registry
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.execution import execute
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.runs.tracking import Trackers
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.samples import Samples

SITE = Path(__file__).parent / "toy_site"
"""Holds a distribution as pip would leave it; ``toy_site/dynamics_test_parts`` is its package."""


@pytest.fixture(scope="session", autouse=True)
def _test_parts_installed() -> Iterator[None]:
    sys.path.insert(0, str(SITE))
    yield
    sys.path.remove(str(SITE))


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    # The matrices of the tests are too small to share out, and other tests may run beside these.
    torch.set_num_threads(1)


@pytest.fixture
def site() -> Path:
    return SITE


@pytest.fixture
def make_config() -> Callable[..., LatentDynamicsConfig]:
    """A configuration whose world and encoder are not looked at."""

    def make(**settings: Any) -> LatentDynamicsConfig:
        return LatentDynamicsConfig(
            **{"world": {}, "encoder": {}, "train_steps": 30, "hidden": 16, **settings}
        )

    return make


@pytest.fixture
def make_samples() -> Callable[..., Samples]:
    """Samples of a rotation to which the action, and the state if any, adds; four an episode."""

    def make(
        count: int, seed: int = 0, dim: int = 6, effect: float = 1.0, states: int = 0
    ) -> Samples:
        fixed = np.random.default_rng(7)
        turn = np.linalg.qr(fixed.standard_normal((dim, dim)))[0]
        push = fixed.standard_normal((2, dim))
        rng = np.random.default_rng([seed, 3])
        latents = rng.standard_normal((count, dim))
        actions = rng.standard_normal((count, 2))
        following = latents @ turn + effect * actions @ push
        state = None
        if states:
            state = rng.standard_normal((count, states)).astype(np.float32)
            following = following + state @ np.eye(states, dim)
        return Samples(
            latents.astype(np.float32),
            actions.astype(np.float32),
            following.astype(np.float32),
            np.arange(count, dtype=np.int64) // 4,
            state,
        )

    return make


@pytest.fixture
def shuffle() -> ActionShuffle:
    return ActionShuffle(ActionShuffleConfig(name="action_shuffle"))


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[RunRecord, Path]]:
    """Runs a recipe as the command would: registry, settings, directory, cache, results."""

    def make(
        *, recipe: str = "latent_dynamics", out: str = "out", device: str = "cpu", **flags: Any
    ) -> tuple[RunRecord, Path]:
        registry = load_registry()
        given = {
            "world": "linear",
            "encoder": "identity",
            "train_steps": 300,
            "hidden": 32,
            "train_bs": 128,
            "train_lr": 3e-3,
            "bootstrap": 300,
            "shuffles": 2,
        }
        resolved = resolve(registry, recipe, flags={**given, **flags})
        settings = RunSettings(
            out=tmp_path / out, cache_dir=tmp_path / "cache", device=device, workers=1
        )
        return execute(resolved, settings, registry, Progress(quiet=True))

    return make


@pytest.fixture
def ctx(tmp_path: Path) -> RunContext:
    """What a recipe is given to run with, its cache empty."""
    return RunContext(
        out=tmp_path / "out",
        cache=LatentCache(tmp_path / "cache"),
        executor=LocalExecutor(LocalConfig(workers=1)),
        tracker=Trackers({}),
        registry=load_registry(),
        progress=Progress(quiet=True),
    )
