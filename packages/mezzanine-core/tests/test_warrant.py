"""Laws of the warrant metrics, against enumerating all pairs and all samples of an orbit."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.calibration import softmax
from mezzanine_core.errors import DataError
from mezzanine_core.symmetries import Views
from mezzanine_core.warrant import (
    ViewGroups,
    jensen_shannon,
    logit_spread,
    orbit_average,
    orbit_cosine,
    orbit_variance,
    pairwise_flip_rate,
    pairwise_total_variation,
    teacher_probabilities,
    total_variation_to_mean,
)

laws = settings(deadline=None, max_examples=60)
seeds = st.integers(0, 2**32 - 1)
group_sizes = st.lists(st.integers(1, 6), min_size=1, max_size=6)

UNBIASED = [pairwise_total_variation, pairwise_flip_rate, orbit_variance, orbit_cosine]
BELIEF_GAPS = [
    pairwise_total_variation,
    pairwise_flip_rate,
    total_variation_to_mean,
    jensen_shannon,
    orbit_variance,
]


def beliefs(seed, views, classes=3):
    return softmax(2 * np.random.default_rng(seed).standard_normal((views, classes)))


def groups_of(*sizes, orbits=None):
    return ViewGroups(
        np.array(sizes), None if orbits is None else np.array(orbits, dtype=np.float64)
    )


def samples_of(rows, k):
    """Every way to draw k views without replacement."""
    return [rows[list(chosen)] for chosen in itertools.combinations(range(len(rows)), k)]


def mean_over_pairs(rows, distance):
    return np.mean([distance(a, b) for a, b in itertools.combinations(rows, 2)] or [0.0])


def by_brute_force(metric, rows):
    return {
        pairwise_total_variation: lambda: mean_over_pairs(rows, lambda a, b: abs(a - b).sum() / 2),
        pairwise_flip_rate: lambda: mean_over_pairs(rows, lambda a, b: a.argmax() != b.argmax()),
        orbit_variance: lambda: mean_over_pairs(rows, lambda a, b: ((a - b) ** 2).sum() / 2),
        orbit_cosine: lambda: (
            1
            - mean_over_pairs(rows, lambda a, b: 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        ),
    }[metric]()


@laws
@given(seeds, group_sizes, st.sampled_from(UNBIASED))
def test_each_item_is_measured_over_all_its_pairs_whatever_the_other_items(seed, sizes, metric):
    groups = groups_of(*sizes)
    p = beliefs(seed, sum(sizes))
    rows = np.split(p, np.cumsum(sizes)[:-1])
    np.testing.assert_allclose(
        metric(p, groups), [by_brute_force(metric, part) for part in rows], atol=1e-12
    )


@laws
@given(seeds, st.integers(2, 6), st.data(), st.sampled_from(UNBIASED))
def test_views_drawn_from_an_orbit_give_its_value_on_average(seed, size, data, metric):
    k = data.draw(st.integers(2, size))
    p = beliefs(seed, size)
    samples = [metric(part, groups_of(k)) for part in samples_of(p, k)]
    np.testing.assert_allclose(np.mean(samples), metric(p, groups_of(size)), atol=1e-12)


@laws
@given(seeds, st.integers(3, 6), st.data(), st.sampled_from(UNBIASED))
def test_so_do_views_that_always_hold_the_identity(seed, size, data, metric):
    """The identity is often special to a model, and among K views it is over-represented."""
    k = data.draw(st.integers(3, size))
    p = beliefs(seed, size)
    p[0] = [0.98, 0.01, 0.01]
    samples = [
        metric(p[[0, *rows]], groups_of(k, orbits=[size]))
        for rows in itertools.combinations(range(1, size), k - 1)
    ]
    np.testing.assert_allclose(np.mean(samples), metric(p, groups_of(size)), atol=1e-12)


@laws
@given(seeds, st.integers(2, 6), st.data())
def test_the_orbit_average_of_views_with_the_identity_is_unbiased(seed, size, data):
    k = data.draw(st.integers(2, size))
    p = beliefs(seed, size)
    samples = [
        orbit_average(p[[0, *rows]], groups_of(k, orbits=[size]))
        for rows in itertools.combinations(range(1, size), k - 1)
    ]
    np.testing.assert_allclose(np.mean(samples, axis=0)[0], p.mean(axis=0), atol=1e-12)


def test_in_an_endless_orbit_pairs_with_the_identity_count_for_nothing():
    p = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.2, 0.8]])
    endless = groups_of(4, orbits=[math.inf])
    assert pairwise_total_variation(p, endless) == pytest.approx(
        pairwise_total_variation(p[1:], groups_of(3))
    )
    np.testing.assert_allclose(orbit_average(p, endless), p[1:].mean(axis=0)[None])


@laws
@given(seeds, st.integers(2, 6), st.data())
def test_jensen_shannon_of_few_views_is_biased_low(seed, size, data):
    k = data.draw(st.integers(1, size - 1))
    p = beliefs(seed, size)
    samples = [jensen_shannon(part, groups_of(k)) for part in samples_of(p, k)]
    assert np.mean(samples) < jensen_shannon(p, groups_of(size))[0]


def test_total_variation_to_the_mean_of_few_views_is_biased_low():
    p = beliefs(0, 9)
    by_views = [
        np.mean([total_variation_to_mean(part, groups_of(k)) for part in samples_of(p, k)])
        for k in (1, 2, 4, 9)
    ]
    assert by_views[0] == 0
    assert np.all(np.diff(by_views) > 0.005)


@laws
@given(seeds, group_sizes, st.sampled_from([*BELIEF_GAPS, orbit_cosine]))
def test_the_order_of_views_and_the_names_of_classes_do_not_matter(seed, sizes, metric):
    rng, groups = np.random.default_rng(seed), groups_of(*sizes)
    p = beliefs(seed, sum(sizes))
    item = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((rng.permutation(len(p)), item))
    expected = metric(p, groups)
    np.testing.assert_allclose(metric(p[order], groups), expected, atol=1e-12)
    np.testing.assert_allclose(metric(p[:, rng.permutation(3)], groups), expected, atol=1e-12)


@laws
@given(seeds, group_sizes)
def test_identical_views_have_no_gap(seed, sizes):
    groups = groups_of(*sizes)
    p = groups.repeat(beliefs(seed, len(sizes)))
    for metric in BELIEF_GAPS:
        np.testing.assert_allclose(metric(p, groups), 0, atol=1e-12)
    np.testing.assert_allclose(orbit_cosine(p, groups), 1)


@laws
@given(seeds, group_sizes, st.integers(2, 5))
def test_gaps_keep_to_their_bounds(seed, sizes, classes):
    groups = groups_of(*sizes)
    p = beliefs(seed, sum(sizes), classes)
    for metric in (pairwise_total_variation, pairwise_flip_rate, total_variation_to_mean):
        assert ((metric(p, groups) >= 0) & (metric(p, groups) <= 1)).all()
    assert (total_variation_to_mean(p, groups) <= pairwise_total_variation(p, groups) + 1e-12).all()
    bound = np.log(np.minimum(sizes, classes))
    assert (jensen_shannon(p, groups) <= bound + 1e-12).all()


def test_opposite_certain_views_have_the_largest_gap():
    p, groups = np.eye(2), groups_of(2)
    assert pairwise_total_variation(p, groups) == [1]
    assert pairwise_flip_rate(p, groups) == [1]
    assert total_variation_to_mean(p, groups) == [0.5]
    assert jensen_shannon(p, groups) == pytest.approx(math.log(2))


@laws
@given(seeds, st.integers(1, 6))
def test_jensen_shannon_is_the_mutual_information_of_view_and_prediction(seed, size):
    p = beliefs(seed, size)
    joint = p / size
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    information = (joint * np.log(joint / independent)).sum()
    np.testing.assert_allclose(jensen_shannon(p, groups_of(size)), information, atol=1e-12)


@laws
@given(seeds, group_sizes)
def test_teachers_average_probabilities_or_logits(seed, sizes):
    logits = np.random.default_rng(seed).standard_normal((sum(sizes), 3))
    groups = groups_of(*sizes)
    parts = np.split(logits, np.cumsum(sizes)[:-1])
    np.testing.assert_allclose(
        teacher_probabilities(logits, groups, "probabilities"),
        [softmax(part).mean(axis=0) for part in parts],
    )
    np.testing.assert_allclose(
        teacher_probabilities(logits, groups, "logits"),
        softmax(np.stack([part.mean(axis=0) for part in parts])),
    )


@laws
@given(seeds, st.floats(0.01, 100), st.floats(-10, 10))
def test_the_ratio_of_spreads_has_no_scale_and_no_offset(seed, scale, offset):
    logits = np.random.default_rng(seed).standard_normal((40, 3))
    logits += np.repeat(3 * np.eye(10)[:, :3], 4, axis=0)
    groups = groups_of(*[4] * 10)
    expected = logit_spread(logits, groups).ratio()
    moved = scale * logits + offset * np.arange(40)[:, None]
    assert logit_spread(moved, groups).ratio() == pytest.approx(expected, rel=1e-6)


def test_the_ratio_of_spreads_does_not_depend_on_the_number_of_views():
    rng = np.random.default_rng(0)
    items = rng.standard_normal((4000, 1, 2))
    for views in (2, 16):
        logits = (items + 0.5 * rng.standard_normal((4000, views, 2))).reshape(-1, 2)
        ratio = logit_spread(logits, groups_of(*[views] * 4000)).ratio()
        assert ratio == pytest.approx(0.5, abs=0.02)


def test_the_means_of_exact_orbits_are_taken_as_exact():
    logits = np.random.default_rng(0).standard_normal((12, 2))
    exact = logit_spread(logits, groups_of(3, 3, 3, 3, orbits=[3, 3, 3, 3]))
    np.testing.assert_allclose(exact.error, 0, atol=1e-15)
    assert logit_spread(logits, groups_of(3, 3, 3, 3)).error.min() > 0


def test_the_ratio_of_spreads_can_be_resampled():
    logits = np.random.default_rng(0).standard_normal((30, 2)) ** 3
    spread = logit_spread(logits, groups_of(*[3] * 10))
    assert spread.ratio(np.arange(10)) == spread.ratio()
    for rows in (np.array([0, 0, 1, 5]), np.array([9, 3])):
        between = spread.means[rows].var(axis=0, ddof=1).sum() - spread.error[rows].mean()
        expected = np.sqrt(spread.within[rows].mean() / between) if between > 0 else np.inf
        assert spread.ratio(rows) == pytest.approx(expected)


def test_ratios_of_several_choices_are_those_of_each():
    rng = np.random.default_rng(0)
    spread = logit_spread(rng.standard_normal((30, 3)) + 100, groups_of(*[3] * 10))
    draws = [rng.integers(10, size=10) for _ in range(20)]
    counts = np.stack([np.bincount(rows, minlength=10) for rows in draws]).astype(np.float64)
    assert spread.ratios(counts) == pytest.approx([spread.ratio(rows) for rows in draws])


def test_groups_come_from_the_views_of_a_symmetry():
    views = [
        Views(((0, 1), (1, 0)), ("ab", "ba"), orbit_size=2),
        Views(((0, 1, 2),), ("abc",), orbit_size=math.factorial(200)),
        Views((0,), ("x",), orbit_size=None),
    ]
    groups = ViewGroups.of(views)
    np.testing.assert_array_equal(groups.sizes, [2, 1, 1])
    np.testing.assert_array_equal(groups.orbit_sizes, [2, math.inf, math.inf])


@pytest.mark.parametrize("views", [1, 2])
def test_a_gap_that_too_few_views_cannot_show_is_refused(views):
    with pytest.raises(DataError, match="at least 3 views"):
        pairwise_total_variation(beliefs(0, views), groups_of(views, orbits=[24]))


def test_an_orbit_of_one_has_no_gap():
    assert pairwise_total_variation(beliefs(0, 1), groups_of(1, orbits=[1])) == [0]


@pytest.mark.parametrize(
    "row", [[0.5, 0.6], [1.5, -0.5], [0.2, 0.2]], ids=["above one", "negative", "below one"]
)
def test_what_is_no_distribution_is_refused_by_row(row):
    p = np.array([[0.5, 0.5], row])
    for metric in (pairwise_total_variation, pairwise_flip_rate, jensen_shannon):
        with pytest.raises(DataError, match="view 1 is no distribution"):
            metric(p, groups_of(2))


def test_probabilities_in_half_precision_are_taken():
    p = beliefs(0, 64, classes=50).astype(np.float16)
    assert (pairwise_total_variation(p, groups_of(64)) > 0).all()


@pytest.mark.parametrize(("sizes", "orbits"), [([0, 2], None), ([], None), ([3], [2])])
def test_groups_that_cannot_be_are_refused(sizes, orbits):
    with pytest.raises(DataError, match="view"):
        groups_of(*sizes, orbits=orbits)


def test_rows_that_do_not_fit_the_groups_are_refused():
    with pytest.raises(DataError, match="4"):
        orbit_average(np.zeros(3), groups_of(2, 2))


def test_the_spread_between_items_needs_two_items():
    with pytest.raises(DataError, match="two items"):
        logit_spread(np.zeros((3, 2)), groups_of(3))


@pytest.mark.parametrize("metric", [pairwise_total_variation, orbit_variance, orbit_cosine])
def test_values_that_are_not_finite_are_refused_by_row(metric):
    with pytest.raises(DataError, match="view 2 is not finite"):
        metric(np.array([[0.5, 0.5], [0.5, 0.5], [np.nan, 0.5]]), groups_of(3))
