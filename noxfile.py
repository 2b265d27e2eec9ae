"""Test sessions: each distribution in an environment of its own, plus lint and types.

`nox` runs all of them; `nox -l` lists them; `nox -s "tests(mezzanine-core)" -- -k cache` passes
arguments on to pytest.

A distribution that supports several versions of a dependency has a file `constraints-LABEL.txt`
beside its pyproject.toml for each that constraints.txt does not name: its tests run once more with
what that file says in place of what constraints.txt says of the same packages. One that cannot do
with what constraints.txt names at all has a file `constraints.txt` of its own, for all its tests.

`wheels`, `minimal`, `broken`, `uninstall` and `matrix` look at what users install: tests of
tests/ecosystem make clean environments of the wheels that `build` leaves. `floor` tests with the
oldest and with the newest versions that the metadata allow.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nox
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.stop_on_first_error = False

# Modules are compiled when they are first imported, not all of torch's in each environment.
os.environ.setdefault("PIP_NO_COMPILE", "1")

ROOT = Path(__file__).parent
CONSTRAINTS = ROOT / "constraints.txt"
TEST_EXTRA = "test"
WORKERS = "2"
"""Processes that share the tests of a distribution, with a thread each for arithmetic."""

BUILT = ROOT / ".nox" / "dist"
"""Where `build` leaves the distributions."""

LIGHT = (
    "mezzanine-core",
    "mezzanine-encoders-pixels",
    "mezzanine-trackers-tensorboard",
    "mezzanine-trackers-wandb",
    "mezzanine-worlds-hf",
    "mezzanine-worlds-iphyre",
)
"""What `floor` tests: of torch, only the newest release can be had as a build for CPUs by pip."""


@dataclass(frozen=True)
class Distribution:
    """One distribution of the monorepo, as its pyproject.toml describes it."""

    name: str
    path: Path
    dependencies: tuple[Requirement, ...]
    optional_dependencies: tuple[Requirement, ...]
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
        optional_dependencies=tuple(
            Requirement(text)
            for extra, texts in extras.items()
            if extra != TEST_EXTRA
            for text in texts
        ),
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


def oldest(distributions: Iterable[Distribution]) -> list[str]:
    """The lowest versions that work for all of them, pinned, but for what tests alone need."""
    lowest: dict[str, Version] = {}
    for distribution in distributions:
        for requirement in distribution.dependencies + distribution.optional_dependencies:
            name = canonicalize_name(requirement.name)
            bounds = [
                Version(part.version) for part in requirement.specifier if part.operator == ">="
            ]
            if bounds and name not in DISTRIBUTIONS:
                lowest[name] = max(*bounds, lowest.get(name, bounds[0]))
    return [f"{name}=={version}" for name, version in sorted(lowest.items())]


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
    run_tests(session, distribution)


def run_tests(session: nox.Session, distribution: Distribution, *options: str) -> None:
    """The tests of one distribution, in the session's environment."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As a shell has it in the background; the tests of Ctrl-C would wait for ever.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    session.run(
        "pytest",
        f"--numprocesses={WORKERS}",
        "--dist=worksteal",
        str(distribution.path / "tests"),
        *options,
        *session.posargs,
        env={"OMP_NUM_THREADS": "1"},
    )


