import time
from pathlib import Path

import pytest

from mezzanine_core.errors import PluginError
from mezzanine_core.plugins import Registry, load_registry
from mezzanine_core.plugins.components import PluginRecord

BAD = "mezz-test-bad"


def load_bad(site, plugin, **kwargs) -> PluginRecord:
    """Install one plugin, load it, and return what became of it."""
    site.add(BAD, plugin, **kwargs)
    return record_of(load_registry(only=[BAD]), BAD)


def record_of(registry: Registry, distribution: str) -> PluginRecord:
    (record,) = [found for found in registry.plugins if found.distribution == distribution]
    return record


def test_a_plugin_is_loaded_under_its_distribution_and_entry_point(plugin_site):
    site = plugin_site
    site.add("mezz-test-good", site.announce("mezz_worlds", site.world("toy")), version="2.5")
    registry = load_registry(only=["mezz-test-good"])
    record = record_of(registry, "mezz-test-good")
    assert (record.id, record.version, record.status) == ("mezz-test-good:main", "2.5", "ok")
    assert [spec.name for spec in record.specs] == ["toy"]
    component = registry.get("world", "toy")
    assert (component.distribution, component.version) == ("mezz-test-good", "2.5")


def test_core_comes_first_and_cannot_be_left_out(plugin_site):
    registry = load_registry(only=[])
    assert registry.plugins[0].id == "mezzanine-core:core"
    assert registry.plugins[0].status == "ok"
    assert {record.status for record in registry.plugins[1:]} <= {"blocked"}
    assert registry.get("symmetry", "order").distribution == "mezzanine-core"


def test_core_is_loaded_where_it_is_not_installed(plugin_site, monkeypatch):
    monkeypatch.setattr("sys.path", [str(Path(__file__).parents[2] / "src")])
    registry = load_registry()
    assert [record.id for record in registry.plugins] == ["mezzanine-core:core"]
    assert registry.plugins[0].status == "ok"


def test_a_plugin_that_raises_at_import_is_broken_and_says_where(plugin_site):
    record = load_bad(plugin_site, "x = 1\nraise RuntimeError('boom [red]')\n")
    place = plugin_site.root / "mezz_test_bad" / "plugin.py"
    assert record.status == "broken"
    assert record.cause == f"RuntimeError: boom [red] ({place}:2)"
    assert record.remedy == f"pip install --upgrade {BAD}"
    assert record.specs == ()


def test_the_place_is_the_plugins_own_line_not_the_librarys(plugin_site):
    record = load_bad(plugin_site, "import json\n\njson.loads('{')\n")
    place = plugin_site.root / "mezz_test_bad" / "plugin.py"
    assert record.cause is not None
    assert record.cause.startswith("JSONDecodeError: ")
    assert record.cause.endswith(f"({place}:3)")


def test_a_syntax_error_is_placed_at_its_line(plugin_site):
    record = load_bad(plugin_site, "a = 1\nb = = 2\n")
    place = plugin_site.root / "mezz_test_bad" / "plugin.py"
    assert record.cause == f"SyntaxError: invalid syntax (plugin.py, line 2) ({place}:2)"


def test_a_plugin_that_exits_at_import_does_not_end_the_program(plugin_site):
    record = load_bad(plugin_site, "import sys\nsys.exit(7)\n")
    assert record.status == "broken"
    assert record.cause is not None
    assert record.cause.startswith("it called sys.exit(7) (")


def test_the_users_interrupt_is_not_swallowed(plugin_site):
    plugin_site.add(BAD, "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load_registry(only=[BAD])


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        ("mezz_test_bad.gone", f"pip install --force-reinstall {BAD}"),
        ("mezz_test_bad.plugin", f"pip install --upgrade {BAD}"),
    ],
    ids=["its own module", "a library"],
)
def test_what_mends_a_missing_module_depends_on_whose_it_is(plugin_site, missing, remedy):
    record = load_bad(
        plugin_site, "import no_such_library_anywhere\n", entry_points={"main": missing}
    )
    assert record.status == "broken"
    assert record.cause is not None
    assert record.cause.startswith("ModuleNotFoundError: No module named ")
    assert record.remedy == remedy


