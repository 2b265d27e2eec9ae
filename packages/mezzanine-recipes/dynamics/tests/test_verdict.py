import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.results import Estimate
from mezzanine_recipes_dynamics.verdict import decide, outcome

THRESHOLDS = {"mean_rank": 5.0, "r@10": 0.05}
ORDER = ["BREAK", "INCONCLUSIVE", "MAKE"]


def gain(value, low, high):
    return Estimate(value=value, low=low, high=high)


def gains(rank, recall):
    return {"mean_rank": gain(*rank), "r@10": gain(*recall)}


def verdict(helps, hurts, **settings):
    return decide(helps, hurts, rank_gain=5.0, recall_gain=0.05, **settings)


NOTHING = gains((0, -1, 1), (0, -0.01, 0.01))
MUCH = gains((30, 20, 40), (0.3, 0.2, 0.4))
UNCERTAIN = gains((8, -2, 18), (0.08, -0.02, 0.18))


@pytest.mark.parametrize(
    ("rank", "recall", "expected"),
    [
        # (value, low, high) of the gains in mean rank and in R@10
        ((30, 20, 40), (0.3, 0.2, 0.4), "met"),
        ((5, 0.1, 10), (0, -0.1, 0.1), "met"),  # one of two is enough, at the very threshold
        ((0, -1, 1), (0.05, 0.001, 0.1), "met"),
        ((4.9, 4.8, 5.0), (0, -0.01, 0.01), "undecided"),  # the interval reaches the threshold
        ((4.9, 4.8, 4.99), (0, -0.01, 0.01), "not met"),  # surely a gain, but too small
        ((8, 0, 16), (0, -0.01, 0.01), "undecided"),  # large, but zero is in the interval
        ((8, -2, 18), (0.08, -0.02, 0.18), "undecided"),
        ((0, -1, 1), (0, -0.01, 0.06), "undecided"),  # R@10 may still reach its threshold
        ((0, -1, 1), (0, -0.01, 0.01), "not met"),
        ((-30, -40, -20), (-0.3, -0.4, -0.2), "not met"),
    ],
)
def test_truth_table_of_one_comparison(rank, recall, expected):
    assert outcome(gains(rank, recall), THRESHOLDS) == expected


@pytest.mark.parametrize(
    ("helps", "hurts", "label"),
    [
        (MUCH, MUCH, "MAKE"),
        (MUCH, UNCERTAIN, "INCONCLUSIVE"),
        (UNCERTAIN, MUCH, "INCONCLUSIVE"),
        (UNCERTAIN, UNCERTAIN, "INCONCLUSIVE"),
        (MUCH, NOTHING, "BREAK"),
        (NOTHING, MUCH, "BREAK"),
        (NOTHING, UNCERTAIN, "BREAK"),
        (NOTHING, NOTHING, "BREAK"),
    ],
)
def test_truth_table_of_the_verdict(helps, hurts, label):
    found = verdict(helps, hurts)
    assert found.label == label
    assert [criterion.name for criterion in found.criteria] == ["action_helps", "shuffling_hurts"]


@st.composite
def estimates(draw, scale):
    low, value, high = sorted(draw(st.floats(-4 * scale, 4 * scale)) for _ in range(3))
    return value, low, high


@st.composite
def any_gains(draw):
    return gains(draw(estimates(5.0)), draw(estimates(0.05)))


@given(helps=any_gains(), hurts=any_gains(), data=st.data())
def test_larger_gains_never_make_the_verdict_worse(helps, hurts, data):
    def larger(old):
        moved = {}
        for metric, scale in (("mean_rank", 5.0), ("r@10", 0.05)):
            one = old[metric]
            value = one.value + data.draw(st.floats(0, scale))
            low = min(value, one.low + data.draw(st.floats(0, scale)))
            high = max(value, one.high + data.draw(st.floats(0, scale)))
            moved[metric] = gain(value, low, high)
        return moved

    before, after = verdict(helps, hurts), verdict(larger(helps), larger(hurts))
    assert ORDER.index(after.label) >= ORDER.index(before.label)


@given(helps=any_gains(), hurts=any_gains())
def test_make_needs_a_sure_gain_that_reaches_a_threshold_in_both(helps, hurts):
    def enough(one):
        return any(
            one[metric].value >= threshold and one[metric].low > 0
            for metric, threshold in THRESHOLDS.items()
        )

    assert (verdict(helps, hurts).label == "MAKE") == (enough(helps) and enough(hurts))


@given(helps=any_gains(), hurts=any_gains())
def test_intervals_that_reach_the_thresholds_never_give_break(helps, hurts):
    def wide(one):
        return {
            metric: gain(est.value, est.low, max(est.high, THRESHOLDS[metric]))
            for metric, est in one.items()
        }

    assert verdict(wide(helps), wide(hurts)).label != "BREAK"


@given(helps=any_gains(), hurts=any_gains())
def test_collapsed_latents_are_always_inconclusive(helps, hurts):
    assert verdict(helps, hurts, collapsed=True).label == "INCONCLUSIVE"


def test_thresholds_are_settings():
    small = gains((1, 0.5, 1.5), (0.01, 0.005, 0.015))
    assert verdict(small, small).label == "BREAK"
    assert decide(small, small, rank_gain=1.0, recall_gain=0.5).label == "MAKE"


def test_sentence_and_criteria_hold_the_figures():
    found = verdict(gains((30.04, 20, 40), (0.3, 0.2, 0.4)), MUCH)
    assert "mean rank +30.0 [+20.0, +40.0]" in found.sentence
    assert "R@10 +0.300 [+0.200, +0.400]" in found.sentence
    assert "threshold 5" in found.criteria[0].detail
    assert "threshold 0.05" in found.criteria[0].detail


def test_metrics_that_disagree_are_warned_of():
    mixed = gains((8, 6, 10), (-0.1, -0.2, -0.05))
    found = verdict(mixed, MUCH, warnings=["one before"])
    assert found.label == "MAKE"
    assert found.warnings[0] == "one before"
    assert "action_helps" in found.warnings[1]
    assert "disagree" in found.warnings[1]
    assert len(found.warnings) == 2
