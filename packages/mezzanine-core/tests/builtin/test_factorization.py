"""Laws of the symmetry `factorization`."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mezzanine_core.builtin.configs import FactorizationConfig
from mezzanine_core.builtin.factorization import Factorization
from mezzanine_core.errors import DataError
from mezzanine_core.symmetries import value_key
from mezzanine_core.testing.symmetries import check_group, check_identity, check_orbit, check_views

laws = settings(deadline=None, max_examples=60)
seeds = st.integers(0, 2**32 - 1)

words = st.text(alphabet="ab {}:é", min_size=1, max_size=4)
pair_lists = st.lists(st.tuples(words, words), max_size=5)
mappings = st.dictionaries(words, words, max_size=5)
evidences = pair_lists | mappings | pair_lists.map(tuple)
formats = st.sampled_from(
    [("{key}: {value}", "\n"), ("<{value}|{key}>", "; "), ("- {key} is {value}.", "\n\n")]
)


def factorization(template="{key}: {value}", separator="\n", keep_first=0):
    return Factorization(
        FactorizationConfig(template=template, separator=separator, keep_first=keep_first)
    )


@laws
@given(evidences, formats, st.integers(0, 2), st.booleans(), seeds)
def test_orders_form_a_group_that_acts(evidence, style, keep, as_text, seed):
    symmetry, rng = factorization(*style, keep_first=keep), np.random.default_rng(seed)
    x = symmetry.render(evidence) if as_text else evidence
    check_identity(symmetry, x)
    check_group(symmetry, x, symmetry.sample(x, rng), symmetry.sample(x, rng))


@laws
@given(pair_lists | mappings, st.integers(0, 2), st.integers(1, 30), seeds)
def test_views_are_distinct_with_the_identity_first(evidence, keep, k, seed):
    check_views(factorization(keep_first=keep), evidence, k, seed)


@laws
@given(pair_lists | mappings)
def test_the_orbit_is_what_all_permutations_reach(evidence):
    symmetry = factorization()
    every = itertools.permutations(symmetry.identity(evidence))
    check_orbit(symmetry, evidence, reachable=[symmetry.act(g, evidence) for g in every])


@laws
@given(pair_lists | mappings, formats, seeds)
def test_rendering_and_acting_commute(evidence, style, seed):
    symmetry = factorization(*style)
    element = symmetry.sample(evidence, np.random.default_rng(seed))
    acted_first = symmetry.render(symmetry.act(element, evidence))
    assert acted_first == symmetry.act(element, symmetry.render(evidence))


def test_evidence_is_written_by_the_template():
    symmetry = factorization("{key} = {value}", "; ", keep_first=1)
    evidence = {"age": 63, "sex": "F", "pulse": 88}
    assert symmetry.render(evidence) == "age = 63; sex = F; pulse = 88"
    views = symmetry.views(symmetry.render(evidence), 8, seed=0)
    assert views.exact
    assert set(views.values) == {"age = 63; sex = F; pulse = 88", "age = 63; pulse = 88; sex = F"}


def test_evidence_keeps_its_kind_and_its_values():
    symmetry = factorization()
    assert list(symmetry.act((1, 0), {"a": 1, "b": [2]}).items()) == [("b", [2]), ("a", 1)]
    assert symmetry.act((1, 0), (("a", 1), ("b", 2))) == (("b", 2), ("a", 1))
    assert symmetry.act((1, 0), [("a", 1), ("b", 2)]) == [("b", 2), ("a", 1)]
    assert symmetry.act((1, 0), "a: 1\nb: 2\n") == "b: 2\na: 1\n"


def test_mappings_in_another_order_are_other_realisations():
    assert value_key({"a": 1, "b": 2}) != value_key({"b": 2, "a": 1})
    assert len(factorization().views({"a": 1, "b": 2}, 5, seed=0).values) == 2


def test_a_heading_can_be_kept():
    text = "Findings of the day\na: 1\nb: 2"
    with pytest.raises(DataError, match="'Findings of the day' does not fit the template"):
        factorization().views(text, 2, seed=0)
    values = factorization(keep_first=1).views(text, 5, seed=0).values
    assert set(values) == {text, "Findings of the day\nb: 2\na: 1"}


def test_a_value_that_holds_the_separator_cannot_be_rendered():
    with pytest.raises(DataError, match="holds the separator"):
        factorization().render({"a": "1\n2", "b": "3"})


@pytest.mark.parametrize("evidence", [3, ["a", "b"], [("a", 1, 2)], [3]])
def test_what_is_no_evidence_is_refused(evidence):
    with pytest.raises(DataError, match="takes text, a mapping or a list of pairs"):
        factorization().views(evidence, 2, seed=0)


@pytest.mark.parametrize(
    "settings",
    [
        {"template": "{key}"},
        {"template": "{key}{value}"},
        {"template": "{key}: {value} {value}"},
        {"template": "{key}\n{value}"},
        {"separator": ""},
    ],
)
def test_a_template_that_cannot_tell_pieces_apart_is_refused(settings):
    with pytest.raises(ValidationError):
        FactorizationConfig(**settings)


def test_the_fingerprint_covers_the_settings():
    styles = [(), ("{key} {value}",), ("{key}: {value}", ";"), ("{key}: {value}", "\n", 1)]
    assert len({factorization(*style).fingerprint() for style in styles}) == len(styles)
