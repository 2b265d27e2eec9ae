"""Whatever is wrong with a plugin, every command that does not need it works, and says so."""

import json

import pytest

BAD = "mezz-test-bad"

RAISES = "raise RuntimeError('boom [red]')\n"
EXITS = "import sys\nsys.exit(0)\n"
NONSENSE = "from mezzanine_core import hookimpl\n@hookimpl\ndef mezz_worlds():\n    return 42\n"


def world(site, name: str = "toy") -> str:
    return site.announce("mezz_worlds", site.world(name))


def raises(site) -> None:
    site.add(BAD, RAISES)


def exits(site) -> None:
    site.add(BAD, EXITS)


def returns_nonsense(site) -> None:
    site.add(BAD, NONSENSE)


def needs_another_core(site) -> None:
    site.add(BAD, world(site), requires=("mezzanine-core>=99",))


def misspells_a_hook(site) -> None:
    site.add(BAD, site.announce("mezz_wolrds"))


def announces_a_name_twice(site) -> None:
    site.add(BAD, site.announce("mezz_worlds", site.world("toy"), site.world("toy")))


def copies_another_plugin(site) -> None:
    other = site.add("mezz-test-a", world(site, "other"))
    site.add(BAD, "", entry_points={"main": f"{other}.plugin"})


CASES = [
    (raises, "broken", "RuntimeError: boom [red] ("),
    (exits, "broken", "it called sys.exit(0) ("),
    (returns_nonsense, "broken", "mezz_worlds returned 42, expected a list of Spec"),
    (needs_another_core, "incompatible", f"{BAD} 1.0 needs mezzanine-core>=99, but this is"),
    (misspells_a_hook, "broken", "there is no hook 'mezz_wolrds'; did you mean 'mezz_worlds'?"),
    (announces_a_name_twice, "broken", "it announces the world 'toy' twice"),
    (copies_another_plugin, "duplicate", "is loaded already, as the plugin mezz-test-a:main"),
]


@pytest.mark.parametrize(("install", "status", "cause"), CASES, ids=[c[0].__name__ for c in CASES])
def test_a_bad_plugin_is_named_with_its_cause_and_breaks_no_command(
    plugin_site, mezz, install, status, cause
):
    install(plugin_site)
    listed = mezz("plugins", "--json")
    assert listed.returncode == 0
    (record,) = [found for found in json.loads(listed.stdout) if found["distribution"] == BAD]
    assert record["status"] == status
    assert cause in record["cause"]
    assert record["remedy"].startswith("pip ")

    components = mezz("list", "--json")
    assert components.returncode == 0
    found = json.loads(components.stdout)
    assert "order" in [each["name"] for each in found]
    assert BAD not in [each["distribution"] for each in found]
    assert "1 plugin could not be loaded: see `mezz plugins`." in components.stderr

    assert mezz("info", "order").returncode == 0
    assert mezz("run", "--help").returncode == 0

    doctor = mezz("doctor")
    assert doctor.returncode == 1
    assert f"problem  plugin {BAD}:main: {status}: " in doctor.stdout

    absent = mezz("info", "toy")
    assert absent.returncode == 2
    assert "Some plugins could not be loaded: see `mezz plugins`." in absent.stderr

    strict = mezz("list", env={"MEZZ_STRICT": "1"})
    assert (strict.returncode, strict.stdout) == (3, "")
    assert f"error: the plugin {BAD}:main is {status}: " in strict.stderr
    for done in (listed, components, doctor, absent, strict):
        assert "Traceback" not in done.stderr


def test_causes_are_printed_word_for_word(plugin_site, mezz):
    raises(plugin_site)
    done = mezz("plugins")
    assert f"\n{BAD}:main is broken\n  cause: RuntimeError: boom [red]\n" in done.stdout
    assert f"  remedy: pip install --upgrade {BAD}\n" in done.stdout


def test_the_traceback_of_a_broken_plugin_is_shown_when_asked_for(plugin_site, mezz):
    raises(plugin_site)
    assert "Traceback" not in mezz("plugins").stderr
    debug = mezz("plugins", "--debug")
    assert debug.returncode == 0
    assert "RuntimeError: boom [red]" in debug.stderr
    assert "Traceback" in debug.stderr


def test_a_plugin_that_prints_does_not_spoil_json(plugin_site, mezz):
    plugin_site.add(BAD, "print('welcome to my plugin')\n" + world(plugin_site))
    done = mezz("list", "worlds", "--json")
    assert done.returncode == 0
    assert "toy" in [each["name"] for each in json.loads(done.stdout)]
    assert "welcome to my plugin" in done.stderr


def test_a_plugin_that_hangs_for_a_second_is_loaded_and_its_cost_is_noted(plugin_site, mezz):
    plugin_site.add(BAD, "import time\ntime.sleep(1)\n" + world(plugin_site))
    listed = mezz("list", "worlds", "--json")
    assert "toy" in [each["name"] for each in json.loads(listed.stdout)]
    findings = json.loads(mezz("doctor", "--json").stdout)
    notes = [each["detail"] for each in findings if each["subject"] == f"plugin {BAD}:main"]
    assert any(note.startswith("takes 1.") for note in notes)


def test_a_name_that_two_distributions_bring_is_listed_twice_and_asked_about(plugin_site, mezz):
    for distribution in ("mezz-test-a", "mezz-test-b"):
        plugin_site.add(distribution, world(plugin_site))
    listed = mezz("list", "worlds")
    assert listed.returncode == 0
    assert "toy@mezz-test-a" in listed.stdout
    assert "toy@mezz-test-b" in listed.stdout
    used = mezz("info", "toy")
    assert used.returncode == 2
    assert "error: the world 'toy' is announced by mezz-test-a and by mezz-test-b\n" in used.stderr
    assert "hint: Say which one: `toy@mezz-test-a` or `toy@mezz-test-b`." in used.stderr


def test_a_component_whose_plugin_is_broken_says_what_ails_it(plugin_site, mezz):
    plugin_site.add("mezzanine-worlds-lerobot", RAISES)
    done = mezz("info", "lerobot")
    assert (done.returncode, done.stdout) == (3, "")
    assert "is broken: RuntimeError: boom [red] (" in done.stderr
    assert "hint: pip install --upgrade mezzanine-worlds-lerobot" in done.stderr


def test_restricting_to_a_plugin_that_is_not_there_is_said(plugin_site, mezz):
    done = mezz("plugins", env={"MEZZ_PLUGINS": "mezz-test-missing"})
    assert done.returncode == 0
    assert "MEZZ_PLUGINS names 'mezz-test-missing', which is no installed plugin." in done.stderr
    doctor = mezz("doctor", env={"MEZZ_PLUGINS": "mezz-test-missing"})
    assert doctor.returncode == 1
    assert "MEZZ_PLUGINS: names 'mezz-test-missing'" in doctor.stdout


def test_strict_mode_shows_all_plugins_and_then_fails(plugin_site, mezz):
    raises(plugin_site)
    done = mezz("plugins", env={"MEZZ_STRICT": "1"})
    assert done.returncode == 3
    assert "mezzanine-core:core" in done.stdout
    assert "error: MEZZ_STRICT is set, and not every plugin is fine: mezz-test-bad:main" in (
        done.stderr
    )
