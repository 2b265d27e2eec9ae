import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.calibration import reliability, softmax
from mezzanine_core.warrant import ViewGroups
from mezzanine_recipes_distill.evaluation import Answers, Averaged, TestViews
from mezzanine_recipes_distill.figures import UNBOUNDED, Figurer, calibration_terms, ece


@pytest.fixture
def figurer(make_views):
    def make(items=40, classes=2, seed=0):
        return Figurer(make_views(items, classes), 16, 200, 0.95, np.random.default_rng(seed))

    return make


def answers(test, seed=0, seeds=2, classes=2, scale=1.0):
    shape = (seeds, int(test.groups.sizes.sum()), classes)
    return Answers(scale * np.random.default_rng(seed).normal(size=shape), test)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000), items=st.integers(1, 40), classes=st.integers(2, 5), data=st.data()
)
def test_calibration_error_of_any_resample_is_that_of_reliability(seed, items, classes, data):
    rng = np.random.default_rng(seed)
    p = np.stack([softmax(3 * rng.normal(size=(items, classes))) for _ in range(2)])
    if data.draw(st.booleans()):
        p = np.round(p * 15) / 15  # on the edges of the bins
    label = rng.integers(classes, size=items)
    draws = [rng.integers(items, size=data.draw(st.integers(1, 50))) for _ in range(3)]
    expected = np.array(
        [
            [reliability(one[rows], label[rows]).expected_calibration_error for one in p]
            for rows in draws
        ]
    )
    counts = np.stack([np.bincount(rows, minlength=items) for rows in draws])
    found = ece(calibration_terms(p, label), counts.astype(np.float64))
    assert found == pytest.approx(expected, abs=1e-12)


def test_figures_of_a_model_are_means_over_items_and_seeds(figurer):
    figures = figurer()
    model = answers(figures.test)
    found = figures.of_model(model)
    for name, values in (
        ("gap", model.gap),
        ("flip_rate", model.flip_rate),
        ("tv_to_mean@16", model.tv_to_mean),
        ("js@16", model.jensen_shannon),
        ("accuracy", model.accuracy),
        ("accuracy_views", model.accuracy_views),
        ("confidence", model.confidence),
    ):
        assert found[name].value == pytest.approx(values.mean()), name
        assert found[name].per_seed == pytest.approx(values.mean(axis=1)), name
        assert 0 <= found[name].low <= found[name].value <= found[name].high, name
    ratios = [spread.ratio() for spread in model.spreads]
    assert found["spread_ratio"].per_seed == pytest.approx(ratios)


def test_temperature_changes_neither_flip_rate_nor_spread_ratio(figurer):
    figures = figurer()
    model = answers(figures.test)
    cooled = model.at([3.0, 3.0])
    warm, cool = figures.of_model(model), figures.of_model(cooled)
    assert cool["gap"].value < warm["gap"].value / 2
    assert cool["flip_rate"].value == pytest.approx(warm["flip_rate"].value)
    assert cool["spread_ratio"].value == pytest.approx(warm["spread_ratio"].value)


def test_gains_are_positive_where_the_first_is_better(figurer):
    figures = figurer()
    clear = np.eye(2)[np.repeat(figures.test.label, 3)] * 4
    good, bad = Answers(clear[None], figures.test), answers(figures.test, seeds=1)
    found = figures.compare(good, bad)
    assert found["gap_reduction"].value == pytest.approx(1)
    assert all(gain.low > 0 for gain in found.values()), found
    reverse = figures.compare(bad, Answers(clear[None] * 0.1, figures.test))
    assert reverse["accuracy"].high < 0
    assert reverse["gap"].high < 0
    assert "gap_reduction" not in reverse, "a share of no gap is not defined"


