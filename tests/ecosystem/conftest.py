"""Fixtures of tests that look at what users install: real wheels in clean environments.

The tests themselves run in an environment that has pytest, build and hatchling; what they look at
lies in others, made with pip, that hold nothing but what was asked for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).parents[2]

Completed = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Environment:
    """A virtual environment without pip, and a home directory of its own.

    Attributes:
        root: The environment.
        home: Home and working directory of what runs in it.
    """

    root: Path
    home: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.root / "bin" / "python"

    def pip(self, *arguments: str) -> None:
        """Run the pip of the tests' environment on this one."""
        command = [sys.executable, "-m", "pip", "--python", str(self.python), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def install(self, *requirements: str | Path) -> None:
        """Install with the versions that all tests use."""
        self.pip("install", "-c", str(ROOT / "constraints.txt"), *map(str, requirements))

    def run(self, *command: str | Path, **environ: str) -> Completed:
        """Run a command, which may be one of the environment's console scripts."""
        clean = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        own = {"HOME": str(self.home), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
        path = {"PATH": os.pathsep.join([str(self.root / "bin"), clean["PATH"]])}
        return subprocess.run(
            list(map(str, command)),
            cwd=self.home,
            env={**clean, **own, **path, **environ},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def mezz(self, *arguments: str | Path, **environ: str) -> Completed:
        """Run ``mezz``; whatever happens, a user sees no traceback."""
        done = self.run(self.root / "bin" / "mezz", *arguments, **environ)
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    def answer(self, *arguments: str | Path, **environ: str) -> str:
        """What ``mezz`` prints on stdout, where it succeeds."""
        done = self.mezz(*arguments, **environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str | Path, **environ: str) -> Any:
        """The JSON that ``mezz`` prints."""
        return json.loads(self.answer(*arguments, "--json", **environ))

    def commands(self) -> list[list[str]]:
        """Every command of the tree as its words, the groups and the program itself included."""
        done = self.run(self.python, Path(__file__).with_name("command_tree.py"))
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    def copy(self, root: Path) -> Environment:
        """Another environment that holds the same and can be changed."""
        subprocess.run(["cp", "-r", str(self.root), str(root)], check=True)
        # A console script names the interpreter that it was installed for.
        for script in (root / "bin").iterdir():
            if not script.is_symlink():
                text = script.read_text(encoding="utf-8")
                script.write_text(text.replace(str(self.root), str(root)), encoding="utf-8")
        home = root.with_name(f"{root.name}-home")
        home.mkdir()
        return Environment(root, home)


def _is_setting(name: str) -> bool:
    return name.startswith(("MEZZ_", "PYTHON", "XDG_", "VIRTUAL_ENV"))


@pytest.fixture(scope="session")
def wheels() -> Mapping[str, Path]:
    """Name of each distribution of this repository → its wheel, as the session `build` leaves."""
    folder = Path(os.environ.get("MEZZ_TEST_WHEELS", ROOT / ".nox" / "dist"))
    found = {str(parse_wheel_filename(file.name)[0]): file for file in folder.glob("*.whl")}
    if not found:
        pytest.skip(f"there are no wheels in {folder}; `nox -s build` makes them")
    return found


@pytest.fixture(scope="session")
def new_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Environment]:
    """Makes an empty environment."""

    def make(name: str) -> Environment:
        folder = tmp_path_factory.mktemp(name)
        venv.create(folder / "env", symlinks=True)
        (folder / "home").mkdir()
        return Environment(folder / "env", folder / "home")

    return make


@pytest.fixture(scope="session")
def core_alone(
    new_environment: Callable[[str], Environment], wheels: Mapping[str, Path]
) -> Environment:
    """An environment that holds core and what it requires, and is not to be changed."""
    environment = new_environment("core")
    environment.install(wheels["mezzanine-core"])
    return environment


@pytest.fixture
def beside_core(core_alone: Environment, tmp_path: Path) -> Environment:
    """An environment that holds core, to be changed by one test."""
    return core_alone.copy(tmp_path / "beside-core")


@pytest.fixture(scope="session")
def build_wheel() -> Callable[[Path], Path]:
    """Builds the wheel of a project directory with hatchling, as it is here."""

    def build(project: Path) -> Path:
        folder = project / "dist"
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
        done = subprocess.run(
            [*command, str(folder), str(project)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (wheel,) = folder.glob("*.whl")
        return wheel

    return build


@pytest.fixture(scope="session")
def build_plugin(
    tmp_path_factory: pytest.TempPathFactory, build_wheel: Callable[[Path], Path]
) -> Callable[..., Path]:
    """Builds the wheel of a plugin distribution that has nothing but a module ``plugin``."""

    def make(
        name: str,
        plugin: str,
        *,
        version: str = "1.0",
        requires: tuple[str, ...] = ("mezzanine-core",),
        entry_points: Mapping[str, str] | None = None,
    ) -> Path:
        package = canonicalize_name(name).replace("-", "_")
        entries = entry_points or {"main": f"{package}.plugin"}
        lines = "\n".join(f'{entry} = "{value}"' for entry, value in entries.items())
        project = tmp_path_factory.mktemp(name)
        (project / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "{name}"\nversion = "{version}"\n'
            f"dependencies = {list(requires)!r}\n[project.entry-points.mezzanine]\n{lines}\n"
        )
        (project / package).mkdir()
        (project / package / "__init__.py").touch()
        (project / package / "plugin.py").write_text(plugin, encoding="utf-8")
        return build_wheel(project)

    return make