def test_what_a_plugin_prints_goes_to_stderr(plugin_site, capsys):
    text = (
        "from mezzanine_core import hookimpl\nprint('at import')\n"
        "@hookimpl\ndef mezz_worlds():\n    print('in a hook')\n    return []\n"
    )
    assert load_bad(plugin_site, text).status == "ok"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["at import", "in a hook"]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("None", "mezz_worlds returned None, expected a list of Spec(kind='world', …)"),
        ("'toy'", "mezz_worlds returned 'toy', expected"),
        ("42", "mezz_worlds returned 42, expected"),
        ("[1, 2]", "mezz_worlds returned a list with 1 in it, expected"),
        ("['x' * 900]", "…"),
        (
            "[Spec(kind='encoder', name='e', summary='', config='a:B', factory='a:B')]",
            "mezz_worlds returned the encoder 'e', expected",
        ),
        (
            "[Spec(kind='world', name='Not A Name', summary='', config='a:B', factory='a:B')]",
            "PluginError: world spec: the name 'Not A Name' is not of the form",
        ),
        ("(1 // 0 for _ in range(3))", "ZeroDivisionError: "),
        ("itertools.count()", "mezz_worlds returned a count with 0 in it, expected"),
        ("sys.exit('bye')", "it called sys.exit('bye')"),
    ],
)
def test_a_hook_that_does_not_return_specs_breaks_its_plugin(plugin_site, returned, said):
    text = (
        "import itertools, sys\nfrom mezzanine_core import Spec, hookimpl\n"
        f"@hookimpl\ndef mezz_worlds():\n    return {returned}\n"
    )
    record = load_bad(plugin_site, text)
    assert record.status == "broken"
    assert record.cause is not None
    assert said in record.cause
    assert len(record.cause) < 400


def test_a_broken_plugin_brings_nothing_and_is_told_of_nothing(plugin_site, tmp_path):
    text = (
        "from mezzanine_core import Spec, hookimpl\n"
        f"@hookimpl\ndef mezz_worlds():\n    return [{plugin_site.world('toy')}]\n"
        "@hookimpl\ndef mezz_encoders():\n    raise OSError('late')\n"
        f"@hookimpl\ndef mezz_run_started():\n    open({str(tmp_path / 'told')!r}, 'w').close()\n"
    )
    assert load_bad(plugin_site, text).status == "broken"
    registry = load_registry(only=[BAD])
    registry.run_started("recipe", tmp_path, {})
    assert "toy" not in [found.spec.name for found in registry.components("world")]
    assert not (tmp_path / "told").exists()


def test_a_plugin_for_another_core_is_not_even_imported(plugin_site, tmp_path):
    text = f"open({str(tmp_path / 'imported')!r}, 'w').close()\n"
    record = load_bad(plugin_site, text, requires=("numpy", "Mezzanine_Core>=99,<100"))
    assert record.status == "incompatible"
    assert record.cause is not None
    assert record.cause.startswith(f"{BAD} 1.0 needs mezzanine-core<100,>=99, but this is ")
    assert record.remedy == f"pip install --upgrade mezzanine-core {BAD}"
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize(
    "requirement",
    [
        "mezzanine-core>=0.1",
        "mezzanine-core",
        "mezzanine-core>=99; python_version < '3'",
        "mezzanine-core>=99; extra == 'future'",
        "mezzanine-core-extras>=99",
        "mezzanine_core[test]>=0.0.1",
    ],
)
def test_a_requirement_that_this_core_meets_does_not_keep_a_plugin_out(plugin_site, requirement):
    text = plugin_site.announce("mezz_worlds")
    assert load_bad(plugin_site, text, requires=(requirement,)).status == "ok"


def test_a_malformed_requirement_on_core_is_reported(plugin_site):
    record = load_bad(plugin_site, "", requires=("mezzanine-core >=> 1",))
    assert record.status == "broken"
    assert record.cause is not None
    assert "malformed requirement 'mezzanine-core >=> 1'" in record.cause


def test_a_misspelt_hook_is_answered_with_the_one_that_was_meant(plugin_site):
    record = load_bad(plugin_site, plugin_site.announce("mezz_wrolds"))
    assert record.status == "broken"
    assert record.cause == "there is no hook 'mezz_wrolds'; did you mean 'mezz_worlds'?"


