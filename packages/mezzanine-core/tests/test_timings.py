import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.timings import Import, blame, measure_core, measure_plugins, parse_imports

NAMES = st.from_regex(r"[a-z]+(\.[a-z]+)?", fullmatch=True)
MICROSECONDS = st.integers(0, 10**7)


@st.composite
def trees(draw, depth=3):
    children = draw(st.lists(trees(depth - 1), max_size=3)) if depth else []
    own = draw(MICROSECONDS)
    total = own + sum(round(child.seconds * 1e6) for child in children)
    return Import(draw(NAMES), own / 1e6, total / 1e6, tuple(children))


def written(tree: Import, depth: int = 0) -> str:
    """As the interpreter writes it: what is imported stands above who imports it."""
    own, total = round(tree.own_seconds * 1e6), round(tree.seconds * 1e6)
    above = "".join(written(child, depth + 1) for child in tree.imports)
    return f"{above}import time: {own:9} | {total:10} | {'  ' * depth}{tree.module}\n"


@given(st.lists(trees(), max_size=4))
def test_a_report_is_read_back_as_the_trees_that_were_written(forest):
    header = "import time: self [us] | cumulative | imported package\n"
    text = header + "a warning of somebody else\n".join(map(written, forest))
    assert parse_imports(text) == forest


def test_the_report_of_the_interpreter_is_understood():
    command = [sys.executable, "-S", "-X", "importtime", "-c", "import json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {tree.module: tree for tree in parse_imports(done.stderr)}["json"]
    assert "json.decoder" in [child.module for child in found.imports]
    parts = found.own_seconds + sum(child.seconds for child in found.imports)
    assert found.seconds == pytest.approx(parts, abs=1e-5)


@given(st.lists(trees(), max_size=4), MICROSECONDS)
def test_the_blame_is_for_a_part_no_larger_than_the_whole(forest, hooks):
    whole = sum(tree.seconds for tree in forest) + hooks / 1e6
    found = blame(forest, "a.plugin", whole)
    if found is None:
        assert whole == pytest.approx(0)
    else:
        assert 0 < found.seconds <= whole + 1e-9
        assert (found.what == "import") == (found.module.partition(".")[0] != "a")


@pytest.fixture
def timing_of(plugin_site, monkeypatch):
    """Installs one plugin with a module ``heavy`` beside it, and measures it."""

    def measure(plugin: str, *, timeout: float = 60.0, requires=("mezzanine-core",)):
        plugin_site.write("mezz_heavy.py", "import time\ntime.sleep(0.2)\n")
        plugin_site.add("mezz-test-a", plugin, requires=requires)
        monkeypatch.setenv("MEZZ_PLUGINS", "mezz-test-a")
        (timing,) = measure_plugins(timeout)
        return timing

    return measure


def test_a_heavy_import_is_blamed_on_who_imports_it(timing_of, plugin_site):
    timing = timing_of("import mezz_heavy\n" + plugin_site.announce("mezz_worlds"))
    assert (timing.plugin, timing.status) == ("mezz-test-a:main", "ok")
    assert timing.over_budget
    assert timing.seconds >= timing.blame.seconds >= 0.2
    assert str(timing.blame).startswith("the import of mezz_heavy by mezz_test_a.plugin (2")


def test_an_import_within_a_hook_counts_too(timing_of, plugin_site):
    text = plugin_site.announce("mezz_worlds").replace(
        "    return", "    import mezz_heavy\n    return"
    )
    timing = timing_of(text)
    assert (timing.blame.what, timing.blame.module) == ("import", "mezz_heavy")


@pytest.mark.parametrize("what", ["code", "hooks"])
def test_what_a_plugin_does_itself_is_told_from_what_it_imports(timing_of, plugin_site, what):
    text = plugin_site.announce("mezz_worlds")
    slow = "import time\ntime.sleep(0.2)\n"
    if what == "hooks":
        text = text.replace("    return", "    import time; time.sleep(0.2)\n    return")
    timing = timing_of(slow + text if what == "code" else text)
    assert (timing.blame.what, timing.blame.module) == (what, "mezz_test_a.plugin")
    assert timing.blame.seconds >= 0.19


def test_a_light_plugin_is_within_the_budget(timing_of, plugin_site):
    timing = timing_of(plugin_site.announce("mezz_worlds", plugin_site.world("toy")))
    assert not timing.over_budget
    assert timing.cause is None


def test_a_broken_plugin_is_measured_and_said_to_be_broken(timing_of):
    timing = timing_of("import mezz_heavy\nraise RuntimeError('boom')\n")
    assert timing.status == "broken"
    assert "RuntimeError: boom" in timing.cause
    assert timing.seconds >= 0.2


def test_a_plugin_for_another_core_costs_nothing(timing_of):
    timing = timing_of("import mezz_heavy\n", requires=("mezzanine-core>=99",))
    assert timing.status == "incompatible"
    assert not timing.over_budget


def test_a_plugin_that_never_comes_to_an_end_is_given_up(timing_of):
    timing = timing_of("import time\ntime.sleep(600)\n", timeout=1.5)
    assert (timing.status, timing.seconds, timing.blame) == ("hangs", 1.5, None)
    assert timing.cause == "it is not loaded after 1.5 s"
    assert timing.over_budget


def test_a_plugin_that_ends_its_process_is_measured_like_any_other(timing_of):
    timing = timing_of("import os\nos._exit(7)\n")
    assert (timing.status, timing.cause) == ("dies", "its process ended with exit code 7")


def test_what_a_plugin_prints_does_not_spoil_the_measurement(timing_of, plugin_site):
    noise = "import os\nprint('hello')\nos.write(1, b'raw')\nos.write(2, b'raw')\n"
    timing = timing_of(noise + "import mezz_heavy\n" + plugin_site.announce("mezz_worlds"))
    assert (timing.status, timing.blame.module) == ("ok", "mezz_heavy")


def test_the_cost_of_core_is_that_of_its_command_line():
    timing = measure_core()
    assert (timing.plugin, timing.status) == ("mezzanine-core", "ok")
    assert timing.blame.what == "import"
    assert timing.blame.imported_by.startswith("mezzanine_core")
    assert not timing.over_budget


def test_the_command_lists_the_dearest_first_and_leaves_out_what_was_not_asked_for(
    plugin_site, mezz
):
    light = plugin_site.announce("mezz_worlds")
    plugin_site.write("mezz_heavy.py", "import time\ntime.sleep(0.2)\n")
    plugin_site.add("mezz-test-a", light)
    plugin_site.add("mezz-test-b", "import mezz_heavy\n" + light)
    plugin_site.add("mezz-test-c", "import time\ntime.sleep(600)\n")
    only = {"MEZZ_PLUGINS": "mezz-test-a,mezz-test-b"}
    found = json.loads(mezz("doctor", "--timings", "--json", env=only).stdout)
    assert [each["plugin"] for each in found["plugins"]] == ["mezz-test-b:main", "mezz-test-a:main"]
    assert [each["over_budget"] for each in found["plugins"]] == [True, False]
    assert found["plugins"][0]["blame"]["imported_by"] == "mezz_test_b.plugin"
    assert found["core"]["plugin"] == "mezzanine-core"

    text = mezz("doctor", "--timings", env=only)
    assert text.returncode == 0
    assert "ms  mezz-test-b:main  over budget\n" in text.stdout
    assert "most of it: the import of mezz_heavy by mezz_test_b.plugin" in text.stdout
    assert text.stdout.endswith("\n1 plugin over the budget of 50 ms for the start of a command.\n")
