"""Fixtures: small data sets on disk, and where columns are fetched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.worlds import Column
from mezzanine_worlds_hf.classification import HFDatasetWorld
from mezzanine_worlds_hf.config import HFDatasetConfig, HFQAConfig
from mezzanine_worlds_hf.questions import HFQAWorld


@pytest.fixture
def serial() -> LocalExecutor:
    """An executor that runs everything in this thread."""
    return LocalExecutor(LocalConfig(workers=1))


@pytest.fixture
def fetched(serial: LocalExecutor) -> Callable[[Column], list[Any]]:
    """All items of a column, in its order."""

    def fetch(column: Column) -> list[Any]:
        items: list[Any] = [None] * len(column)
        for rows, batch in column.fetch(np.arange(len(column)), serial):
            for row, item in zip(rows.tolist(), batch, strict=True):
                items[row] = item
        return items

    return fetch


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write columns as parquet files of a folder: split → columns."""

    def write(folder: str = "data", features: Any = None, **splits: dict[str, list]) -> Path:
        for name, columns in splits.items():
            (tmp_path / folder).mkdir(exist_ok=True, parents=True)
            rows = Dataset.from_dict(columns, features=features)
            rows.to_parquet(tmp_path / folder / f"{name}.parquet")
        return tmp_path / folder

    return write


@pytest.fixture
def classified() -> Callable[..., HFDatasetWorld]:
    """A world of classified texts or images, with settings."""

    def world(dataset: object, **settings: Any) -> HFDatasetWorld:
        return HFDatasetWorld(HFDatasetConfig(dataset=str(dataset), **settings))

    return world


@pytest.fixture
def asked() -> Callable[..., HFQAWorld]:
    """A world of questions about passages, with settings."""

    def world(dataset: object, **settings: Any) -> HFQAWorld:
        return HFQAWorld(HFQAConfig(dataset=str(dataset), **settings))

    return world


@pytest.fixture
def texts() -> Callable[..., dict[str, list]]:
    """Columns of different texts with labels 0 and 1 by turns."""

    def make(n: int, prefix: str = "text", labels: Sequence[Any] = (0, 1)) -> dict[str, list]:
        return {
            "text": [f"{prefix} {row}." for row in range(n)],
            "label": [labels[row % len(labels)] for row in range(n)],
        }

    return make


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data sets, where there are any."""
    root = Path(__file__).parents[4]
    folder = Path(os.environ.get("MEZZ_TEST_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"there are no real data in {folder}; MEZZ_TEST_DATA names another folder")
    return folder


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in a Python of its own; it must succeed."""

    def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )

    return run
