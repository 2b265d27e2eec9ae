"""When a point qualifies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.tuning.figures import Figure
from mezzanine_core.tuning.judging import Criteria, judge

CRITERIA = Criteria(low=0.1, high=0.6, disagreement=0.5)

shares = st.floats(0, 1)


@st.composite
def figures(draw):
    low, value, high = sorted(draw(st.tuples(shares, shares, shares)))
    seeds = draw(st.lists(st.floats(-1, 1), max_size=5))
    return Figure(value=value, low=low, high=high, per_seed=tuple(seeds))


@pytest.mark.parametrize(
    ("baseline", "seeds", "outcome"),
    [
        (0.3, (0.4, 0.5, 0.6), "qualifies"),
        (0.1, (0.5,), "qualifies"),
        (0.6, (0.5,), "qualifies"),
        (0.61, (0.5,), "too easy"),
        (0.09, (0.5,), "dead"),
        (0.3, (0.25, 0.5, 0.75), "qualifies"),
        (0.3, (-0.1, 0.5, 1.1), "unstable"),
        (0.7, (-0.1, 0.5, 1.1), "too easy"),
    ],
)
def test_a_full_run_is_judged_by_its_figures(baseline, seeds, outcome):
    effect = Figure(value=sum(seeds) / len(seeds), per_seed=seeds)
    assert judge(CRITERIA, Figure(value=baseline), effect, pilot=False).outcome == outcome


@given(figures(), figures(), st.booleans())
def test_a_point_qualifies_where_no_condition_is_missed_and_only_there(baseline, effect, pilot):
    judgement = judge(CRITERIA, baseline, effect, pilot=pilot)
    met = all(violation <= 0 for violation in judgement.violations.values())
    assert met == (judgement.outcome == "qualifies")
    assert met or judgement.violations[judgement.outcome] > 0


@given(figures(), figures())
def test_what_a_full_run_lets_through_its_pilot_would_have_too(baseline, effect):
    if judge(CRITERIA, baseline, effect, pilot=False).outcome == "qualifies":
        assert judge(CRITERIA, baseline, effect, pilot=True).outcome == "qualifies"


@given(figures(), figures())
def test_a_pilot_is_out_of_range_only_if_its_whole_interval_is(baseline, effect):
    outcome = judge(CRITERIA, baseline, effect, pilot=True).outcome
    overlaps = baseline.low <= CRITERIA.high and baseline.high >= CRITERIA.low
    assert (outcome == "qualifies") == overlaps


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=5))
def test_seeds_of_which_one_has_no_effect_or_the_opposite_one_are_unstable(seeds):
    mean = sum(seeds) / len(seeds)
    if mean > 1e-6 and min(seeds) <= 0:
        effect = Figure(value=mean, per_seed=tuple(seeds))
        assert judge(CRITERIA, Figure(value=0.3), effect, pilot=False).outcome == "unstable"
