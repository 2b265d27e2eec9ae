"""Plugins that are wrong in every way, built and installed: each is named, no command breaks."""

from typing import NamedTuple

import pytest


class Case(NamedTuple):
    """What is wrong with a plugin, and what is said of it."""

    plugin: str
    status: str
    cause: str
    requires: tuple[str, ...] = ("mezzanine-core",)


HEAD = "from mezzanine_core import Spec, hookimpl\n"
WORLD = "Spec(kind='world', name={!r}, summary='', config='{}:C', factory='{}:F')"


def hook(name: str, returned: str) -> str:
    """The text of a plugin with one hook."""
    return f"{HEAD}@hookimpl\ndef {name}():\n    return {returned}\n"


def worlds(*names: str) -> str:
    """The text of a list of worlds that nothing implements."""
    return f"[{', '.join(WORLD.format(name, 'json', 'json') for name in names)}]"


CASES = {
    "mezz-raises": Case("raise RuntimeError('boom [red]')\n", "broken", "RuntimeError: boom [red]"),
    "mezz-lacks": Case("import no_such_library\n", "broken", "No module named 'no_such_library'"),
    "mezz-unreadable": Case("def mezz_worlds(:\n", "broken", "SyntaxError: invalid syntax"),
    "mezz-exits": Case("import sys\nsys.exit(0)\n", "broken", "it called sys.exit(0)"),
    "mezz-exits-late": Case(hook("mezz_worlds", "exit(3)"), "broken", "it called sys.exit(3)"),
    "mezz-nonsense": Case(hook("mezz_worlds", "42"), "broken", "mezz_worlds returned 42, expected"),
    "mezz-texts": Case(hook("mezz_worlds", "['hopper']"), "broken", "a list with 'hopper' in it"),
    "mezz-misspells": Case(
        hook("mezz_wolrds", "[]"),
        "broken",
        "there is no hook 'mezz_wolrds'; did you mean 'mezz_worlds'?",
    ),
    "mezz-unmarked": Case("def mezz_worlds():\n    return []\n", "broken", "not marked with @hook"),
    "mezz-repeats": Case(
        hook("mezz_worlds", worlds("dust", "dust")), "broken", "it announces the world 'dust' twice"
    ),
    "mezz-future": Case(
        hook("mezz_worlds", worlds("future")),
        "incompatible",
        "mezz-future 1.0 needs mezzanine-core>=99, but this is mezzanine-core ",
        ("mezzanine-core>=99",),
    ),
    "mezz-twin-a": Case(hook("mezz_worlds", worlds("twin")), "ok", ""),
    "mezz-twin-b": Case(hook("mezz_worlds", worlds("twin")), "ok", ""),
    "mezz-hangs": Case(
        "import time\ntime.sleep(3)\n" + hook("mezz_worlds", worlds("late")), "ok", ""
    ),
}
BAD = [name for name, case in CASES.items() if case.status != "ok"]


@pytest.fixture(scope="module")
def environment(core_alone, build_plugin, tmp_path_factory):
    """Core with all these plugins at once, and a sound one from which one entry point is stolen."""
    environment = core_alone.copy(tmp_path_factory.mktemp("broken") / "env")
    built = [
        build_plugin(name, case.plugin, requires=case.requires) for name, case in CASES.items()
    ]
    stolen = {"main": "mezz_twin_a.plugin"}
    built.append(build_plugin("mezz-twin-c", "", entry_points=stolen))
    environment.pip("install", "--no-deps", *map(str, built))
    return environment


@pytest.fixture(scope="module")
def records(environment):
    """Distribution of each plugin → what `mezz plugins` says of it."""
    return {record["distribution"]: record for record in environment.json("plugins")}


@pytest.mark.parametrize("name", BAD)
def test_a_plugin_is_named_with_its_cause_and_what_mends_it(records, name):
    case = CASES[name]
    assert records[name]["status"] == case.status
    assert case.cause in records[name]["cause"]
    assert records[name]["remedy"].startswith("pip install ")


def test_a_plugin_that_is_loaded_already_is_a_duplicate(records):
    assert records["mezz-twin-c"]["status"] == "duplicate"
    assert "as the plugin mezz-twin-a:main" in records["mezz-twin-c"]["cause"]


def test_no_command_breaks_and_each_says_that_something_is_wrong(environment):
    quiet = {"MEZZ_PLUGINS": ",".join(name for name in CASES if name != "mezz-hangs")}
    for words in environment.commands():
        assert environment.mezz(*words, "--help", **quiet).returncode == 0, words
    for line in ("info order", "cache ls", "runs ls", "plugins"):
        assert environment.mezz(*line.split(), **quiet).returncode == 0, line
    listed = environment.mezz("list", **quiet)
    assert listed.returncode == 0
    assert f"{len(BAD)} plugins could not be loaded: see `mezz plugins`." in listed.stderr
    assert "action_shuffle" in listed.stdout


def test_the_doctor_names_every_one(environment):
    done = environment.mezz("doctor", COLUMNS="1000")
    assert done.returncode == 1
    for name in BAD:
        assert f"problem  plugin {name}:main: {CASES[name].status}: " in done.stdout


def test_a_name_that_two_distributions_bring_is_asked_about(environment):
    done = environment.mezz("info", "twin", MEZZ_PLUGINS="mezz-twin-a,mezz-twin-b")
    assert done.returncode == 2
    assert "hint: Say which one: `twin@mezz-twin-a` or `twin@mezz-twin-b`." in done.stderr


def test_a_plugin_that_hangs_is_named_while_one_waits_and_blamed_afterwards(environment):
    listed = environment.mezz("list", MEZZ_PLUGINS="mezz-hangs")
    assert listed.returncode == 0
    assert "late" in listed.stdout
    assert "still loading the plugin mezz-hangs:main" in listed.stderr

    doctor = environment.mezz("doctor", MEZZ_PLUGINS="mezz-hangs", COLUMNS="200")
    assert "note     plugin mezz-hangs:main: takes 3." in doctor.stdout

    timings = environment.json("doctor", "--timings", MEZZ_PLUGINS="mezz-hangs")
    slowest = timings["plugins"][0]
    assert slowest["plugin"] == "mezz-hangs:main"
    assert slowest["seconds"] >= 3
    assert slowest["blame"]["module"] == "mezz_hangs.plugin"


def test_strict_mode_stops_at_the_first(environment):
    done = environment.mezz("list", MEZZ_STRICT="1", MEZZ_PLUGINS="mezz-raises")
    assert (done.returncode, done.stdout) == (3, "")
    assert "error: the plugin mezz-raises:main is broken: RuntimeError: boom [red]" in done.stderr
