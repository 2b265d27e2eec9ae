"""Digests of the code of a run."""

import pytest

from mezzanine_core.runs.code import code_digests


@pytest.fixture
def hop(plugin_site):
    """An installed distribution of two modules, and its digest."""
    plugin_site.add("hop", "text = 1\n")
    plugin_site.write("hop/deeper/legs.py", "legs = 2\n")
    return lambda: code_digests(["hop"], {"hop": "hop.plugin"})["hop"]


def test_the_same_code_has_the_same_digest(hop):
    assert hop() == hop()
    assert len(hop()) == 64


@pytest.mark.parametrize("path", ["hop/plugin.py", "hop/deeper/legs.py", "hop/deeper/arms.py"])
def test_an_edit_and_a_new_file_change_it(hop, plugin_site, path):
    before = hop()
    plugin_site.write(path, "legs = 3\n")
    assert hop() != before


def test_a_new_name_changes_it(hop, plugin_site):
    before = hop()
    (plugin_site.root / "hop/deeper/legs.py").rename(plugin_site.root / "hop/deeper/feet.py")
    assert hop() != before


def test_what_is_no_code_does_not_change_it(hop, plugin_site):
    before = hop()
    plugin_site.write("hop/notes.txt", "todo")
    assert hop() == before


def test_a_plugin_of_a_single_file_has_one(plugin_site):
    plugin_site.write("alone.py", "a = 1\n")
    first = code_digests(["alone"], {"alone": "alone"})
    plugin_site.write("alone.py", "a = 2\n")
    assert set(first) == {"alone"}
    assert code_digests(["alone"], {"alone": "alone"}) != first


def test_core_is_always_there_and_what_cannot_be_found_is_left_out():
    plugins = {"mezzanine-core": "mezzanine_core.builtin.plugin", "lost": "nowhere_at_all.plugin"}
    assert set(code_digests(["lost", "numpy"], plugins)) == {"mezzanine-core"}
