"""Fixtures that tests of core share: real plugin distributions on disk, and the real command."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from mezzanine_core.cli import main


class PluginSite:
    """A directory on the import path that holds installed distributions, as pip would leave them.

    Attributes:
        root: The directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def add(
        self,
        distribution: str,
        plugin: str,
        *,
        version: str = "1.0",
        requires: tuple[str, ...] = ("mezzanine-core",),
        entry_points: Mapping[str, str] | None = None,
    ) -> str:
        """Install a distribution whose import package has ``plugin`` as its module ``plugin``.

        Returns the name of the import package: the distribution's, with underscores.
        """
        package = distribution.replace("-", "_")
        entries = {"main": f"{package}.plugin"} if entry_points is None else entry_points
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        self.write(f"{package}/__init__.py", "")
        self.write(f"{package}/plugin.py", plugin)
        self.add_metadata(distribution, f"[mezzanine]\n{lines}", version=version, requires=requires)
        return package

    def add_metadata(
        self,
        distribution: str,
        entry_points: str,
        *,
        version: str = "1.0",
        requires: tuple[str, ...] = (),
    ) -> None:
        """Install the metadata of a distribution, with the text of its entry points."""
        info = f"{distribution.replace('-', '_')}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        self.write(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{needs}",
        )
        self.write(f"{info}/entry_points.txt", entry_points)

    def write(self, path: str, text: str) -> Path:
        """Write a file below the directory."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def announce(self, hook: str, *specs: str) -> str:
        """The text of a plugin module whose hook returns these specs, given as Python text."""
        return (
            "from mezzanine_core import Spec, hookimpl\n\n"
            f"@hookimpl\ndef {hook}():\n    return [{', '.join(specs)}]\n"
        )

    def world(self, name: str, **fields: str) -> str:
        """The text of a world's spec; its module is not there, since nothing may import it."""
        given = {"summary": f"The world {name}", "config": "absent.m:C", "factory": "absent.m:F"}
        arguments = ", ".join(f"{key}={value!r}" for key, value in {**given, **fields}.items())
        return f"Spec(kind='world', name={name!r}, {arguments})"


@pytest.fixture
def plugin_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginSite]:
    """An empty site, first on the import path; what is imported from it is forgotten afterwards."""
    site = PluginSite(tmp_path / "site")
    for name in [name for name in os.environ if name.startswith("MEZZ_")]:
        monkeypatch.delenv(name)
    monkeypatch.syspath_prepend(str(site.root))
    before = set(sys.modules)
    yield site
    for name in set(sys.modules) - before:
        origin = getattr(sys.modules[name], "__file__", None) or ""
        if Path(origin).is_relative_to(site.root):
            del sys.modules[name]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Runs the command line in this process and returns its exit code, stdout and stderr."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield run
    root.setLevel(level)
    root.handlers[:] = handlers


Mezz = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def clean_environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a process with a home directory of its own and no settings.

    It sees the plugins of ``plugin_site`` if the test uses that, and those that are installed.
    """
    home = tmp_path / "home"
    home.mkdir()
    path = os.pathsep.join(
        part for part in (str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")) if part
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEZZ_")}
    clean |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "PYTHONPATH": path}
    return clean | {"COLUMNS": "80"}


@pytest.fixture
def mezz(tmp_path: Path, clean_environ: dict[str, str]) -> Mezz:
    """Runs the command line in a process of its own, in ``clean_environ``."""

    def run(
        *arguments: str,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mezzanine_core", *arguments],
            env={**clean_environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            cwd=cwd or tmp_path,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def gone() -> Callable[[Iterable[int]], bool]:
    """Whether processes end within a few seconds; one that nobody has waited for has ended too."""

    def alive(pid: int) -> bool:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    def call(pids: Iterable[int]) -> bool:
        waiting, deadline = list(pids), time.monotonic() + 10
        while (waiting := [pid for pid in waiting if alive(pid)]) and time.monotonic() < deadline:
            time.sleep(0.05)
        return not waiting

    return call
