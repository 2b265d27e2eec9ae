"""Figures of a run, by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.errors import ConfigError, UnknownNameError
from mezzanine_core.results import CacheCounts, Estimate, RunRecord
from mezzanine_core.tuning.figures import Figure, find_figure


def estimate(value):
    return Estimate(value=value, low=value - 1, high=value + 1, per_seed=(value - 0.5, value + 0.5))


RECORD = RunRecord(
    metrics={"model": {"r@10": estimate(1), "same": estimate(2)}, "v1.5": {"loss": estimate(3)}},
    deltas={"model_minus_none": {"r@10": estimate(4)}, "model": {"same": estimate(5)}},
    data={"sizes": {"train": 30}, "leaks": False},
    diagnostics={"rank": {"effective": 2.5}, "curve": [1, 2]},
    recipe="toy",
    fingerprint="0",
    started="2026-01-01T00:00:00Z",
    config={},
    origins={},
    components={},
    versions={},
    settings={},
    cache=CacheCounts(),
    timings={},
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.r@10", 1),
        ("metrics.model.r@10", 1),
        ("model_minus_none.r@10", 4),
        ("deltas.model_minus_none.r@10", 4),
        ("v1.5.loss", 3),
        ("metrics.model.same", 2),
        ("deltas.model.same", 5),
        ("data.sizes.train", 30),
        ("diagnostics.rank.effective", 2.5),
    ],
)
def test_a_figure_is_found_by_its_short_name_or_its_path(name, value):
    assert find_figure(RECORD, name).value == value


def test_an_estimate_keeps_its_interval_and_seeds_and_a_number_has_none():
    assert find_figure(RECORD, "model.r@10") == Figure(
        value=1, low=0, high=2, level=0.95, per_seed=(0.5, 1.5)
    )
    number = find_figure(RECORD, "data.sizes.train")
    assert (number.least, number.most, number.spread) == (30, 30, None)


def test_an_unknown_figure_is_answered_with_those_there_are():
    with pytest.raises(UnknownNameError) as raised:
        find_figure(RECORD, "model.r@100")
    assert "Did you mean model.r@10" in raised.value.hint
    assert "v1.5.loss" in raised.value.hint


@pytest.mark.parametrize("name", ["data.leaks", "diagnostics.curve", "data", "model", ""])
def test_what_is_no_number_is_no_figure(name):
    with pytest.raises(UnknownNameError):
        find_figure(RECORD, name)


def test_a_name_that_two_figures_share_is_refused_with_both():
    with pytest.raises(ConfigError) as raised:
        find_figure(RECORD, "model.same")
    assert raised.value.hint == "Say metrics.model.same or deltas.model.same."


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9))
def test_the_spread_is_the_standard_deviation_over_seeds(seeds):
    spread = Figure(value=0, per_seed=tuple(seeds)).spread
    assert spread == pytest.approx(np.std(seeds, ddof=1), rel=1e-9, abs=1e-9)
