import json

import pytest

from mezzanine_core.cli.listing import parse_kind
from mezzanine_core.errors import UnknownNameError
from mezzanine_core.plugins.components import PLURALS

LONG = (
    "A world with a summary that is much too long for one line of eighty columns, and goes on for "
    "a while so that it is wrapped more than once"
)


@pytest.fixture
def toy(plugin_site, monkeypatch):
    """A site with one plugin, beside which core alone is loaded."""
    site = plugin_site
    worlds = [site.world("toy", summary="A toy"), site.world("toy_of_a_long_name", summary=LONG)]
    encoder = "Spec(kind='encoder', name='blank', summary='Nothing', config='a:B', factory='a:B')"
    text = site.announce("mezz_worlds", *worlds)
    text += f"\n@hookimpl\ndef mezz_encoders():\n    return [{encoder}]\n"
    site.add("mezz-test-toy", text, version="3.1")
    monkeypatch.setenv("MEZZ_PLUGINS", "mezz-test-toy")
    monkeypatch.setenv("COLUMNS", "80")


def test_components_are_grouped_by_kind_and_aligned(toy, call):
    code, out, err = call("list")
    assert (code, err) == (0, "")
    heads = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert heads[:4] == ["worlds", "symmetries", "encoders", "trackers"]
    rows = [line for line in out.splitlines() if line.startswith("  ")]
    starts = {
        len(row) - len(row[2:].lstrip("abcdefghijklmnopqrstuvwxyz_").lstrip()) for row in rows
    }
    assert starts == {2 + len("toy_of_a_long_name") + 2}


def test_a_listing_fits_into_eighty_columns_and_loses_nothing(toy, call):
    _, out, _ = call("list", "worlds")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(out.split()).startswith(
        f"worlds toy A toy (mezz-test-toy) toy_of_a_long_name {LONG} (mezz-test-toy)"
    )


def test_json_says_what_the_text_says_and_more(toy, call):
    code, out, _ = call("list", "worlds", "--json")
    assert code == 0
    assert json.loads(out)[0] == {
        "kind": "world",
        "name": "toy",
        "summary": "A toy",
        "distribution": "mezz-test-toy",
        "version": "3.1",
        "tags": [],
        "ambiguous": False,
        "installed": True,
    }


@pytest.mark.parametrize("kind", PLURALS)
def test_the_list_of_a_kind_is_that_part_of_the_whole_list(toy, call, kind):
    whole = json.loads(call("list", "--json")[1])
    part = json.loads(call("list", PLURALS[kind], "--json")[1])
    assert part == [row for row in whole if row["kind"] == kind]


def test_flags_count_before_and_after_the_kind(toy, call):
    assert call("list", "--json", "worlds") == call("list", "worlds", "--json")
    assert call("list", "--all", "worlds") == call("list", "worlds", "--all")


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("list-adapters", "worlds"),
        ("list-encoders", "encoders"),
        ("list-symmetries", "symmetries"),
    ],
)
@pytest.mark.parametrize("flag", [[], ["--json"], ["--all"]])
def test_the_original_spellings_list_the_same(toy, call, command, kind, flag):
    assert call(command, *flag) == call("list", kind, *flag)


def test_what_is_not_installed_is_listed_with_its_pip_command_on_request(call, monkeypatch):
    # A path without any distribution but this one: nothing is installed besides core itself.
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: ())
    _, out, _ = call("list")
    assert "more components can be installed: see --all." in out
    _, out, _ = call("list", "--all")
    assert "pip install mezzanine-worlds-iphyre" in out
    rows = json.loads(call("list", "worlds", "--all", "--json")[1])
    absent = {row["name"]: row["install"] for row in rows if not row["installed"]}
    assert absent["iphyre"] == "pip install mezzanine-worlds-iphyre"


@pytest.mark.parametrize(
    ("word", "kind"),
    [("worlds", "world"), ("symmetry", "symmetry"), ("Adapters", "world"), ("encoders", "encoder")],
)
def test_a_kind_may_be_given_in_singular_or_plural(word, kind):
    assert parse_kind(word) == kind


def test_an_unknown_kind_is_answered_with_those_there_are():
    with pytest.raises(UnknownNameError) as caught:
        parse_kind("recepies")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("Did you mean 'recipes'? The kinds are worlds, ")
