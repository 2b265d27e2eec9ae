"""Where estimates stand in a chart."""

from hypothesis import assume, given
from hypothesis import strategies as st

from mezzanine_core.reports.charts import WIDTH, chart, nice_ticks
from mezzanine_core.results import Estimate

numbers = st.floats(-1e9, 1e9)


@st.composite
def estimates(draw):
    low, value, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    seeds = draw(st.lists(numbers, max_size=4))
    return Estimate(value=value, low=low, high=high, per_seed=tuple(seeds))


@given(st.dictionaries(st.text(max_size=60), estimates(), min_size=1, max_size=6), st.booleans())
def test_all_of_an_estimate_is_inside_the_drawing_and_in_order(figures, is_gain):
    drawn = chart("metric", figures, is_gain=is_gain)
    for mark in drawn.marks:
        places = [mark.low, mark.x, mark.high]
        assert places == sorted(places)
        assert all(0 <= x <= WIDTH for x in [*places, *(x for x, _ in mark.seeds)])
        assert 0 < mark.y < drawn.height
    assert [mark.hover.split(":")[0] for mark in drawn.marks] == [
        name.split(":")[0] for name in figures
    ]


@given(numbers, numbers)
def test_ticks_span_the_range_at_equal_distances(first, second):
    low, high = sorted((first, second))
    assume(high - low > 1e-6 * max(abs(low), abs(high), 1e-6))
    ticks = nice_ticks(low, high)
    step = ticks[1] - ticks[0]
    assert 2 <= len(ticks) <= 8
    assert ticks[0] <= low + 1e-6 * step
    assert ticks[-1] >= high - 1e-6 * step


def test_no_difference_is_always_in_a_chart_of_gains():
    gain = {"a": Estimate(value=5, low=4, high=6)}
    drawn = chart("m", gain, is_gain=True)
    assert drawn.zero is not None
    assert drawn.zero < drawn.marks[0].low
    assert chart("m", gain).zero is None


def test_an_interval_on_one_side_of_zero_is_decided():
    figures = {
        "for": Estimate(value=2, low=1, high=3),
        "against": Estimate(value=-2, low=-3, high=-1),
        "open": Estimate(value=0.5, low=0, high=1),
    }
    assert [mark.decided for mark in chart("m", figures, is_gain=True).marks] == [True, True, False]


def test_long_names_are_cut_and_told_in_full_under_the_pointer():
    name = "retrieval_action_minus_" + "mean_action" * 5
    mark = chart("m", {name: Estimate(value=1, low=0, high=2)}).marks[0]
    assert len(mark.label) <= 30
    assert mark.hover.startswith(name)
