import json

import pytest

CONFIG = """
from typing import Literal
from typing import Annotated
from pydantic import Field
from mezzanine_core.config import Alias, MezzModel, WorldConfig

class Physics(MezzModel):
    gravity: float = Field(9.81, gt=0, description="Acceleration downwards [m/s²]")

class Config(WorldConfig):
    games: tuple[str, ...] = Field(("hole",), min_length=1, description="Which games")
    scheme: Literal["single", "window"] = "single"
    n_train: Annotated[int, Alias("items")] = Field(description="Training samples", ge=1)
    physics: Physics = Physics()
"""


@pytest.fixture
def toy(plugin_site, monkeypatch):
    """A world with settings, and a preset of it."""
    site = plugin_site
    given = {"config": "mezz_test_toy.config:Config", "factory": "mezz_test_toy.world:Toy"}
    preset = site.world("toy_preset", **given)[:-1] + ", defaults={'games': ['a', 'b']})"
    fixed = site.world("toy", **given)[:-1] + ", tags=('image',), requires=('no-such-dist>=3',))"
    package = site.add("mezz-test-toy", site.announce("mezz_worlds", fixed, preset))
    site.write(f"{package}/config.py", CONFIG)
    monkeypatch.setenv("MEZZ_PLUGINS", "mezz-test-toy")
    monkeypatch.setenv("COLUMNS", "80")


def settings(call, name: str) -> dict[str, dict[str, object]]:
    code, out, err = call("info", name, "--json")
    assert (code, err) == (0, "")
    return {row["name"]: row for row in json.loads(out)["settings"]}


def test_a_component_is_shown_with_its_origin_and_settings(toy, call):
    code, out, err = call("info", "toy")
    assert (code, err) == (0, "")
    assert out.startswith("world toy\n  summary: The world toy\n  from: mezz-test-toy 1.0\n")
    assert "  tags: image\n" in out
    assert "  not installed: no-such-dist>=3 (pip install 'no-such-dist>=3')\n" in out
    text = " ".join(out.split())
    assert "n_train Training samples [INT; x >= 1; required; also items]" in text
    assert "scheme [single|window; default single]" in text
    assert "physics.gravity Acceleration downwards [m/s²] [FLOAT; x > 0; default 9.81]" in text


def test_settings_have_type_range_default_and_description(toy, call):
    rows = settings(call, "toy")
    assert set(rows) == {"seed", "games", "scheme", "n_train", "physics.gravity"}
    assert rows["games"] == {
        "name": "games",
        "type": "TEXT,...",
        "limits": rows["games"]["limits"],
        "required": False,
        "default": ["hole"],
        "description": "Which games",
        "aliases": [],
    }
    assert rows["n_train"]["aliases"] == ["items"]
    assert rows["n_train"]["required"] is True


def test_a_preset_shows_its_own_defaults(toy, call):
    assert settings(call, "toy_preset")["games"]["default"] == ["a", "b"]


def test_json_holds_the_schema_of_the_settings(toy, call):
    document = json.loads(call("info", "toy", "--json")[1])
    assert document["schema"]["properties"]["n_train"]["minimum"] == 1
    assert document["missing"] == ["no-such-dist>=3"]
    assert (document["kind"], document["version"]) == ("world", "1.0")


def test_a_name_of_two_kinds_asks_which(toy, plugin_site, call, monkeypatch):
    site = plugin_site
    encoder = "Spec(kind='encoder', name='toy', summary='', config='a:B', factory='a:B')"
    site.add("mezz-test-more", site.announce("mezz_encoders", encoder))
    monkeypatch.setenv("MEZZ_PLUGINS", "mezz-test-toy,mezz-test-more")
    code, _, err = call("info", "toy")
    assert code == 2
    assert "error: 'toy' is the name of a world and of an encoder\n" in err
    assert "`--kind world` or `--kind encoder`" in err
    assert call("info", "toy", "--kind", "worlds")[0] == 0


def test_an_unknown_name_is_answered_with_those_that_come_near(toy, call):
    code, out, err = call("info", "toy_prset")
    assert (code, out) == (2, "")
    assert "error: there is no component 'toy_prset'\nhint: Did you mean 'toy_preset'" in err


def test_a_known_component_that_is_not_installed_names_its_pip_command(call, monkeypatch):
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: ())
    code, _, err = call("info", "hf_vision")
    assert code == 3
    assert "hint: pip install mezzanine-encoders-hf\n" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_library\n", "needs the module 'no_such_library'"),
        ("1 / 0\n", "cannot be imported: ZeroDivisionError"),
        ("Config = 3\n", "is not a pydantic model"),
        ("", "has no 'Config'"),
    ],
)
def test_settings_that_cannot_be_imported_are_the_plugins_fault(toy, plugin_site, call, text, said):
    plugin_site.write("mezz_test_toy/config.py", text)
    code, out, err = call("info", "toy")
    assert (code, out) == (3, "")
    assert said in err


def test_every_installed_component_can_be_shown(call):
    rows = json.loads(call("list", "--json")[1])
    assert rows
    for row in rows:
        name = f"{row['name']}@{row['distribution']}"
        code, _, err = call("info", name, "--kind", row["kind"])
        assert (code, err) == (0, ""), name
