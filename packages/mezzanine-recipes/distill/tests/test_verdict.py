import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.results import Estimate
from mezzanine_recipes_distill.verdict import decide, outcome

ORDER = ["BREAK", "INCONCLUSIVE", "MAKE"]
REDUCTION, DROP = 0.2, 0.05


def estimate(value, low, high):
    return Estimate(value=value, low=low, high=high)


def verdict(reduction, gain, original=None, **settings):
    return decide(
        "head",
        reduction,
        gain,
        original,
        min_reduction=REDUCTION,
        max_accuracy_drop=DROP,
        **settings,
    )


MUCH = estimate(0.5, 0.4, 0.6)
UNSURE = estimate(0.25, 0.1, 0.4)
LITTLE = estimate(0.05, 0.0, 0.1)
KEPT = estimate(0.0, -0.02, 0.02)
MAYBE = estimate(-0.04, -0.08, 0.0)
LOST = estimate(-0.2, -0.3, -0.1)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((0.5, 0.4, 0.6), "met"),
        ((0.3, 0.2, 0.4), "met"),  # the interval begins at the very threshold
        ((0.3, 0.19, 0.4), "undecided"),  # large enough, but not surely
        ((0.1, 0.05, 0.2), "undecided"),  # the interval reaches the threshold
        ((0.1, 0.05, 0.19), "not met"),  # surely a reduction, but too small
        ((-0.5, -0.9, -0.1), "not met"),
        ((0.2, 0.2, 0.2), "met"),
    ],
)
def test_truth_table_of_one_criterion(found, expected):
    assert outcome(estimate(*found), 0.2) == expected


@pytest.mark.parametrize(
    ("reduction", "gain", "label"),
    [
        (MUCH, KEPT, "MAKE"),
        (MUCH, MAYBE, "INCONCLUSIVE"),
        (UNSURE, KEPT, "INCONCLUSIVE"),
        (UNSURE, MAYBE, "INCONCLUSIVE"),
        (MUCH, LOST, "BREAK"),
        (UNSURE, LOST, "BREAK"),
        (LITTLE, LOST, "BREAK"),
        (LITTLE, KEPT, "BREAK"),
        (LITTLE, MAYBE, "BREAK"),
        (None, KEPT, "INCONCLUSIVE"),
        (None, LOST, "BREAK"),
    ],
)
def test_truth_table_of_the_verdict(reduction, gain, label):
    found = verdict(reduction, gain)
    assert found.label == label
    names = [criterion.name for criterion in found.criteria]
    assert names == ["gap_reduced", "accuracy_kept", "original_gap_reduction"]


@st.composite
def estimates(draw, scale):
    low, value, high = sorted(draw(st.floats(-4 * scale, 4 * scale)) for _ in range(3))
    return estimate(value, low, high)


reductions, gains = estimates(REDUCTION), estimates(DROP)


@given(reduction=reductions, gain=gains)
def test_make_needs_both_intervals_on_the_right_side(reduction, gain):
    right = reduction.low >= REDUCTION and gain.low >= -DROP
    assert (verdict(reduction, gain).label == "MAKE") == right


@given(reduction=reductions, gain=gains)
def test_break_needs_an_interval_on_the_wrong_side(reduction, gain):
    wrong = reduction.high < REDUCTION or gain.high < -DROP
    assert (verdict(reduction, gain).label == "BREAK") == wrong


@given(reduction=reductions, gain=gains, data=st.data())
def test_larger_figures_never_make_the_verdict_worse(reduction, gain, data):
    def larger(old):
        by = data.draw(st.floats(0, 1))
        return estimate(old.value + by, old.low + by, old.high + by)

    before, after = verdict(reduction, gain), verdict(larger(reduction), larger(gain))
    assert ORDER.index(after.label) >= ORDER.index(before.label)


@given(reduction=reductions, gain=gains, original=reductions)
def test_original_criterion_goes_by_point_estimates_and_decides_nothing(reduction, gain, original):
    with_it, without = verdict(reduction, gain, original), verdict(reduction, gain)
    assert with_it.label == without.label
    passed = original.value >= REDUCTION and gain.value >= -DROP
    assert with_it.criteria[2].outcome == ("met" if passed else "not met")
    assert without.criteria[2].outcome == "undecided"


def test_thresholds_are_settings():
    found = decide("head", LITTLE, LOST, None, min_reduction=1e-9, max_accuracy_drop=0.5)
    assert found.label == "INCONCLUSIVE"
    found = decide("head", MUCH, LOST, None, min_reduction=0.4, max_accuracy_drop=0.3)
    assert found.label == "MAKE"


def test_sentence_and_criteria_hold_the_figures():
    found = verdict(MUCH, MAYBE, LITTLE, warnings=["few items"])
    assert "50.0% [40.0%, 60.0%]" in found.sentence
    assert "-4.0 [-8.0, +0.0] points" in found.sentence
    assert "threshold 20%" in found.criteria[0].detail
    assert "threshold -5" in found.criteria[1].detail
    assert "5.0% [0.0%, 10.0%]" in found.criteria[2].detail
    assert found.warnings == ("few items",)


def test_missing_control_is_said_in_words():
    assert "cannot be estimated" in verdict(None, KEPT).sentence


SURELY_TOO_SMALL = estimate(0.1, 0.05, 0.15)


@pytest.mark.parametrize(
    ("reduction", "gain", "said"),
    [
        (MUCH, KEPT, "head is less dependent on the view, at no cost that matters"),
        (SURELY_TOO_SMALL, KEPT, "head reduces the dependence on the view by too little, if at"),
        (SURELY_TOO_SMALL, MAYBE, "head reduces the dependence on the view by too little, if at"),
        (LITTLE, LOST, "by too little, if at all, and costs too much accuracy"),
        (MUCH, LOST, "head is less dependent on the view, but costs too much accuracy"),
        (UNSURE, LOST, "the student head costs too much accuracy"),
        (None, LOST, "the student head costs too much accuracy"),
        (UNSURE, KEPT, "the figures do not decide whether the student head is worth it"),
        (None, KEPT, "the figures do not decide whether the student head is worth it"),
    ],
)
def test_sentence_says_which_criterion_decided_and_nothing_that_is_not_known(reduction, gain, said):
    sentence = verdict(reduction, gain).sentence
    assert said in sentence
    assert "does not make" not in sentence
    assert ("less dependent" in sentence) == (reduction == MUCH)
    assert ("costs too much" in sentence) == (gain == LOST)
