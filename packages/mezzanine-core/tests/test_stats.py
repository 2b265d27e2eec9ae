"""Laws of intervals and rank tests; parity with scipy and numpy."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as reference

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.stats import (
    bootstrap_gain,
    bootstrap_mean,
    bootstrap_median,
    bootstrap_reduction,
    bootstrap_statistic,
    bootstrap_weighted,
    midranks,
    wilcoxon_signed_rank,
    wilson_interval,
)

laws = settings(deadline=None, max_examples=50)
small_values = hnp.arrays(np.float64, st.integers(1, 30), elements=st.integers(-4, 4).map(float))


def clustered(rng, clusters, seeds=1, *, cluster_sd=1.0, seed_sd=0.0, noise_sd=1.0, skewed=False):
    """Samples around zero: [seeds, n] and their clusters, 1 to 9 samples a cluster."""
    index = np.repeat(np.arange(clusters), rng.integers(1, 10, clusters))
    effect = rng.exponential(size=clusters) - 1 if skewed else rng.standard_normal(clusters)
    values = cluster_sd * effect[index] + noise_sd * rng.standard_normal((seeds, len(index)))
    return values + seed_sd * rng.standard_normal((seeds, 1)), index


@laws
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_estimate_is_the_plain_mean_or_median_of_each_seed(seed, seeds):
    values, clusters = clustered(np.random.default_rng(seed), 12, seeds)
    mean = bootstrap_mean(values, clusters, resamples=100, rng=np.random.default_rng(0))
    median = bootstrap_median(values, clusters, resamples=100, rng=np.random.default_rng(0))
    np.testing.assert_allclose(mean.per_seed, values.mean(axis=1), atol=1e-12)
    np.testing.assert_array_equal(median.per_seed, np.median(values, axis=1))
    assert mean.value == pytest.approx(values.mean(), abs=1e-12)
    assert median.value == pytest.approx(np.median(values, axis=1).mean())


@laws
@given(st.integers(0, 2**32 - 1), st.sampled_from(["mean", "median"]))
def test_equal_generators_give_equal_intervals(seed, statistic):
    values, clusters = clustered(np.random.default_rng(seed), 8, 2)
    function = {"mean": bootstrap_mean, "median": bootstrap_median}[statistic]
    first, second = (
        function(values, clusters, resamples=200, rng=np.random.default_rng(seed)) for _ in range(2)
    )
    assert first == second


@laws
@given(st.integers(0, 2**32 - 1), st.floats(-5, 5), st.floats(0.1, 10))
def test_the_interval_moves_and_stretches_with_the_samples(seed, shift, scale):
    values, clusters = clustered(np.random.default_rng(seed), 8, 3, seed_sd=1.0)
    plain = bootstrap_mean(values, clusters, resamples=200, rng=np.random.default_rng(1))
    moved = bootstrap_mean(
        scale * values + shift, clusters, resamples=200, rng=np.random.default_rng(1)
    )
    for end in ("value", "low", "high"):
        expected = scale * getattr(plain, end) + shift
        assert getattr(moved, end) == pytest.approx(expected, abs=1e-9)


def test_names_of_clusters_do_not_matter():
    values, clusters = clustered(np.random.default_rng(0), 20)
    plain, renamed = (
        bootstrap_mean(values, names, rng=np.random.default_rng(1))
        for names in (clusters, clusters * 1000 - 7)
    )
    assert plain == renamed


def test_the_interval_agrees_with_students_for_many_independent_samples():
    values = np.random.default_rng(0).standard_normal(400)
    estimate = bootstrap_mean(
        values, np.arange(400), resamples=20_000, rng=np.random.default_rng(1)
    )
    expected = reference.t.interval(0.95, 399, values.mean(), reference.sem(values))
    np.testing.assert_allclose([estimate.low, estimate.high], expected, atol=0.004)


def test_the_spread_of_seeds_enters_as_students_interval():
    """With samples that do not vary, only the seeds are left: three of them, two degrees."""
    seeds = np.array([1.0, 2.0, 4.0])
    estimate = bootstrap_mean(
        np.repeat(seeds[:, None], 50, axis=1),
        np.arange(50) // 5,
        resamples=200_000,
        rng=np.random.default_rng(0),
    )
    expected = reference.t.interval(0.95, 2, seeds.mean(), reference.sem(seeds))
    np.testing.assert_allclose([estimate.low, estimate.high], expected, rtol=0.04)


def test_samples_of_one_cluster_do_not_pass_for_independent():
    values = np.repeat(np.random.default_rng(0).standard_normal(20), 30)
    clusters = np.repeat(np.arange(20), 30)
    together = bootstrap_mean(values, clusters, rng=np.random.default_rng(1))
    alone = bootstrap_mean(values, np.arange(600), rng=np.random.default_rng(1))
    assert together.high - together.low > 4 * (alone.high - alone.low)


@laws
@given(st.integers(0, 2**32 - 1), st.sampled_from(["mean", "median"]))
def test_the_gain_changes_sign_with_the_order_of_the_models(seed, statistic):
    rng = np.random.default_rng(seed)
    values, clusters = clustered(rng, 10, 2)
    other = values + rng.standard_normal(values.shape)
    forth, back, lower = (
        bootstrap_gain(
            *pair,
            clusters,
            higher_is_better=higher,
            statistic=statistic,
            resamples=200,
            rng=np.random.default_rng(1),
        )
        for pair, higher in [
            ((values, other), True),
            ((other, values), True),
            ((values, other), False),
        ]
    )
    assert back == lower
    assert forth.value == pytest.approx(-back.value)
    summarise = {"mean": np.mean, "median": np.median}[statistic]
    assert forth.per_seed == pytest.approx(summarise(values, axis=1) - summarise(other, axis=1))


def test_a_paired_gain_cancels_what_makes_samples_hard():
    rng = np.random.default_rng(0)
    hard, clusters = clustered(rng, 50, cluster_sd=10.0)
    gain = bootstrap_gain(hard + 0.1, hard, clusters, rng=rng)
    assert gain.low == pytest.approx(0.1)
    assert gain.high == pytest.approx(0.1)


def test_a_model_without_seeds_is_paired_with_each_seed_of_the_other():
    rng = np.random.default_rng(0)
    values, clusters = clustered(rng, 30, 3, seed_sd=0.2)
    baseline = values.mean(axis=0)
    alone = bootstrap_gain(values, baseline, clusters, rng=np.random.default_rng(1))
    repeated = bootstrap_gain(
        values, np.repeat(baseline[None], 3, axis=0), clusters, rng=np.random.default_rng(1)
    )
    assert alone.per_seed == pytest.approx(repeated.per_seed)
    assert (alone.low, alone.high) == pytest.approx((repeated.low, repeated.high))


@laws
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_a_reduction_is_the_share_by_which_the_mean_of_each_seed_is_lower(seed, seeds):
    rng = np.random.default_rng(seed)
    index = np.arange(20)
    first, second = rng.random((seeds, 20)), 0.1 + rng.random((seeds, 20))
    found = bootstrap_reduction(first, second, index, resamples=200, rng=rng)
    assert found.per_seed == pytest.approx(1 - first.mean(axis=1) / second.mean(axis=1))
    assert found.value == pytest.approx(np.mean(found.per_seed))


@laws
@given(st.integers(0, 2**32 - 1), st.floats(0, 2), st.integers(1, 3))
def test_what_is_a_fixed_share_of_every_sample_is_reduced_by_the_rest(seed, share, seeds):
    rng = np.random.default_rng(seed)
    index = np.repeat(np.arange(10), 3)
    whole = 0.1 + rng.random((seeds, 30))
    found = bootstrap_reduction(share * whole, whole, index, resamples=200, rng=rng)
    expected = pytest.approx(1 - share, abs=1e-9)
    assert found.low == expected
    assert found.value == expected
    assert found.high == expected


def test_a_reduction_is_the_same_in_every_unit_and_pairs_seeds_with_a_control_without_them():
    rng = np.random.default_rng(0)
    first, second = rng.random((3, 40)), 0.1 + rng.random(40)
    plain, scaled, repeated = (
        bootstrap_reduction(*pair, np.arange(40), resamples=200, rng=np.random.default_rng(1))
        for pair in (
            (first, second),
            (8 * first, 8 * second),
            (first, np.repeat(second[None], 3, axis=0)),
        )
    )
    assert plain == scaled
    assert plain.per_seed == pytest.approx(repeated.per_seed)
    assert (plain.low, plain.high) == pytest.approx((repeated.low, repeated.high))


@pytest.mark.parametrize("second", [np.zeros(30), np.eye(30)[0], -np.ones(30)])
def test_a_share_of_nothing_is_refused(second):
    with pytest.raises(DataError, match="a reduction is a share of the mean of the second, which"):
        bootstrap_reduction(
            np.ones(30), second, np.arange(30), resamples=200, rng=np.random.default_rng(0)
        )


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_the_interval_of_a_mean_moves_as_a_statistic_by_its_monte_carlo_error_alone(seeds):
    """Draws that are centred differ from those that are not by the mean of the resamples."""
    values = np.random.default_rng(seeds).standard_normal((seeds, 80))
    clusters = np.repeat(np.arange(40), 2)
    mean = bootstrap_mean(values, clusters, resamples=4000, rng=np.random.default_rng(1))
    same = bootstrap_statistic(
        lambda rows: values[:, rows].mean(axis=1),
        clusters,
        resamples=4000,
        rng=np.random.default_rng(1),
    )
    for end in ("value", "per_seed"):
        assert getattr(same, end) == pytest.approx(getattr(mean, end), abs=1e-9)
    # A mean over 4,000 draws has an error of 1/63 of their spread, a quarter of the width.
    error = (mean.high - mean.low) / 4 / np.sqrt(4000)
    assert (same.low, same.high) == pytest.approx((mean.low, mean.high), abs=5 * error)


def test_an_interval_holds_the_calibration_error_of_a_calibrated_model():
    """In a resample, bins are further from calibration than in the sample it is drawn from."""
    rng, n = np.random.default_rng(0), 300
    for _ in range(40):
        sure = 0.5 + rng.random(n) / 2
        right = rng.random(n) < sure
        bins = np.eye(15)[np.minimum((sure * 15).astype(int), 14)] * (right - sure)[:, None]
        found = bootstrap_statistic(
            lambda rows, bins=bins: np.abs(bins[rows].mean(axis=0)).sum(),
            np.arange(n),
            resamples=400,
            rng=rng,
        )
        assert found.low <= found.value <= found.high
        width = found.high - found.low
        assert 0.25 * width < found.high - found.value < 0.75 * width


def test_what_resampling_adds_to_a_statistic_does_not_move_its_interval():
    """The largest of the shares of ten classes that are equally frequent is larger in resamples."""
    kinds = np.eye(10)[np.repeat(np.arange(10), 20)]
    found = bootstrap_statistic(
        lambda rows: kinds[rows].mean(axis=0).max(),
        np.arange(200),
        rng=np.random.default_rng(0),
    )
    assert found.value == 0.1
    assert found.low < 0.1 < found.high


def test_a_statistic_sees_whole_clusters_and_first_every_sample_once():
    clusters = np.array([7, 7, 7, 2, 5, 5])
    seen = []

    def statistic(rows):
        seen.append(np.bincount(rows, minlength=6))
        return float(len(rows))

    bootstrap_statistic(statistic, clusters, resamples=100, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(seen[0], np.ones(6))
    for counts in seen:
        per_cluster = counts[[0, 3, 4]]
        np.testing.assert_array_equal(counts, per_cluster[[0, 0, 0, 1, 2, 2]])
        assert per_cluster.sum() == 3


def test_a_statistic_of_counts_has_the_interval_of_the_same_statistic_of_rows():
    values = np.random.default_rng(0).standard_normal((2, 60))
    clusters = np.repeat(np.arange(20), 3)
    by_counts = bootstrap_weighted(
        lambda counts: np.exp(counts @ values.T / counts.sum(axis=1, keepdims=True)),
        clusters,
        resamples=300,
        rng=np.random.default_rng(1),
    )
    by_rows = bootstrap_statistic(
        lambda rows: np.exp(values[:, rows].mean(axis=1)),
        clusters,
        resamples=300,
        rng=np.random.default_rng(1),
    )
    for end in ("value", "low", "high", "per_seed"):
        assert getattr(by_counts, end) == pytest.approx(getattr(by_rows, end), abs=1e-12)


@pytest.mark.parametrize("wrong", [np.nan, [1.0, np.inf], np.zeros((2, 3))])
def test_a_statistic_that_is_not_one_finite_figure_a_seed_is_refused(wrong):
    with pytest.raises(DataError, match="a statistic is finite, one figure for each seed"):
        bootstrap_statistic(lambda rows: wrong, np.arange(6), rng=np.random.default_rng(0))


def test_the_median_survives_one_wild_sample():
    values = np.arange(101.0)
    values[-1] = 1e12
    estimate = bootstrap_median(values, np.arange(101), rng=np.random.default_rng(0))
    assert estimate.value == 50
    assert 30 < estimate.low < 50 < estimate.high < 70


def test_memory_does_not_grow_with_the_number_of_resamples():
    values, clusters = np.random.default_rng(0).standard_normal(20_000), np.arange(20_000)
    peaks = []
    for resamples in (200, 800):
        tracemalloc.start()
        bootstrap_median(values, clusters, resamples=resamples, rng=np.random.default_rng(0))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0] < 200e6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clusters", "seeds", "seed_sd", "skewed", "statistic"),
    [
        (15, 1, 0.0, False, "mean"),
        (40, 1, 0.0, True, "mean"),
        (40, 3, 0.0, False, "mean"),
        (40, 3, 0.3, False, "mean"),
        (40, 3, 3.0, False, "mean"),
        (40, 3, 0.3, False, "median"),
    ],
)
def test_a_95_percent_interval_covers_the_truth_about_95_percent_of_the_time(
    clusters, seeds, seed_sd, skewed, statistic
):
    rng = np.random.default_rng([clusters, seeds])
    function = {"mean": bootstrap_mean, "median": bootstrap_median}[statistic]
    covered = 0
    trials = 1000
    for _ in range(trials):
        values, index = clustered(rng, clusters, seeds, seed_sd=seed_sd, skewed=skewed)
        estimate = function(values, index, resamples=400, rng=rng)
        covered += estimate.low <= 0 <= estimate.high
    assert 0.91 <= covered / trials <= 0.985


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [1, 3])
def test_a_95_percent_interval_of_a_reduction_covers_it_about_95_percent_of_the_time(seeds):
    rng = np.random.default_rng(seeds)
    covered, trials = 0, 600
    for _ in range(trials):
        index = np.repeat(np.arange(40), rng.integers(1, 5, 40))
        hard = rng.exponential(size=40)[index]
        kept = 0.6 + 0.15 * rng.standard_normal((seeds, 1)) * (seeds > 1)
        second = hard * (1 + 0.3 * rng.standard_normal((seeds, len(index))))
        first = kept * hard * (1 + 0.3 * rng.standard_normal((seeds, len(index))))
        found = bootstrap_reduction(first, second, index, resamples=400, rng=rng)
        covered += found.low <= 0.4 <= found.high
    assert 0.91 <= covered / trials <= 0.985


@laws
@given(st.integers(1, 200), st.data())
def test_wilson_agrees_with_scipy(trials, data):
    successes = data.draw(st.integers(0, trials))
    estimate = wilson_interval(successes, trials, level=0.9)
    expected = reference.binomtest(successes, trials).proportion_ci(0.9, method="wilson")
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert estimate.low <= estimate.value <= estimate.high


def test_wilson_of_a_mean_over_repetitions_lies_between_those_of_whole_numbers():
    below, between, above = (wilson_interval(successes, 10) for successes in (3, 3.5, 4))
    assert below.low < between.low < above.low
    assert below.high < between.high < above.high
    assert between.value == 0.35


@laws
@given(small_values)
def test_midranks_agree_with_scipy(values):
    np.testing.assert_array_equal(midranks(values), reference.rankdata(values))


@laws
@given(small_values, st.sampled_from([("pratt", "pratt"), ("drop", "wilcox")]))
def test_the_signed_rank_test_agrees_with_scipy(values, zeros):
    assume(np.any(values))
    ours, theirs = zeros
    result = wilcoxon_signed_rank(values, zeros=ours)
    expected = reference.wilcoxon(
        values, zero_method=theirs, alternative="greater", method="asymptotic"
    )
    two_sided = reference.wilcoxon(values, zero_method=theirs, method="asymptotic")
    assert result.positive == expected.statistic
    assert result.z == pytest.approx(expected.zstatistic)
    assert result.p_value == pytest.approx(two_sided.pvalue)


def test_differences_that_are_all_zero_say_nothing():
    for zeros in ("pratt", "drop"):
        result = wilcoxon_signed_rank(np.zeros(20), zeros=zeros)
        assert (result.z, result.p_value) == (0.0, 1.0)


def test_a_single_cluster_has_no_interval():
    one, rng = np.zeros(5, dtype=int), np.random.default_rng(0)
    with pytest.raises(DataError, match="one cluster"):
        bootstrap_mean(np.arange(5.0), one, rng=rng)
    with pytest.raises(DataError, match="one cluster"):
        bootstrap_statistic(lambda rows: 1.0, one, rng=rng)


def test_values_that_are_not_finite_are_refused_by_place():
    values = np.zeros((2, 6))
    values[1, 4] = np.nan
    with pytest.raises(DataError, match=r"row 1 .* sample 4"):
        bootstrap_mean(values, np.arange(6), rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("first", "second", "clusters"),
    [
        (np.zeros((2, 6)), np.zeros((3, 6)), np.arange(6)),
        (np.zeros((2, 6)), np.zeros((2, 5)), np.arange(6)),
        (np.zeros((2, 6)), np.zeros((2, 6)), np.arange(5)),
    ],
)
def test_models_that_do_not_pair_are_refused(first, second, clusters):
    with pytest.raises(DataError, match=r"pair|belong together"):
        bootstrap_gain(first, second, clusters, rng=np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"level": 0.0}, {"resamples": 99}])
def test_a_level_or_a_number_of_resamples_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError, match=r"level|resamples"):
        bootstrap_mean(np.arange(6.0), np.arange(6), rng=np.random.default_rng(0), **wrong)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_what_is_no_proportion_is_refused(successes, trials):
    with pytest.raises(DataError, match="not a proportion"):
        wilson_interval(successes, trials)