@nox.session
def browser(session: nox.Session) -> None:
    """Reports in a real Chromium, where there is one: errors, requests, access, print."""
    core = DISTRIBUTIONS["mezzanine-core"]
    install(session, core, extra=f"[{TEST_EXTRA}]")
    session.install("-c", str(constraints(session)), "playwright", "axe-playwright-python")
    session.run("pytest", str(core.path / "tests" / "browser"), *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, every link and reference in it sound; then that what the pages say is so."""
    install(session, *(one for one in DISTRIBUTIONS.values() if one.own is None))
    tools = ("mkdocs-material", "mkdocstrings[python]", "pytest", "pytest-xdist", "ruff")
    session.install("-c", str(CONSTRAINTS), *tools)
    site = ROOT / "site"
    # The notice is about a release of MkDocs that is not used here.
    quiet = {"NO_MKDOCS_2_WARNING": "1", "OMP_NUM_THREADS": "1"}
    session.run("mkdocs", "build", "--strict", "--site-dir", str(site), env=quiet)
    session.run(
        "pytest",
        f"--numprocesses={WORKERS}",
        "--dist=worksteal",
        str(ROOT / "tests" / "docs"),
        *session.posargs,
        env={"MEZZ_TEST_SITE": str(site), "OMP_NUM_THREADS": "1"},
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install("-c", str(CONSTRAINTS), "ruff")
    session.run("ruff", "check", str(ROOT))
    session.run("ruff", "format", "--check", str(ROOT))


@nox.session
def types(session: nox.Session) -> None:
    """Strict static types, of every distribution and of plugins by others; who imports whom.

    One with versions of its own cannot be installed beside the others, so it is checked without
    what it alone requires.
    """
    distributions = list(DISTRIBUTIONS.values())
    install(session, *(one for one in distributions if one.own is None))
    session.install("-c", str(CONSTRAINTS), "mypy", "optuna", "pytest", "types-PyYAML")
    sources = [str(distribution.path / "src") for distribution in distributions]
    session.run("mypy", "--config-file", str(ROOT / "pyproject.toml"), *sources)
    session.run("pytest", str(ROOT / "tests" / "typing"), str(ROOT / "tests" / "architecture"))


@nox.session
def build(session: nox.Session) -> None:
    """The sdist of every distribution, and of that the wheel, as they would be published."""
    versions = str(constraints(session))
    session.install("-c", versions, "build", "hatchling", "twine", "check-wheel-contents")
    shutil.rmtree(BUILT, ignore_errors=True)
    for distribution in DISTRIBUTIONS.values():
        path = str(distribution.path)
        session.run("python", "-m", "build", "--no-isolation", "--outdir", str(BUILT), path)
    session.run("twine", "check", "--strict", *map(str, sorted(BUILT.iterdir())))
    session.run("check-wheel-contents", *map(str, sorted(BUILT.glob("*.whl"))))


def ecosystem(session: nox.Session, *names: str) -> None:
    """Run modules of tests/ecosystem; the environments that they look at are made by them."""
    session.install("-c", str(constraints(session)), "pytest", "build", "hatchling")
    files = [str(ROOT / "tests" / "ecosystem" / f"test_{name}.py") for name in names]
    session.run(
        "pytest",
        f"--basetemp={Path(session.create_tmp()) / 'environments'}",  # of the last time, no more
        "--override-ini=tmp_path_retention_policy=failed",
        *files,
        *session.posargs,
        env={"MEZZ_TEST_WHEELS": str(BUILT)},
    )


@nox.session(requires=["build"])
def wheels(session: nox.Session) -> None:
    """What the wheels hold; every command and recipe, installed from them."""
    ecosystem(session, "metadata", "wheels")


@nox.session(requires=["build"])
def minimal(session: nox.Session) -> None:
    """Core alone: every command is of use, and what is not installed is said how to get."""
    ecosystem(session, "minimal")


@nox.session(requires=["build"])
def broken(session: nox.Session) -> None:
    """Installed plugins that are wrong in every way: each is named, and no command breaks."""
    ecosystem(session, "broken")


@nox.session(requires=["build"])
def uninstall(session: nox.Session) -> None:
    """A world distribution is installed and seen, removed and gone."""
    ecosystem(session, "uninstall")


@nox.session(requires=["build"])
def matrix(session: nox.Session) -> None:
    """The previous core with today's plugins, and the reverse, once there are releases."""
    ecosystem(session, "matrix")


@nox.session(requires=["build"])
def example(session: nox.Session) -> None:
    """The commands of docs/tutorial.md, then the tests and types of the plugins in examples/.

    The tutorial installs what was built; what it leaves installed is what the examples need.
    """
    versions = str(constraints(session).resolve())
    threads = {"OMP_NUM_THREADS": "1"}
    session.install("-c", versions, "pytest", "pytest-xdist", "mypy")
    session.run(
        "pytest",
        str(ROOT / "tests" / "example"),
        env={"MEZZ_TEST_WHEELS": str(BUILT), "PIP_CONSTRAINT": versions, **threads},
    )
    for pyproject in sorted((ROOT / "examples").glob("*/pyproject.toml")):
        folder = pyproject.parent
        session.install("-c", versions, "-e", f"{folder}[{TEST_EXTRA}]")
        with session.chdir(folder):
            session.run("pytest", f"--numprocesses={WORKERS}", *session.posargs, env=threads)
            session.run("mypy", "src")


@nox.session(requires=["build"])
def templates(session: nox.Session) -> None:
    """What `mezz new` writes for each kind installs, and passes its own checks at birth."""
    versions = str(constraints(session).resolve())
    (core,) = BUILT.glob("mezzanine_core-*.whl")
    session.install("-c", versions, str(core), "hatchling", "mypy", "ruff")
    kinds = ("world", "symmetry", "encoder", "recipe", "tracker", "executor")
    # Not below this repository, whose settings tools would find.
    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        for kind in kinds:
            session.run("mezz", "new", kind, f"sample_{kind}", "--dir", kind, silent=True)
        packages = [f"./{kind}[{TEST_EXTRA}]" for kind in kinds]
        session.install("-c", versions, "--no-build-isolation", *packages)
        session.run("ruff", "check", "--no-cache", ".")
        session.run("ruff", "format", "--no-cache", "--check", ".")
        sources = [f"{kind}/src" for kind in kinds]
        session.run("mypy", "--config-file", f"{kinds[0]}/pyproject.toml", *sources)
        for kind in kinds:
            session.run("pytest", kind, *session.posargs, env={"OMP_NUM_THREADS": "1"})
            session.run("mezz", "plugins", "check", f"sample_{kind}", "--kind", kind, silent=True)


@nox.session
@nox.parametrize("end", ["oldest", "newest"], ids=["oldest", "newest"])
def floor(session: nox.Session, end: str) -> None:
    """The tests that are not slow, with the oldest or newest versions that the metadata allow."""
    distributions = [DISTRIBUTIONS[name] for name in LIGHT]
    versions = Path(session.create_tmp()) / "constraints.txt"
    versions.write_text("\n".join(oldest(distributions) if end == "oldest" else []))
    editables = [f"-e{distribution.path}[{TEST_EXTRA}]" for distribution in distributions]
    session.install("--upgrade", "-c", str(versions), *editables)
    session.install("-c", str(versions), "pytest-xdist")
    # Old libraries may use what newer ones, which nobody holds back, are going to remove.
    old = ["-W", "ignore::DeprecationWarning"] if end == "oldest" else []
    for distribution in distributions:
        run_tests(session, distribution, "-m", "not slow", *old)
