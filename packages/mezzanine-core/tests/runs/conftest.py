"""Fixtures of the tests of runs: run directories, a toy distribution, processes that nap."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mezzanine_core.config.resolve import resolve
from mezzanine_core.plugins import load_registry
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.progress import Progress
from mezzanine_core.results import CacheCounts, RunRecord
from mezzanine_core.runs.directory import RunDirectory
from mezzanine_core.runs.execution import execute
from mezzanine_core.runs.planning import Plan, plan
from mezzanine_core.runs.settings import RunSettings
from mezzanine_core.runs.state import timestamp

SITE = Path(__file__).parent / "toy_site"
NOON = datetime(2026, 7, 31, 12, 0, 0, 250_000, tzinfo=UTC)
FINGERPRINT = "0123456789abcdef" * 4


@pytest.fixture(scope="session")
def claim() -> Callable[..., RunDirectory]:
    """Takes a directory for a run that started at noon, unless told otherwise."""

    def call(out: Path | None, started: datetime = NOON) -> RunDirectory:
        return RunDirectory.claim(
            out, recipe="toy", fingerprint=FINGERPRINT, command="mezz run toy", started=started
        )

    return call


@pytest.fixture(scope="session")
def record() -> Callable[..., RunRecord]:
    """Makes the record of a run that found nothing."""

    def call(started: datetime = NOON, artifacts: tuple[str, ...] = ()) -> RunRecord:
        return RunRecord(
            metrics={},
            artifacts=artifacts,
            recipe="toy",
            fingerprint=FINGERPRINT,
            started=timestamp(started),
            config={},
            origins={},
            components={},
            versions={},
            settings={},
            cache=CacheCounts(),
            timings={},
        )

    return call


@pytest.fixture(scope="session")
def complete(
    claim: Callable[..., RunDirectory], record: Callable[..., RunRecord]
) -> Callable[..., RunDirectory]:
    """Runs in a directory, writes some artifacts that hold their own names, and finishes."""

    def call(
        out: Path, started: datetime = NOON, files: tuple[str, ...] = ("plot.png",)
    ) -> RunDirectory:
        with claim(out, started) as directory:
            for name in files:
                directory.announce(name).write_text(name)
            directory.write_results(record(started, files))
        return directory

    return call


@pytest.fixture(scope="session")
def tree() -> Callable[[Path], list[str]]:
    """Lists every file below a directory, but for locks."""

    def call(path: Path) -> list[str]:
        return sorted(
            file.relative_to(path).as_posix()
            for file in path.rglob("*")
            if file.is_file() and file.name != ".mezz.lock"
        )

    return call


Toy = tuple[Registry, ModuleType]


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """The registry with the toy distribution in it, and the fresh module of its parts."""
    monkeypatch.syspath_prepend(str(SITE))
    yield load_registry(only=["toy-runs"]), importlib.import_module("toy_runs.parts")
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy_runs"]:
        del sys.modules[name]


@pytest.fixture
def resolved(toy: Toy, tmp_path: Path) -> Callable[..., Any]:
    """Resolves a recipe; settings of the run are keywords, those of the recipe a dictionary."""

    def call(
        flags: dict[str, Any] | None, recipe: str, settings: dict[str, Any]
    ) -> tuple[Any, RunSettings, Registry]:
        base = {"out": tmp_path / "out", "cache_dir": tmp_path / "cache", "workers": 1}
        chosen = RunSettings(**{**base, "command": "mezz run point_norms", **settings})
        return resolve(toy[0], recipe, flags=flags or {}), chosen, toy[0]

    return call


@pytest.fixture
def run(resolved: Callable[..., Any]) -> Callable[..., tuple[RunRecord, Path]]:
    """Runs a recipe."""

    def call(
        flags: dict[str, Any] | None = None,
        recipe: str = "point_norms",
        progress: Progress | None = None,
        **settings: Any,
    ) -> tuple[RunRecord, Path]:
        progress = progress or Progress(quiet=True)
        return execute(*resolved(flags, recipe, settings), progress)

    return call


@pytest.fixture
def planned(resolved: Callable[..., Any]) -> Callable[..., Plan]:
    """Plans a run."""

    def call(
        flags: dict[str, Any] | None = None, recipe: str = "point_norms", **settings: Any
    ) -> Plan:
        return plan(*resolved(flags, recipe, settings))

    return call


SCRIPT = textwrap.dedent("""
    import json, sys
    from pathlib import Path
    from mezzanine_core.config.resolve import resolve
    from mezzanine_core.plugins import load_registry
    from mezzanine_core.progress import Progress
    from mezzanine_core.runs.execution import execute
    from mezzanine_core.runs.settings import RunSettings

    if __name__ == "__main__":
        root, flags = Path(sys.argv[1]), json.loads(sys.argv[2])
        registry = load_registry(only=["toy-runs"])
        settings = RunSettings(root / "out", root / "cache", workers=2)
        resolved = resolve(registry, "point_norms", flags=flags)
        try:
            execute(resolved, settings, registry, Progress(quiet=True))
        except KeyboardInterrupt:
            sys.exit(130)
""")

Napping = tuple["subprocess.Popen[str]", list[int]]


@pytest.fixture
def napping(tmp_path: Path, clean_environ: dict[str, str]) -> Iterator[Callable[[str], Napping]]:
    """Starts a run in a process of its own, and waits until its two workers nap at some stage."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    naps = tmp_path / "naps"
    path = os.pathsep.join([str(SITE), clean_environ["PYTHONPATH"]])
    started: list[subprocess.Popen[str]] = []

    def start(where: str) -> Napping:
        process = subprocess.Popen(
            [sys.executable, script, tmp_path, json.dumps({"then": "nap", "where": where})],
            env={**clean_environ, "NAPS": str(naps), "PYTHONPATH": path},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        deadline = time.monotonic() + 60
        while not naps.exists() or len(naps.read_text().split()) < 2:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.02)
        return process, [int(pid) for pid in naps.read_text().split()]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
