"""What core announces, and what that costs."""

import subprocess
import sys

import pytest
from mezzanine_core.builtin import plugin
from mezzanine_core.symmetries import Symmetry

SYMMETRIES = {spec.name: spec for spec in plugin.mezz_symmetries()}


def test_the_four_symmetries_are_announced():
    assert set(SYMMETRIES) == {"order", "view", "factorization", "action_shuffle"}


@pytest.mark.parametrize("name", SYMMETRIES)
def test_each_symmetry_is_built_from_its_default_settings(name):
    spec = SYMMETRIES[name]
    symmetry = spec.load_factory()(spec.load_config()(name=name))
    assert isinstance(symmetry, Symmetry)
    assert symmetry.family == name
    assert len(symmetry.fingerprint()) == 64


def test_settings_are_imported_without_numpy():
    code = (
        "import sys, mezzanine_core.builtin.configs, mezzanine_core.builtin.plugin;"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
