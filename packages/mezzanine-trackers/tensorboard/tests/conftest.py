"""Fixtures: a small real run, logged by the tracker, through the registry as the command does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mezzanine_core.config.plugin_options import plugin_settings
from mezzanine_core.config.resolve import resolve
from mezzanine_core.plugins import load_registry
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.execution import execute
from mezzanine_core.runs.settings import RunSettings

SITE = Path(__file__).parent / "toy_site"
"""Holds a distribution as pip would leave it; ``toy_site/toy_curves`` is its package."""


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
        registry = load_registry(only=["toy-curves", "mezzanine-trackers-tensorboard"])
        resolved = resolve(registry, "curves", flags={"log": "tensorboard", **flags})
        settings = RunSettings(
            out=tmp_path / "out",
            cache_dir=tmp_path / "cache",
            workers=1,
            trackers=resolved.options.log,
            plugin_settings=plugin_settings(resolved.options),
        )
        return execute(resolved, settings, registry, Progress(quiet=True))

    return call
