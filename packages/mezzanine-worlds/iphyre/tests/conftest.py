"""Fixtures: the simulator's own pictures as a reference, and where columns are fetched."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.worlds import Column
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.samples import Clicks

Images = npt.NDArray[np.uint8]


@pytest.fixture(scope="session")
def iphyre() -> ModuleType:
    """The simulator's own package."""
    os.environ["SDL_VIDEODRIVER"] = os.environ["SDL_AUDIODRIVER"] = "dummy"
    os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    with warnings.catch_warnings():
        # pygame imports pkg_resources where it is there, and some versions of that complain.
        warnings.simplefilter("ignore")
        return importlib.import_module("iphyre")


@pytest.fixture(scope="session")
def reference(iphyre: ModuleType) -> Iterator[Callable[[str, Clicks, list[int]], Images]]:
    """Full-size RGB frames at ascending steps as ``IPHYRE.step(use_images=True)`` gives them."""
    simulator = iphyre.simulator

    def play(game: str, clicks: Clicks, steps: list[int]) -> Images:
        centres = simulator.IPHYRE(game).get_action_space()[1:]
        blocks = dict(clicks)
        env = simulator.IPHYRE(game)
        env.init_screen()
        images = [env.reset(use_images=True)] if 0 in steps else []
        if 0 not in steps:
            env.reset()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Arrays of 2-dimensional vectors")
            for now in range(max(steps)):
                position = centres[blocks[now]] if now in blocks else [0.0, 0.0]
                seen = env.step(position, use_images=now + 1 in steps)[0]
                if now + 1 in steps:
                    images.append(seen)
        return np.stack(images)[..., ::-1]

    yield play
    simulator.pygame.quit()


@pytest.fixture
def serial() -> LocalExecutor:
    """An executor that runs everything in this thread."""
    return LocalExecutor(LocalConfig(workers=1))


@pytest.fixture
def fetched(serial: LocalExecutor) -> Callable[[Column], Images]:
    """All images of a column, in its order."""

    def fetch(column: Column) -> Images:
        parts = list(column.fetch(np.arange(len(column)), serial))
        rows = np.concatenate([rows for rows, _ in parts])
        images = np.concatenate([np.asarray(batch) for _, batch in parts])
        return images[np.argsort(rows)]

    return fetch


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


@pytest.fixture
def small() -> Callable[..., IphyreConfig]:
    """Settings for short episodes, with changes."""

    def config(**changes: object) -> IphyreConfig:
        settings: dict[str, object] = {
            "name": "iphyre",
            "n_train": 40,
            "n_test": 20,
            "delta_seconds": 0.5,
            "max_steps": 120,
            "image_size": 16,
        }
        return IphyreConfig.model_validate(settings | changes)

    return config
