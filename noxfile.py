"""Test sessions: each distribution in an environment of its own, plus lint and types.

`nox` runs all of them; `nox -l` lists them; `nox -s "tests(mezzanine-core)" -- -k cache` passes
arguments on to pytest.

A distribution that supports several versions of a dependency has a file `constraints-LABEL.txt`
beside its pyproject.toml for each that constraints.txt does not name: its tests run once more with
what that file says in place of what constraints.txt says of the same packages. One that cannot do
with what constraints.txt names at all has a file `constraints.txt` of its own, for all its tests.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

import nox
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.stop_on_first_error = False

ROOT = Path(__file__).parent
CONSTRAINTS = ROOT / "constraints.txt"
TEST_EXTRA = "test"
WORKERS = "2"
"""Processes that share the tests of a distribution, with a thread each for arithmetic."""


@dataclass(frozen=True)
class Distribution:
    """One distribution of the monorepo, as its pyproject.toml describes it."""

    name: str
    path: Path
    dependencies: tuple[Requirement, ...]
    test_dependencies: tuple[Requirement, ...]

    @property
    def own(self) -> Path | None:
        """The file of its own versions, where those of the other distributions do not fit."""
        file = self.path / CONSTRAINTS.name
        return file if file.exists() else None

    @property
    def variants(self) -> dict[str, Path]:
        """Label of each further set of versions to test with → the file that names them."""
        files = sorted(self.path.glob("constraints-*.txt"))
        return {file.stem.removeprefix("constraints-"): file for file in files}


def _read(pyproject: Path) -> Distribution:
    project = nox.project.load_toml(pyproject)["project"]
    extras = project.get("optional-dependencies", {})
    return Distribution(
        name=canonicalize_name(project["name"]),
        path=pyproject.parent,
        dependencies=tuple(map(Requirement, project.get("dependencies", []))),
        test_dependencies=tuple(map(Requirement, extras.get(TEST_EXTRA, []))),
    )


DISTRIBUTIONS = {
    distribution.name: distribution
    for distribution in map(_read, sorted((ROOT / "packages").glob("**/pyproject.toml")))
}


def local_closure(distribution: Distribution) -> list[Distribution]:
    """The distributions of this repository that `distribution` and its tests need, itself last."""
    found: dict[str, Distribution] = {}

    def visit(node: Distribution, requirements: tuple[Requirement, ...]) -> None:
        for requirement in requirements:
            local = DISTRIBUTIONS.get(canonicalize_name(requirement.name))
            if local is not None and local.name not in found and local is not distribution:
                found[local.name] = local
                visit(local, local.dependencies)

    visit(distribution, distribution.dependencies + distribution.test_dependencies)
    return [*found.values(), distribution]


def _requirements(file: Path) -> dict[str, str]:
    """Package → the line that pins it."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(Requirement(line).name): line for line in lines}


def constraints(session: nox.Session, *others: Path | None) -> Path:
    """The versions to install: constraints.txt, but for what the other files say."""
    lines = _requirements(CONSTRAINTS)
    for other in others:
        lines |= {} if other is None else _requirements(other)
    merged = Path(session.create_tmp()) / "constraints.txt"
    merged.write_text("\n".join(lines.values()))
    return merged


def install(
    session: nox.Session,
    *distributions: Distribution,
    extra: str = "",
    variant: Path | None = None,
) -> None:
    """Install local distributions, editable, with all they need, in one pip call."""
    editables = []
    for distribution in distributions:
        is_last = distribution is distributions[-1]
        editables += ["-e", f"{distribution.path}{extra if is_last else ''}"]
    own = distributions[-1].own
    session.install("-c", str(constraints(session, own, variant)), *editables)


SUITES = {
    ", ".join(filter(None, (name, label))): (name, label)
    for name, distribution in DISTRIBUTIONS.items()
    for label in (None, *distribution.variants)
}


@nox.session(tags=["test"])
@nox.parametrize(("name", "label"), list(SUITES.values()), ids=list(SUITES))
def tests(session: nox.Session, name: str, label: str | None) -> None:
    """The tests of one distribution, with nothing installed but what it declares."""
    distribution = DISTRIBUTIONS[name]
    variant = distribution.variants[label] if label else None
    install(session, *local_closure(distribution), extra=f"[{TEST_EXTRA}]", variant=variant)
    versions = constraints(session, distribution.own, variant)
    session.install("-c", str(versions), "pytest-xdist")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As a shell has it in the background; the tests of Ctrl-C would wait for ever.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    session.run(
        "pytest",
        f"--numprocesses={WORKERS}",
        "--dist=worksteal",
        str(distribution.path / "tests"),
        *session.posargs,
        env={"OMP_NUM_THREADS": "1"},
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install("-c", str(CONSTRAINTS), "ruff")
    session.run("ruff", "check", str(ROOT))
    session.run("ruff", "format", "--check", str(ROOT))


@nox.session
def types(session: nox.Session) -> None:
    """Strict static types, of every distribution.

    One with versions of its own cannot be installed beside the others, so it is checked without
    what it alone requires.
    """
    distributions = list(DISTRIBUTIONS.values())
    install(session, *(one for one in distributions if one.own is None))
    session.install("-c", str(CONSTRAINTS), "mypy", "types-PyYAML")
    sources = [str(distribution.path / "src") for distribution in distributions]
    session.run("mypy", "--config-file", str(ROOT / "pyproject.toml"), *sources)
