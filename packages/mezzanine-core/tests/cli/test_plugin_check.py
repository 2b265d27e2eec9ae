"""``mezz plugins check`` says of each law whether it holds, and what to do where it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SITE = Path(__file__).parents[1] / "testing" / "toy_site"


@pytest.fixture
def faulty(monkeypatch):
    """The faulty distribution, alone beside core."""
    monkeypatch.syspath_prepend(str(SITE))
    monkeypatch.setenv("MEZZ_PLUGINS", "mezz-faulty")


def laws(document):
    return {law["law"]: law for law in document["laws"]}


def test_a_sound_component_breaks_no_law(call):
    code, out, err = call("plugins", "check", "vector")
    assert (code, err) == (0, "")
    assert out.startswith("encoder vector@mezzanine-core ")
    assert "  holds           latents do not depend on the batch\n" in out
    assert "  does not apply  settings without fingerprint change no latent\n" in out
    assert "note: every setting is fingerprinted" in out
    assert " 0 broken, " in out


@pytest.mark.usefixtures("faulty")
def test_a_broken_law_is_shown_with_its_cause_and_remedy(call):
    code, out, _ = call("plugins", "check", "faulty_encoder", "--set", "fault=normalised")
    assert code == 1
    assert "  fails           latents do not depend on the batch\n" in out
    text = " ".join(out.split())
    assert "cause: one item at a time changes the latent of item 0 by 1 of" in text
    assert "remedy: Compute each latent from its own item alone" in text
    assert "note: not tried, since no other value is known: fault" in text
    assert " 1 broken, " in out


@pytest.mark.usefixtures("faulty")
def test_json_holds_every_law(call):
    code, out, _ = call(*("plugins", "check", "faulty-tracker", "--set", "fault=prints", "--json"))
    document = json.loads(out)
    assert code == 1
    assert [(each["kind"], each["name"]) for each in document] == [("tracker", "faulty_tracker")]
    found = laws(document[0])
    broken = {name for name, law in found.items() if law["status"] == "fails"}
    assert broken == {"nothing_is_printed"}
    assert found["nothing_is_printed"]["remedy"].startswith("Log to stderr")


def test_a_plugin_is_checked_with_all_that_it_brings(call, plugin_site):
    parts = "config='mezzanine_core.builtin.noop:NoopConfig', "
    parts += "factory='mezzanine_core.builtin.noop:NoopTracker'"
    specs = [f"Spec(kind='tracker', name={name!r}, summary='x', {parts})" for name in ("a", "b")]
    plugin = plugin_site.announce("mezz_trackers", *specs)
    plugin_site.add("mezz-test-two", plugin, requires=("mezzanine-core<1",))
    for name in ("mezz-test-two:main", "Mezz_Test_Two"):
        code, out, _ = call("plugins", "check", name, "--json")
        assert code == 0
        assert [document["name"] for document in json.loads(out)] == ["a", "b"]


@pytest.mark.usefixtures("faulty")
def test_a_recipe_is_not_run_at_settings_that_nobody_chose(call):
    code, out, _ = call("plugins", "check", "faulty_recipe", "--json")
    found = laws(json.loads(out)[0])
    assert code == 0
    assert found["running_twice_gives_the_same"]["status"] == "does not apply"
    assert "--set" in found["running_twice_gives_the_same"]["cause"]
    code, out, _ = call("plugins", "check", "faulty_recipe", "--set", "wrong=random", "--json")
    found = laws(json.loads(out)[0])
    assert code == 1
    assert found["running_twice_gives_the_same"]["status"] == "fails"


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["vectro"], 2, "Did you mean 'vector'"),
        (["vector", "--kind", "world"], 2, "there is no world 'vector'"),
        (["mezz-faulty", "--set", "fault=x"], 2, "--set is for one component"),
        (["vector", "--set", "dim"], 2, "KEY=VALUE"),
        (["vector", "--set", "dmi=8"], 2, "unknown setting 'dmi'"),
        (["pixels"], 3, "pixels"),
        (["vector", "--set", "dim=1"], 2, "does not take dim: Input should be greater"),
    ],
    ids=str,
)
def test_a_wrong_question_is_answered_with_what_is_wrong(call, arguments, code, said):
    found, out, err = call("plugins", "check", *arguments)
    assert (found, out) == (code, "")
    assert said in err


def test_a_component_that_needs_settings_is_asked_for_them(call, plugin_site):
    config = "class Config(ComponentConfig):\n    depth: int = Field(description='How deep')\n"
    imports = "from pydantic import Field\nfrom mezzanine_core.config import ComponentConfig\n"
    parts = "config='mezz_test_needy.config:Config', "
    parts += "factory='mezzanine_core.builtin.noop:NoopTracker'"
    spec = f"Spec(kind='tracker', name='needy', summary='x', {parts})"
    plugin = plugin_site.announce("mezz_trackers", spec)
    plugin_site.add("mezz-test-needy", plugin, requires=("mezzanine-core<1",))
    plugin_site.write("mezz_test_needy/config.py", imports + config)
    code, out, _ = call("plugins", "check", "needy")
    assert code == 0
    text = " ".join(out.split())
    assert "does not take depth: Field required; give it by --set" in text
    assert "note: as above" in text
    code, out, _ = call("plugins", "check", "needy", "--set", "depth=2")
    assert code == 0
    assert "Field required" not in out


def test_plugins_without_a_command_lists_them(call):
    assert call("plugins")[1].startswith("ok ")
    assert isinstance(json.loads(call("plugins", "--json")[1]), list)
    assert "check" in call("plugins", "--help")[1]
