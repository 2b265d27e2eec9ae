"""``mezz new``, and the packages that it writes."""

import json
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from mezzanine_core.plugins.components import PLURALS
from mezzanine_core.specs import KINDS

DOCS = Path(__file__).parents[4] / "docs"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("MEZZ_PLUGINS", "")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def commands(out):
    return [shlex.split(line) for line in out.splitlines() if line.startswith("  ")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_directory_is_named_like_the_distribution(here, call, kind):
    code, out, err = call("new", kind, "my-thing")
    folder = f"mezzanine-{PLURALS[kind]}-my-thing"
    assert (code, err) == (0, "")
    assert [path.name for path in here.iterdir()] == [folder]
    project = tomllib.loads((here / folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["name"] == folder
    assert commands(out) == [
        ["pip", "install", "-e", f"./{folder}[test]"],
        ["pytest", folder],
        ["mezz", "plugins", "check", folder],
    ]


def test_what_it_prints_is_what_the_documentation_shows(here, call):
    page = (DOCS / "new_plugin.md").read_text(encoding="utf-8")
    shown = page.partition("```sh\nmezz new world puck\n```\n\n")[2].partition("\n\nKIND")[0]
    assert call("new", "world", "puck")[1] == textwrap.dedent(shown) + "\n"


@pytest.mark.parametrize("spelling", ["worlds", "World", "adapter"])
def test_the_kind_may_be_spelled_as_in_listings(here, call, spelling):
    assert call("new", spelling, "hopper")[0] == 0
    assert (here / "mezzanine-worlds-hopper" / "pyproject.toml").exists()


@pytest.mark.parametrize(
    ("folder", "for_pip"),
    [
        ("my plugins/hopper", "./my plugins/hopper[test]"),
        (".", ".[test]"),
        ("../hopper", "../hopper[test]"),
    ],
)
def test_the_commands_take_the_directory_as_it_was_given(here, call, folder, for_pip):
    code, out, _ = call("new", "world", "hopper", "--dir", folder)
    assert code == 0
    assert commands(out)[:2] == [["pip", "install", "-e", for_pip], ["pytest", folder]]


def test_a_dry_run_lists_what_would_be_written_and_writes_nothing(here, call):
    code, out, err = call("new", "world", "hopper", "--dry-run")
    listed = {line.strip() for line in out.splitlines() if line.startswith("  ")}
    assert (code, err, list(here.iterdir())) == (0, "", [])
    call("new", "world", "hopper")
    folder = here / "mezzanine-worlds-hopper"
    assert listed == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    }


def test_details_are_in_the_metadata(here, call):
    details = [
        "--dist",
        "acme-hopper",
        "--description",
        "A leg",
        "--author",
        "Ada <ada@example.org>",
    ]
    assert call("new", "world", "hopper", *details)[0] == 0
    project = tomllib.loads((here / "acme-hopper" / "pyproject.toml").read_text())["project"]
    assert project["description"] == "A leg"
    assert project["authors"] == [{"name": "Ada", "email": "ada@example.org"}]
    assert project["entry-points"]["mezzanine"] == {"hopper": "acme_hopper.plugin"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["wrld", "hopper"],
            "error: there is no kind of component 'wrld'\nhint: Did you mean 'worlds'?",
        ),
        (["world", "Hopper"], "error: 'Hopper' cannot be the name of a world\nhint: "),
        (["world", "iphyre"], "error: the world 'iphyre' is one of mezzanine-worlds-iphyre\n"),
        (["encoder", "vector"], "error: there is an encoder 'vector' already, of mezzanine-core\n"),
        (["world"], "error: missing argument 'name'"),
        ([], "error: missing argument 'kind'"),
        (
            ["world", "hopper", "--dist", "mezzanine"],
            "error: 'mezzanine' cannot be the name of the",
        ),
        (["world", "hopper", "--author", "<x>"], "error: '<x>' is no author\n"),
        (["world", "hopper", "--dir", "full"], "error: full is not empty: it holds a.txt\nhint: "),
        (["world", "hopper", "--dir", "full", "--dry-run"], "error: full is not empty"),
        (
            ["world", "hopper", "--dir", "full/a.txt"],
            "error: the package cannot be written to full/a.txt",
        ),
        (["world", "hopper", "--dir", ""], "error: --dir: the name is empty"),
        (["world", "hopper", "--dir", "~nobody-there/x"], "error: --dir: '~nobody-there/x' cannot"),
    ],
)
def test_what_cannot_be_is_refused_and_writes_nothing(here, call, arguments, says):
    (here / "full").mkdir()
    (here / "full" / "a.txt").write_text("mine")
    code, out, err = call("new", *arguments)
    assert (code, out) == (2, "")
    # Which case the names of arguments have differs between versions of Typer.
    assert err.casefold().startswith(says.casefold())
    assert sorted(path.name for path in here.rglob("*")) == ["a.txt", "full"]


@pytest.fixture
def installed(plugin_site, here, call):
    """Writes a package and puts it on the import path as an editable install would."""

    def install(kind, name):
        folder = here / name
        assert call("new", kind, name, "--dir", str(folder))[0] == 0
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for source in (folder / "src").iterdir():
            shutil.copytree(source, plugin_site.root / source.name)
        lines = "".join(
            f"{key} = {value}\n" for key, value in project["entry-points"]["mezzanine"].items()
        )
        plugin_site.add_metadata(
            project["name"],
            f"[mezzanine]\n{lines}",
            version=project["version"],
            requires=tuple(project["dependencies"]),
        )
        return project["name"]

    return install


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_component_is_found_and_described(installed, call, monkeypatch, kind):
    monkeypatch.setenv("MEZZ_PLUGINS", installed(kind, "hopper"))
    code, out, err = call("info", "hopper", "--kind", kind, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["kind"], found["name"], found["version"]) == (kind, "hopper", "0.1.0")
    assert all(row["description"] for row in found["settings"])


def test_a_new_recipe_runs_at_birth(installed, call, monkeypatch):
    monkeypatch.setenv("MEZZ_PLUGINS", installed("recipe", "probe"))
    code, out, err = call("run", "probe", "--out", "out", "--cache-dir", "cache", "--json")
    assert code == 0, err
    assert json.loads(out)["verdict"]["label"] == "MAKE"


def test_help_names_the_kinds(mezz):
    done = mezz("new", "--help")
    assert done.returncode == 0
    assert all(kind in done.stdout for kind in KINDS)


def test_templates_are_read_from_an_archive_too(tmp_path, mezz):
    core = Path(sys.modules["mezzanine_core"].__file__).parent
    archive = shutil.make_archive(str(tmp_path / "core"), "zip", core.parent, core.name)
    script = (
        "import sys; from mezzanine_core import scaffold; print(scaffold.__file__); "
        "print(len(scaffold.render_package(scaffold.choose_names('world', 'hopper'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": archive},
        capture_output=True,
        text=True,
        check=True,
    )
    place, number = done.stdout.split()
    assert place.startswith(archive)
    assert int(number) > 10
