"""How reports write numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.reports.numbers import (
    decimals_for,
    estimate_text,
    fixed,
    seconds_text,
    share_text,
)
from mezzanine_core.results import Estimate

numbers = st.floats(-1e6, 1e6)


@given(low=numbers, width=st.floats(1e-4, 1e6))
def test_an_interval_is_written_to_two_digits_of_its_width(low, width):
    estimate = Estimate(value=low, low=low, high=low + width)
    step = 10.0 ** -decimals_for(estimate)
    assert step <= estimate.high - estimate.low + 1e-12
    assert decimals_for(estimate) == 0 or step > (estimate.high - estimate.low) / 101


@given(value=numbers, decimals=st.integers(0, 6))
def test_zero_has_no_sign(value, decimals):
    text = fixed(value, decimals)
    assert float(text.replace(",", "")) == pytest.approx(value, abs=0.51 * 10.0**-decimals)
    assert not (text.startswith("-") and float(text.replace(",", "")) == 0)


def test_an_estimate_without_width_is_written():
    assert estimate_text(Estimate(value=0, low=0, high=0)) == "0.0 [0.0, 0.0]"
    assert estimate_text(Estimate(value=0.0777, low=0.0649, high=0.0884)) == "0.078 [0.065, 0.088]"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0.40 s"),
        (38.2, "38 s"),
        (59.7, "1 min 00 s"),
        (245, "4 min 05 s"),
        (7380, "2 h 03 min"),
    ],
)
def test_durations_are_written_for_people(seconds, text):
    assert seconds_text(seconds) == text


def test_a_share_of_nothing_is_nothing():
    assert share_text(0, 0) == "0%"
    assert share_text(1, 4) == "25%"