def test_a_hook_with_an_argument_too_many_is_reported(plugin_site):
    text = plugin_site.announce("mezz_worlds").replace("()", "(colour)")
    record = load_bad(plugin_site, text)
    assert record.status == "broken"
    assert record.cause is not None
    assert "colour" in record.cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("def mezz_worlds():\n    return []\n", "mezz_worlds in mezz_test_bad.plugin is not"),
        ("x = 1\n", "mezz_test_bad.plugin implements no hook"),
    ],
)
def test_a_plugin_without_hooks_is_broken(plugin_site, text, cause):
    record = load_bad(plugin_site, text)
    assert record.status == "broken"
    assert record.cause is not None
    assert record.cause.startswith(cause)


def test_a_broken_plugin_leaves_the_others_alone(plugin_site):
    site = plugin_site
    site.add("mezz-test-a", site.announce("mezz_wrolds"))
    site.add("mezz-test-b", "raise ValueError\n")
    site.add("mezz-test-c", site.announce("mezz_worlds", site.world("toy")))
    registry = load_registry(only=["mezz-test-a", "mezz-test-b", "mezz-test-c"])
    assert record_of(registry, "mezz-test-a").status == "broken"
    assert record_of(registry, "mezz-test-b").status == "broken"
    assert registry.get("world", "toy").distribution == "mezz-test-c"


def test_an_entry_point_given_twice_is_loaded_once(plugin_site):
    site = plugin_site
    package = site.add("mezz-test-twice", site.announce("mezz_worlds", site.world("toy")))
    line = f"main = {package}.plugin\n"
    site.add_metadata("mezz-test-twice", f"[mezzanine]\n{line}{line}")
    registry = load_registry(only=["mezz-test-twice"])
    found = [record for record in registry.plugins if record.distribution == "mezz-test-twice"]
    assert [record.status for record in found] == ["ok", "duplicate"]
    assert found[1].cause == "mezz-test-twice has two entry points 'main'"
    assert len([each for each in registry.components("world") if each.spec.name == "toy"]) == 1


def test_one_module_under_two_entry_points_is_loaded_once(plugin_site):
    site = plugin_site
    package = site.add("mezz-test-a", site.announce("mezz_worlds", site.world("toy")))
    site.add("mezz-test-b", "", entry_points={"copy": f"{package}.plugin"})
    registry = load_registry(only=["mezz-test-a", "mezz-test-b"])
    assert record_of(registry, "mezz-test-a").status == "ok"
    copy = record_of(registry, "mezz-test-b")
    assert copy.status == "duplicate"
    assert copy.cause == "mezz_test_a.plugin is loaded already, as the plugin mezz-test-a:main"


def test_a_name_announced_twice_by_one_plugin_breaks_it(plugin_site):
    world = plugin_site.world("toy")
    record = load_bad(plugin_site, plugin_site.announce("mezz_worlds", world, world))
    assert record.status == "broken"
    assert record.cause == "it announces the world 'toy' twice"


def test_a_name_announced_by_two_plugins_of_one_distribution_is_a_duplicate(plugin_site):
    site = plugin_site
    text = site.announce("mezz_worlds", site.world("toy"))
    package = site.add(
        BAD, text, entry_points={"a": "mezz_test_bad.plugin", "b": "mezz_test_bad.other"}
    )
    site.write(f"{package}/other.py", text)
    statuses = [(r.id, r.status, r.cause) for r in load_registry(only=[BAD]).plugins][1:]
    mine = [status for status in statuses if status[0].startswith(BAD)]
    assert mine[0][1] == "ok"
    assert mine[1][1:] == ("duplicate", f"the world 'toy' is announced by {BAD}:a already")


def test_time_is_recorded_and_a_slow_plugin_is_loaded_all_the_same(plugin_site):
    text = "import time\ntime.sleep(0.3)\n" + plugin_site.announce("mezz_worlds")
    start = time.perf_counter()
    record = load_bad(plugin_site, text)
    assert record.status == "ok"
    assert 0.3 <= record.seconds <= time.perf_counter() - start


@pytest.mark.parametrize(("patience", "said"), [(0.1, 1), (600, 0)], ids=["slow", "quick"])
def test_a_plugin_that_keeps_one_waiting_is_named_meanwhile(
    plugin_site, monkeypatch, caplog, patience, said
):
    monkeypatch.setattr("mezzanine_core.plugins.discovery.PATIENCE_SECONDS", patience)
    text = "import time\ntime.sleep(0.5)\n" + plugin_site.announce("mezz_worlds")
    assert load_bad(plugin_site, text).status == "ok"
    assert caplog.text.count(f"still loading the plugin {BAD}:main after {patience} s") == said


