"""Fixtures: toy environments, settings, and where columns are fetched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.errors import DataError, MissingDependencyError
from mezzanine_core.worlds import Column
from mezzanine_worlds_gymnasium.config import GymnasiumConfig
from mezzanine_worlds_gymnasium.environments import EnvRef, blamed, headless, make
from mezzanine_worlds_gymnasium.world import GymnasiumWorld

SITE = Path(__file__).parent / "toy_site"


@pytest.fixture(scope="session", autouse=True)
def _toys_installed() -> Iterator[None]:
    sys.path.insert(0, str(SITE))
    yield
    sys.path.remove(str(SITE))


@pytest.fixture
def serial() -> LocalExecutor:
    """An executor that runs everything in this thread."""
    return LocalExecutor(LocalConfig(workers=1))


@pytest.fixture
def fetched(serial: LocalExecutor) -> Callable[[Column], npt.NDArray[Any]]:
    """All items of a column, in its order."""

    def fetch(column: Column) -> npt.NDArray[Any]:
        parts = list(column.fetch(np.arange(len(column)), serial))
        rows = np.concatenate([rows for rows, _ in parts])
        items = np.concatenate([np.asarray(batch) for _, batch in parts])
        return items[np.argsort(rows)]

    return fetch


@pytest.fixture
def small() -> Callable[..., GymnasiumConfig]:
    """Settings for a few short episodes, with changes."""

    def config(**changes: Any) -> GymnasiumConfig:
        settings: dict[str, Any] = {
            "name": "gymnasium",
            "env_id": "CartPole-v1",
            "n_train": 30,
            "n_test": 12,
            "max_steps": 40,
            "delta_steps": 2,
            "frame_size": 16,
        }
        return GymnasiumConfig.model_validate(settings | changes)

    return config


@pytest.fixture
def toy(small: Callable[..., GymnasiumConfig]) -> Callable[..., GymnasiumWorld]:
    """A world of the toy environment ``Line``, with its arguments and other settings."""

    def world(env: dict[str, Any] | None = None, **changes: Any) -> GymnasiumWorld:
        settings = {"env_id": "gym_toys:Line-v0", "env_kwargs": env or {}} | changes
        return GymnasiumWorld(small(**settings))

    return world


@pytest.fixture(scope="session")
def mujoco_renders() -> None:
    """Skips where MuJoCo cannot render without a display."""
    ref = EnvRef("InvertedPendulum-v5", {}, render=True)
    try:
        with headless(), closing(make(ref)) as env, blamed(ref, "rendering"):
            env.reset(seed=0)
            env.render()
    except (DataError, MissingDependencyError) as error:
        pytest.skip(f"MuJoCo cannot render here: {error}")


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in a Python of its own, with warnings as errors; it must succeed."""

    def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
            capture_output=True,
            text=True,
            check=True,
        )

    return run
