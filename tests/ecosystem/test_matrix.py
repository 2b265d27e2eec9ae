"""Core and plugins of different releases: they work together, or are said not to.

Until there is a release before this version, other versions of the same sources stand in for it.
"""

import json
import re
import shutil
import subprocess
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
CORE = "mezzanine-core"
PLUGINS = {
    "mezzanine-encoders-pixels": Path("packages/mezzanine-encoders/pixels"),
    "mezzanine-worlds-iphyre": Path("packages/mezzanine-worlds/iphyre"),
}
FOLDERS = {CORE: Path("packages/mezzanine-core"), **PLUGINS}

USE = """
import json
import numpy as np
from mezzanine_core.plugins import load_registry
registry = load_registry()
def make(kind, name, **settings):
    found = registry.get(kind, name)
    return found.create(found.load_config()(name=name, **settings))
world = make("world", "iphyre", games=("hole",), n_train=4, n_test=2)
encoder = make("encoder", "pixels")
with make("executor", "local", workers=1) as executor:
    frames = world.load().transitions("train").obs.fetch(np.arange(4), executor)
    print(json.dumps([encoder.encode(batch).shape for _, batch in frames]))
"""


def version_of(sources) -> Version:
    """The version of the distributions below a directory like the repository's root."""
    text = (sources / FOLDERS[CORE] / "pyproject.toml").read_text(encoding="utf-8")
    return Version(re.search(r'^version = "(.+)"', text, re.MULTILINE)[1])


def renumbered(target, version):
    """The sources as they are, as another version, with ranges that follow it."""
    major, minor, *_ = Version(version).release
    for folder in FOLDERS.values():
        made = shutil.ignore_patterns("__pycache__", "tests")
        shutil.copytree(ROOT / folder, target / folder, ignore=made)
        for file in chain(*((target / folder).rglob(name) for name in ("*.toml", "_version.py"))):
            text = file.read_text(encoding="utf-8")
            text = re.sub(r'(?m)^(version|__version__) = ".+"', rf'\1 = "{version}"', text)
            ours = f"{CORE}>={major}.{minor},<{major}.{minor + 1}"
            text = re.sub(rf"{CORE}>=[\d.]+,<[\d.]+", ours, text)
            file.write_text(text, encoding="utf-8")
    return target


def released(target):
    """The sources of the newest release before this version, from its tag ``v1.2.3``."""
    git = ["git", "-C", str(ROOT)]
    listed = subprocess.run([*git, "tag", "--list", "v*"], capture_output=True, text=True)
    tags = [tag for tag in listed.stdout.split() if re.fullmatch(r"v\d+(\.\d+)*", tag)]
    before = [tag for tag in tags if Version(tag[1:]) < version_of(ROOT)]
    if not before:
        pytest.skip(f"there is no release before {version_of(ROOT)} yet: no tag v1.2.3 of one")
    archive = target / "release.tar"
    newest = max(before, key=lambda tag: Version(tag[1:]))
    subprocess.run([*git, "archive", "--output", str(archive), newest, "packages"], check=True)
    shutil.unpack_archive(archive, target, filter="data")
    return target


def current(target):
    """The sources as they are."""
    return ROOT


def patch(target):
    """A later version that promises to be compatible."""
    major, minor, *_ = version_of(ROOT).release
    return renumbered(target, f"{major}.{minor}.99")


def minor(target):
    """A later version that promises nothing."""
    major, minor, *_ = version_of(ROOT).release
    return renumbered(target, f"{major}.{minor + 1}.0")


@pytest.fixture(scope="module")
def built(tmp_path_factory, build_wheel):
    """Wheels of core and the plugins, by distribution, of the sources that a function gives."""
    known = {}

    def build(sources):
        if sources not in known:
            root = sources(tmp_path_factory.mktemp(sources.__name__))
            copy = tmp_path_factory.mktemp("build")
            for folder in FOLDERS.values():
                shutil.copytree(root / folder, copy / folder, dirs_exist_ok=True)
            known[sources] = {name: build_wheel(copy / path) for name, path in FOLDERS.items()}
        return known[sources]

    return build


@pytest.fixture(scope="module")
def prepared(core_alone, wheels, tmp_path_factory):
    """Core and the plugins with everything that they require."""
    environment = core_alone.copy(tmp_path_factory.mktemp("matrix") / "env")
    environment.install(*(wheels[name] for name in FOLDERS))
    return environment


PAIRS = [
    (current, current),
    (patch, current),
    (current, patch),
    (minor, current),
    (current, minor),
    (released, current),
    (current, released),
]


@pytest.mark.parametrize(
    ("core", "plugins"),
    PAIRS,
    ids=[f"{core.__name__} core, {plugins.__name__} plugins" for core, plugins in PAIRS],
)
def test_plugins_work_with_each_core_that_they_take_and_are_named_with_any_other(
    prepared, built, tmp_path, core, plugins
):
    environment = prepared.copy(tmp_path / "env")
    mixed = [built(core)[CORE], *(built(plugins)[name] for name in PLUGINS)]
    environment.pip("install", "--no-deps", "--force-reinstall", *map(str, mixed))

    version = environment.answer("--version").split()[-1]
    records = {each["distribution"]: each for each in environment.json("plugins")}
    script = "import importlib.metadata as m, sys; print(*m.requires(sys.argv[1]), sep='\\n')"
    for name in PLUGINS:
        listed = environment.run(environment.python, "-c", script, name).stdout.splitlines()
        (needed,) = [each for each in map(Requirement, listed) if each.name == CORE]
        fits = needed.specifier.contains(version)
        assert records[name]["status"] == ("ok" if fits else "incompatible"), records[name]
        if not fits:
            assert f"but this is {CORE} {version}" in records[name]["cause"]

    compatible = all(records[name]["status"] == "ok" for name in PLUGINS)
    assert environment.mezz("list").returncode == 0
    assert environment.mezz("doctor").returncode == (0 if compatible else 1)
    used = environment.run(environment.python, "-c", USE)
    if compatible:
        assert used.returncode == 0, used.stderr
        assert sum(rows for rows, _ in json.loads(used.stdout.splitlines()[-1])) == 4
    else:
        assert "is incompatible" in used.stderr
