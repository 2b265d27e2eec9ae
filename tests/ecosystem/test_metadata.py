"""What the wheels hold: everything that is in the sources, and metadata that say what it needs."""

import email
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECTS = {
    tomllib.loads(file.read_text(encoding="utf-8"))["project"]["name"]: file.parent
    for file in sorted((ROOT / "packages").glob("**/pyproject.toml"))
}
MADE = {"__pycache__"}


@pytest.fixture(params=PROJECTS)
def project(request):
    """The directory of a distribution and the table ``project`` of its pyproject.toml."""
    folder = PROJECTS[request.param]
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    return folder, tomllib.loads(text)["project"]


@pytest.fixture
def archive(project, wheels):
    """The distribution's wheel, opened."""
    with zipfile.ZipFile(wheels[project[1]["name"]]) as opened:
        yield opened


def info(archive, name) -> str:
    """A file of the ``.dist-info`` directory."""
    (path,) = [path for path in archive.namelist() if path.endswith(f".dist-info/{name}")]
    return archive.read(path).decode()


def test_a_wheel_holds_every_file_of_the_sources_and_no_other(project, archive):
    source = project[0] / "src"
    there = {
        path.relative_to(source).as_posix(): path.read_bytes()
        for path in source.rglob("*")
        if path.is_file() and not MADE & set(path.parts)
    }
    packed = {
        name: archive.read(name)
        for name in archive.namelist()
        if ".dist-info/" not in name and not name.endswith("/")
    }
    assert packed == there


def test_a_wheel_carries_the_licence(archive):
    assert info(archive, "licenses/LICENSE") == (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_a_wheel_says_that_it_is_typed(project, archive):
    package = project[1]["name"].replace("-", "_")
    assert f"{package}/py.typed" in archive.namelist()


def test_a_wheel_requires_what_its_project_declares(project, archive):
    metadata = email.message_from_string(info(archive, "METADATA"))
    required = {Requirement(text) for text in metadata.get_all("Requires-Dist", [])}
    always = {requirement for requirement in required if requirement.marker is None}
    assert always == set(map(Requirement, project[1]["dependencies"]))
    assert metadata["Requires-Python"] == project[1]["requires-python"]


def test_all_distributions_have_one_version_and_need_each_other_by_range(project, wheels):
    _, table = project
    core = tomllib.loads(
        (PROJECTS["mezzanine-core"] / "pyproject.toml").read_text(encoding="utf-8")
    )["project"]
    assert table["version"] == core["version"]
    extras = table.get("optional-dependencies", {}).values()
    for text in [*table["dependencies"], *(each for extra in extras for each in extra)]:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) in PROJECTS and requirement.specifier:
            operators = sorted(part.operator for part in requirement.specifier)
            assert operators == ["<", ">="], text
            assert requirement.specifier.contains(core["version"]), text


def test_a_wheel_announces_its_plugins_and_commands(project, archive):
    announced = info(archive, "entry_points.txt")
    for name, module in project[1]["entry-points"]["mezzanine"].items():
        assert f"{name} = {module}\n" in f"{announced}\n"
        assert f"{module.replace('.', '/')}.py" in archive.namelist()
    for name, target in project[1].get("scripts", {}).items():
        assert f"{name} = {target}\n" in f"{announced}\n"


def test_a_wheel_describes_itself(project, archive):
    metadata = email.message_from_string(info(archive, "METADATA"))
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().strip() == (project[0] / "README.md").read_text().strip()