def test_a_hook_can_be_implemented_under_another_name(plugin_site):
    text = plugin_site.announce("worlds_of_mine", plugin_site.world("toy"))
    record = load_bad(plugin_site, text.replace("impl\ndef", 'impl(specname="mezz_worlds")\ndef'))
    assert [spec.name for spec in record.specs] == ["toy"]


def test_a_hook_that_this_core_lacks_is_passed_over_if_it_is_optional(plugin_site):
    text = plugin_site.announce("mezz_worlds", plugin_site.world("toy"))
    later = "@hookimpl(optionalhook=True)\ndef mezz_of_tomorrow():\n    return []\n"
    record = load_bad(plugin_site, text + later)
    assert (record.status, [spec.name for spec in record.specs]) == ("ok", ["toy"])


@pytest.mark.parametrize(
    "named", ["mezz-test-a", "Mezz_Test.A", "mezz-test-a:main", " mezz-test-a, "]
)
def test_the_environment_restricts_to_the_plugins_that_it_names(plugin_site, monkeypatch, named):
    site = plugin_site
    site.add("mezz-test-a", site.announce("mezz_worlds", site.world("toy")))
    site.add("mezz-test-b", "raise RuntimeError\n")
    monkeypatch.setenv("MEZZ_PLUGINS", named)
    registry = load_registry()
    assert record_of(registry, "mezz-test-a").status == "ok"
    left_out = record_of(registry, "mezz-test-b")
    assert (left_out.status, left_out.cause) == ("blocked", "MEZZ_PLUGINS leaves it out")
    assert left_out.seconds < 0.1
    assert registry.unmatched == ()


def test_an_empty_restriction_leaves_core_alone(plugin_site, monkeypatch):
    plugin_site.add("mezz-test-a", "raise RuntimeError\n")
    monkeypatch.setenv("MEZZ_PLUGINS", "")
    ok = [record.id for record in load_registry().plugins if record.status == "ok"]
    assert ok == ["mezzanine-core:core"]


def test_a_restriction_to_a_plugin_that_is_not_there_is_noted(plugin_site, monkeypatch):
    monkeypatch.setenv("MEZZ_PLUGINS", "mezz-test-missing")
    assert load_registry().unmatched == ("mezz-test-missing",)


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_strict_mode_raises_at_the_first_failure(plugin_site, monkeypatch, value):
    plugin_site.add(BAD, "raise RuntimeError('boom')\n")
    monkeypatch.setenv("MEZZ_PLUGINS", BAD)
    monkeypatch.setenv("MEZZ_STRICT", value)
    with pytest.raises(PluginError, match=rf"the plugin {BAD}:main is broken: RuntimeError: boom"):
        load_registry()


@pytest.mark.parametrize("value", ["", "0", "false", "off"])
def test_strict_mode_is_off_unless_asked_for(plugin_site, monkeypatch, value):
    plugin_site.add(BAD, "raise RuntimeError('boom')\n")
    monkeypatch.setenv("MEZZ_STRICT", value)
    assert record_of(load_registry(only=[BAD]), BAD).status == "broken"


def test_a_plugin_that_was_left_out_does_not_count_in_strict_mode(plugin_site):
    plugin_site.add(BAD, "raise RuntimeError('boom')\n")
    assert record_of(load_registry(only=[], strict=True), BAD).status == "blocked"


def test_unreadable_metadata_of_a_stranger_hides_no_plugin(plugin_site, caplog):
    site = plugin_site
    site.add_metadata("some-stranger", "[console_scripts]\nthis line has no equals sign\n")
    site.add("mezz-test-good", site.announce("mezz_worlds", site.world("toy")))
    registry = load_registry(only=["mezz-test-good"])
    assert registry.get("world", "toy").distribution == "mezz-test-good"
    assert "entry points of some-stranger cannot be read" in caplog.text


def test_a_plugin_without_metadata_is_loaded_as_unknown(plugin_site):
    site = plugin_site
    site.write("mezz_nameless/plugin.py", site.announce("mezz_worlds", site.world("toy")))
    site.write(
        "mezz_nameless-1.0.dist-info/entry_points.txt", "[mezzanine]\nmain = mezz_nameless.plugin\n"
    )
    record = record_of(load_registry(only=["unknown"]), "unknown")
    assert (record.id, record.version, record.status) == ("unknown:main", "unknown", "ok")
