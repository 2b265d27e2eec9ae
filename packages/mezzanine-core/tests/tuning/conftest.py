"""Fixtures of the tests of tuning: a recipe whose figures are known, and whole tunings of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mezzanine_core.plugins import load_registry
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.progress import Progress
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.tuning.plan import TuningPlan, TuningRequest, make_plan
from mezzanine_core.tuning.records import TuningRecord
from mezzanine_core.tuning.tuner import tune

SITE = Path(__file__).parent / "toy_site"
SOUGHT = {
    "baseline": "flat.score",
    "low": 0.05,
    "high": 0.6,
    "effect": "hill_minus_flat.score",
}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The registry with the toy distribution alone, here and in worker processes."""
    for name in [name for name in os.environ if name.startswith("MEZZ_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MEZZ_PLUGINS", "toy-tuning")
    monkeypatch.setenv("PYTHONPATH", str(SITE), prepend=os.pathsep)
    monkeypatch.syspath_prepend(str(SITE))
    yield load_registry()
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy_tuning"]:
        del sys.modules[name]


@pytest.fixture
def planned(registry: Registry) -> Callable[..., TuningPlan]:
    """Plans a tuning; the request's parts are keywords, the fixed settings a dictionary."""

    def call(
        *space: str,
        recipe: str = "hill",
        flags: dict[str, Any] | None = None,
        file: Path | None = None,
        **more: Any,
    ) -> TuningPlan:
        request = TuningRequest(space=space, **{**SOUGHT, **more})
        return make_plan(registry, recipe, request, file=file, environ={}, flags=flags or {})

    return call


@pytest.fixture
def tuned(
    registry: Registry, planned: Callable[..., TuningPlan], tmp_path: Path
) -> Callable[..., TuningRecord]:
    """Tunes in the directory ``out``."""

    def call(
        *space: str,
        parallel: int = 1,
        out: str = "out",
        progress: Progress | None = None,
        **more: Any,
    ) -> TuningRecord:
        base = RunSettings(tmp_path / out, tmp_path / "cache", workers=1, command="mezz tune hill")
        plan = planned(*space, **more)
        progress = progress or Progress(quiet=True)
        record, _ = tune(plan, base, registry, progress, environ={}, parallel=parallel)
        return record

    return call