def test_reduction_is_one_less_the_ratio_of_the_gaps(figurer):
    figures = figurer()
    first, second = answers(figures.test, 1), answers(figures.test, 2, scale=2.0)
    found = figures.compare(first, second)["gap_reduction"]
    expected = 1 - first.gap.mean(axis=1) / second.gap.mean(axis=1)
    assert found.per_seed == pytest.approx(expected)


def test_reduction_that_rests_on_hardly_an_item_is_left_out(figurer):
    figures = figurer(items=10)
    still = np.repeat(np.random.default_rng(0).normal(size=(1, 10, 2)), 3, axis=1)
    one_moves = still.copy()
    one_moves[0, 0] += [3.0, 0.0]
    found = figures.compare(Answers(still, figures.test), Answers(one_moves, figures.test))
    assert "gap_reduction" not in found
    assert found["gap"].value > 0


def test_answers_changed_are_shares_of_all_items(figurer):
    figures = figurer(items=4)
    label = figures.test.label
    right = np.eye(2)[np.repeat(label, 3)][None] * 2
    base, student = right.copy(), right.copy()
    base[:, 0:3] *= -1  # the base is wrong about item 0, the student about items 1 and 2
    student[:, 3:9] *= -1
    found = figures.answers_changed(Answers(base, figures.test), Answers(student, figures.test))
    assert found["wrong_to_right"].value == 0.25
    assert found["right_to_wrong"].value == 0.5


def test_spread_ratio_is_left_out_where_items_do_not_differ(figurer):
    figures = figurer(items=6)
    views = np.tile([[1.0, 0], [0, 1.0], [0.5, 0.5]], (6, 1))[None]
    found = figures.of_model(Answers(views, figures.test))
    assert "spread_ratio" not in found
    assert found["gap"].value > 0


@pytest.mark.parametrize(("scale", "bounded"), [(1.2, False), (0.1, True)])
def test_spread_ratio_that_resamples_cannot_bound_says_so_by_its_upper_end(scale, bounded):
    sizes = np.full(20, 4)
    test = TestViews(ViewGroups(sizes, np.full(20, np.inf)), np.arange(20) % 2, np.arange(20))
    figures = Figurer(test, 4, 400, 0.95, np.random.default_rng(0))
    rng = np.random.default_rng(2)
    views = np.repeat(rng.normal(size=(1, 20, 2)), 4, axis=1)
    model = Answers(views + scale * rng.normal(size=views.shape), test)
    (spread,) = model.spreads
    assert np.isfinite(spread.ratio())
    resamples = [spread.ratio(rng.integers(20, size=20)) for _ in range(400)]
    assert np.isfinite(resamples).all() == bounded
    found = figures.of_model(model)["spread_ratio"]
    assert found.value == pytest.approx(spread.ratio())
    assert found.low < found.value < found.high
    assert found.high < 1 if bounded else found.high == UNBOUNDED


def test_teacher_has_accuracy_and_calibration_alone(figurer):
    figures = figurer()
    p = np.full((2, 40, 2), 0.5) + np.array([0.3, -0.3])
    found = figures.of_teacher(Averaged.of(p, figures.test.label))
    assert found.keys() == {"accuracy", "ece"}
    assert found["accuracy"].value == 0.5
    assert found["ece"].value == pytest.approx(0.3)


def test_equal_items_are_one_cluster():
    """Copies of every item add nothing to what is known: the interval does not shrink."""
    sizes = np.full(60, 3)
    groups = ViewGroups(sizes, sizes.astype(np.float64))
    label = np.tile(np.arange(30) % 2, 2)
    once = np.random.default_rng(0).normal(size=(1, 90, 2))
    twice = np.concatenate([once, once], axis=1)

    def width(clusters):
        test = TestViews(groups, label, clusters)
        figures = Figurer(test, 16, 2000, 0.95, np.random.default_rng(0))
        gap = figures.of_model(Answers(twice, test))["gap"]
        return gap.high - gap.low

    assert width(np.tile(np.arange(30), 2)) > 1.2 * width(np.arange(60))
