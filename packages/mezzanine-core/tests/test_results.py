"""What a recipe finds, as plain JSON, and the document that describes it."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mezzanine_core.presentation import Group, Picture, Presentation
from mezzanine_core.results import (
    SCHEMA_VERSION,
    CacheCounts,
    ComponentRecord,
    Criterion,
    Estimate,
    Results,
    RunRecord,
    Verdict,
    plain_json,
)
from mezzanine_core.runs.state import RunState

DOCUMENT = Path(__file__).parents[3] / "docs" / "results.md"


def documented(heading):
    """Fields in the table under a heading of the document."""
    section = re.split(rf"^### {heading}$", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)[1]
    section = re.split(r"^#", section, flags=re.MULTILINE)[0]
    return re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "model",
    [
        RunRecord,
        Estimate,
        Verdict,
        Criterion,
        Presentation,
        Group,
        Picture,
        ComponentRecord,
        CacheCounts,
        RunState,
    ],
)
def test_the_document_lists_every_field_once(model):
    fields = documented(model.__name__)
    assert sorted(fields) == sorted(model.model_fields)


def test_the_document_is_of_the_current_version():
    text = DOCUMENT.read_text("utf-8")
    assert f"## `results.json`, version {SCHEMA_VERSION}" in text
    state = RunState.model_fields["schema_version"].default
    assert f"## `run.json`, version {state}" in text


def record(**fields):
    base = {
        "metrics": {"action": {"r@10": Estimate(value=0.5, low=0.4, high=0.6, per_seed=(0.5,))}},
        "recipe": "toy",
        "fingerprint": "f" * 64,
        "started": "2026-07-31T12:00:00.000Z",
        "config": {"seed": 0},
        "origins": {"seed": "default"},
        "components": {},
        "versions": {"python": "3.11"},
        "settings": {"device": "cpu"},
        "cache": CacheCounts(),
        "timings": {"total": 1.5},
    }
    return RunRecord(**{**base, **fields})


def test_a_record_survives_the_way_through_its_file():
    original = record(data={"sizes": np.arange(3)}, diagnostics={"rank": np.float32(1.5)})
    text = original.model_dump_json()
    assert RunRecord.model_validate_json(text) == original
    assert json.loads(text)["data"] == {"sizes": [0, 1, 2]}


def test_unknown_fields_are_refused():
    with pytest.raises(ValidationError):
        record(surprise=1)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_estimates_are_finite(bad):
    with pytest.raises(ValidationError):
        Estimate(value=bad, low=0, high=1)


def test_an_interval_is_the_right_way_up():
    with pytest.raises(ValidationError, match="upside down"):
        Estimate(value=0.5, low=0.6, high=0.4)


def test_diagnostics_that_are_not_finite_become_null():
    results = Results(metrics={}, diagnostics={"curve": np.array([1.0, np.nan, -np.inf])})
    assert results.diagnostics == {"curve": [1.0, None, None]}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1, 2]], np.uint8), [[1, 2]]),
        ((1, "a", None), [1, "a", None]),
        (Path("a") / "b", "a/b"),
        ({"a": {"b": (np.float32(0.5),)}}, {"a": {"b": [0.5]}}),
    ],
)
def test_what_recipes_hold_becomes_plain(value, plain):
    assert plain_json(value) == plain
    assert json.loads(json.dumps(plain_json(value))) == plain


@pytest.mark.parametrize("odd", [{1: "a"}, {"a": object()}, {"a": b"bytes"}, {"a": {1, 2}}])
def test_what_json_has_nothing_for_is_refused_at_once(odd):
    with pytest.raises(ValidationError, match="data"):
        Results(metrics={}, data=odd)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_plain_values_stay_as_they_are(value):
    def finite(item):
        if isinstance(item, float):
            return item if math.isfinite(item) else None
        if isinstance(item, list):
            return [finite(each) for each in item]
        if isinstance(item, dict):
            return {key: finite(each) for key, each in item.items()}
        return item

    assert plain_json(value) == finite(value)
