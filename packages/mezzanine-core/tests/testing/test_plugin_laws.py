"""The laws of plugin modules find what makes a plugin slow, unclear or incompatible."""

from __future__ import annotations

import pytest

from mezzanine_core.plugins import load_registry
from mezzanine_core.testing import Case, Subject
from mezzanine_core.testing.plugin import LAWS

CONFIG = """
from pydantic import Field
from mezzanine_core.config import ComponentConfig

class Config(ComponentConfig):
    depth: int = Field(1, description="How deep it is")
"""
TRACKER = """
from mezzanine_core.builtin.noop import NoopTracker

class Sound(NoopTracker):
    pass

class Other:
    def __init__(self, config):
        pass
"""


@pytest.fixture
def broken(plugin_site, tmp_path, broken):
    """Which laws a tracker breaks whose distribution was changed in one respect."""

    def find(*, plugin="", config="", requires="mezzanine-core>=0.1,<1", **spec):
        given = {"summary": "A tracker", "factory": "mezz_test_laws.parts:Sound", **spec}
        arguments = ", ".join(f"{key}={value!r}" for key, value in given.items())
        text = (
            f"Spec(kind='tracker', name='mine', config='mezz_test_laws.config:Config', {arguments})"
        )
        announced = plugin_site.announce("mezz_trackers", text)
        plugin_site.add("mezz-test-laws", plugin + announced, requires=(requires,))
        plugin_site.write("mezz_test_laws/config.py", config + CONFIG)
        plugin_site.write("mezz_test_laws/parts.py", TRACKER)
        registry = load_registry(only=["mezz-test-laws"])
        return set(broken(Case("tracker", Subject("mine"), tmp_path, registry), LAWS))

    return find


def test_a_light_plugin_breaks_no_law(broken):
    assert broken(plugin="import json, pathlib\n", config="import enum\n") == set()


@pytest.mark.parametrize(
    ("law", "change"),
    [
        ("the_plugin_module_imports_nothing_heavy", {"plugin": "import numpy\n"}),
        ("the_configuration_imports_nothing_heavy", {"config": "import zarr\n"}),
        ("the_summary_is_one_line", {"summary": "One line.\nAnother."}),
        ("the_summary_is_one_line", {"summary": ""}),
        ("the_factory_makes_what_is_announced", {"factory": "mezz_test_laws.parts:Other"}),
        ("the_distribution_says_which_core_it_needs", {"requires": "numpy"}),
        ("the_distribution_says_which_core_it_needs", {"requires": "mezzanine-core>=0.1"}),
    ],
)
def test_a_fault_of_a_plugin_breaks_the_law_that_it_is_against(broken, law, change):
    assert broken(**change) == {law}
