import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from mezzanine_core.errors import PluginError
from mezzanine_core.plugins.requirements import (
    conflicts,
    installed_version,
    is_met,
    parse_requirement,
)


def chain(site) -> None:
    """root → middle → (missing, old and an extra); a stranger is not reached."""
    site.add_metadata("mezz-test-root", "", requires=("Mezz_Test.Middle[fast]>=1",))
    site.add_metadata(
        "mezz-test-middle",
        "",
        requires=(
            "mezz-test-missing>=2",
            "mezz-test-old>=2",
            "mezz-test-optional; extra == 'fast'",
            "mezz-test-unwanted; extra == 'slow'",
            "mezz-test-windows; sys_platform == 'nowhere'",
        ),
    )
    site.add_metadata("mezz-test-old", "", version="1.5")
    site.add_metadata("mezz-test-stranger", "", requires=("mezz-test-absent",))


def test_conflicts_are_found_through_every_requirement_in_turn(plugin_site):
    chain(plugin_site)
    assert [str(found) for found in conflicts(["mezz-test-root"])] == [
        "mezz-test-middle requires mezz-test-missing>=2, but it is not installed",
        "mezz-test-middle requires mezz-test-old>=2, but 1.5 is installed",
        "mezz-test-middle requires mezz-test-optional, but it is not installed",
    ]


def test_a_cycle_of_requirements_ends(plugin_site):
    plugin_site.add_metadata("mezz-test-a", "", requires=("mezz-test-b",))
    plugin_site.add_metadata("mezz-test-b", "", requires=("mezz-test-a",))
    assert conflicts(["mezz-test-a"]) == []


def test_conflicts_agree_with_pip_check(plugin_site):
    chain(plugin_site)
    mine = {
        (found.distribution, Requirement(found.requirement).name, found.installed)
        for root in ("mezz-test-root", "mezz-test-middle", "mezz-test-old", "mezz-test-stranger")
        for found in conflicts([root])
        if found.requirement != "mezz-test-optional"  # pip check does not look into extras
    }
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "check"],
        env={**os.environ, "PYTHONPATH": str(plugin_site.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    theirs = set()
    for line in pip.stdout.splitlines():
        words = line.replace(",", "").split()
        if line.startswith("mezz-test") and "not installed" in line:
            theirs.add((words[0], words[3], None))
        elif line.startswith("mezz-test"):
            theirs.add((words[0], Requirement(words[4]).name, words[-1].rstrip(".")))
    assert len(theirs) == 3
    assert mine == theirs


def test_a_malformed_requirement_names_its_owner():
    with pytest.raises(PluginError, match="some-dist has the malformed requirement 'a b c'"):
        parse_requirement("a b c", "some-dist")


def test_what_is_not_installed_has_no_version():
    assert installed_version("no-such-dist-anywhere") is None


@given(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(0, 5))
def test_a_requirement_is_met_just_when_the_version_compares_so(sign, bound):
    version = Version(installed_version("numpy") or "")
    other = Version(str(bound))
    compared = {
        "<": version < other,
        "<=": version <= other,
        ">": version > other,
        ">=": version >= other,
        "==": version == other,
        "!=": version != other,
    }
    assert is_met(Requirement(f"numpy{sign}{bound}")) is compared[sign]
