"""What core announces, and what announcing it costs."""

import subprocess
import sys

import pytest

from mezzanine_core.builtin import plugin
from mezzanine_core.encoders import Encoder
from mezzanine_core.executors import Executor
from mezzanine_core.symmetries import Symmetry
from mezzanine_core.trackers import Tracker

SPECS = [
    *plugin.mezz_symmetries(),
    *plugin.mezz_encoders(),
    *plugin.mezz_trackers(),
    *plugin.mezz_executors(),
]
CONTRACTS = {"symmetry": Symmetry, "encoder": Encoder, "tracker": Tracker, "executor": Executor}


def test_what_core_brings():
    assert {(spec.kind, spec.name) for spec in SPECS} == {
        ("symmetry", "order"),
        ("symmetry", "view"),
        ("symmetry", "factorization"),
        ("symmetry", "action_shuffle"),
        ("encoder", "vector"),
        ("tracker", "jsonl"),
        ("tracker", "none"),
        ("executor", "local"),
    }


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_each_component_is_built_from_its_default_settings(spec):
    component = spec.load_factory()(spec.load_config()())
    assert isinstance(component, CONTRACTS[spec.kind])


@pytest.mark.parametrize("spec", plugin.mezz_symmetries(), ids=lambda spec: spec.name)
def test_each_symmetry_goes_by_the_name_it_is_announced_under(spec):
    symmetry = spec.load_factory()(spec.load_config()(name=spec.name))
    assert symmetry.family == spec.name
    assert len(symmetry.fingerprint()) == 64


def test_announcing_and_the_settings_of_components_need_no_numpy():
    code = (
        "import sys, mezzanine_core.builtin.configs, mezzanine_core.builtin.plugin;"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
