"""Fixtures: a small real run, logged by the tracker, through the registry as the command does."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from wandb.proto.wandb_internal_pb2 import Record

from mezzanine_core.config.plugin_options import plugin_settings
from mezzanine_core.config.resolve import resolve
from mezzanine_core.plugins import load_registry
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.execution import execute
from mezzanine_core.runs.settings import RunSettings

SITE = Path(__file__).parent / "toy_site"
"""Holds a distribution as pip would leave it; ``toy_site/toy_curves`` is its package."""

_BLOCK, _HEADER, _PREAMBLE = 32768, 7, 7
_FULL, _LAST = 1, 4


@pytest.fixture
def site() -> Iterator[Path]:
    sys.path.insert(0, str(SITE))
    yield SITE
    sys.path.remove(str(SITE))
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy_curves"]:
        del sys.modules[name]


@pytest.fixture
def run(tmp_path: Path, site: Path) -> Callable[..., tuple[RunRecord, Path]]:
    """Runs the recipe ``curves``; flags are keywords."""

    def call(**flags: Any) -> tuple[RunRecord, Path]:
        registry = load_registry(only=["toy-curves", "mezzanine-trackers-wandb"])
        resolved = resolve(registry, "curves", flags={"log": "wandb", **flags})
        settings = RunSettings(
            out=tmp_path / "out",
            cache_dir=tmp_path / "cache",
            workers=1,
            trackers=resolved.options.log,
            plugin_settings=plugin_settings(resolved.options),
        )
        return execute(resolved, settings, registry, Progress(quiet=True))

    return call


def _records(out: Path) -> Iterator[Record]:
    """What wandb keeps of the one run in a run directory: a log in the format of LevelDB."""
    (file,) = out.glob("wandb/offline-run-*/*.wandb")
    data, place, whole = file.read_bytes(), _PREAMBLE, b""
    while place + _HEADER <= len(data):
        if _BLOCK - place % _BLOCK < _HEADER:
            place += _BLOCK - place % _BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + _HEADER])
        whole += data[place + _HEADER : place + _HEADER + length]
        place += _HEADER + length
        if kind in (_FULL, _LAST):
            record = Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


@pytest.fixture
def records() -> Callable[[Path], Iterator[Record]]:
    """Reads what wandb keeps of a run offline, record by record."""
    return _records


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No account, no network, and nothing kept outside of the test."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / "home"))
