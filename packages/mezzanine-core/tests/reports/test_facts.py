"""Nested values as rows."""

from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.reports.facts import MOST_ROWS, facts, settings_of

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), plain, max_size=6))
def test_any_plain_values_become_short_lines(values):
    rows = facts(values)
    assert len(rows) >= len(values)
    assert all(isinstance(text, str) and len(text) <= 401 for _, text in rows)


def test_leaves_are_named_by_their_path():
    assert facts({"a": {"b": 1, "c": {}}, "d": [1, 2], "e": True}) == [
        ("a.b", "1"),
        ("a.c", "nothing"),
        ("d", "1, 2"),
        ("e", "yes"),
    ]


def test_long_lists_are_told_by_their_range():
    assert facts({"loss": [[3.0, 1.5], [2.0] * 30]}) == [("loss", "32 numbers from 1.5 to 3")]


def test_an_estimate_is_one_line():
    estimate = {"value": 0.5, "low": 0.4, "high": 0.6, "level": 0.95, "per_seed": []}
    assert facts({"r@10": estimate}) == [("r@10", "0.50 [0.40, 0.60]")]


def test_what_is_left_out_is_counted():
    rows = facts({str(number): number for number in range(MOST_ROWS + 7)})
    assert len(rows) == MOST_ROWS + 1
    assert "7 more" in rows[-1][1]


def test_settings_are_named_as_their_flags_are():
    assert settings_of({"seed": 0, "world": {"name": "x", "games": ["a"]}}) == {
        "seed": 0,
        "world.name": "x",
        "world.games": ["a"],
    }
