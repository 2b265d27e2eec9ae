from collections import Counter

from mezzanine_core.plugins import load_registry
from mezzanine_core.plugins.catalog import KNOWN, known_component
from mezzanine_core.specs import Spec


def test_no_component_is_listed_twice():
    counts = Counter((known.kind, known.name) for known in KNOWN)
    assert set(counts.values()) == {1}


def test_every_entry_has_the_form_of_a_spec_and_of_our_distributions():
    for known in KNOWN:
        Spec(known.kind, known.name, known.summary, "a:B", "a:B")
        assert known.distribution.startswith("mezzanine-")


def test_what_is_installed_agrees_with_the_catalog():
    registry = load_registry(strict=False)
    homes = {known.distribution for known in KNOWN}
    for found in registry.components():
        if found.distribution in homes:
            known = known_component(found.spec.kind, found.spec.name)
            assert known is not None, found.qualified
            assert known.distribution == found.distribution


def test_a_name_is_known_under_its_kind_alone():
    assert known_component("world", "iphyre") is not None
    assert known_component("encoder", "iphyre") is None
