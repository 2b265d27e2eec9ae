"""A Spec is checked at birth and imports its references on first use only."""

import sys

import pytest

from mezzanine_core import Spec
from mezzanine_core.errors import PluginError


def spec(**changes):
    fields = {
        "kind": "world",
        "name": "toy",
        "summary": "A toy.",
        "config": "fractions:Fraction",
        "factory": "decimal:Decimal",
    }
    return Spec(**{**fields, **changes})


@pytest.mark.parametrize("name", ["", "Toy", "to-y", "1toy", "to y", "toy@dist"])
def test_a_malformed_name_is_refused(name):
    with pytest.raises(PluginError, match="name"):
        spec(name=name)


@pytest.mark.parametrize("reference", ["", "module", "module.Class", ":Class", "module:"])
@pytest.mark.parametrize("field", ["config", "factory"])
def test_a_malformed_reference_is_refused(field, reference):
    with pytest.raises(PluginError, match=field):
        spec(**{field: reference})


def test_an_unknown_kind_is_refused():
    with pytest.raises(PluginError, match="unknown kind 'wrold'"):
        spec(kind="wrold")


def test_references_resolve_to_what_they_name():
    from decimal import Decimal
    from fractions import Fraction

    assert spec().load_config() is Fraction
    assert spec().load_factory() is Decimal


def test_making_a_spec_imports_nothing(tmp_path, monkeypatch):
    (tmp_path / "mezz_lazy_probe.py").write_text("class Config: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    lazy = spec(config="mezz_lazy_probe:Config")
    assert "mezz_lazy_probe" not in sys.modules
    lazy.load_config()
    assert sys.modules.pop("mezz_lazy_probe")


def test_a_missing_module_is_reported_with_the_component():
    with pytest.raises(PluginError, match=r"world 'toy' cannot be imported from 'no_such_module'"):
        spec(factory="no_such_module:X").load_factory()


def test_a_missing_attribute_is_reported_with_the_component():
    with pytest.raises(PluginError, match=r"module 'decimal' has no 'Nothing'"):
        spec(factory="decimal:Nothing").load_factory()


def test_specs_are_hashable_despite_their_defaults():
    assert len({spec(), spec(defaults={"a": 1}), spec(name="other")}) == 3
