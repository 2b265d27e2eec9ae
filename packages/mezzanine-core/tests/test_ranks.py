"""Laws of retrieval ranks, checked against enumerating every order of tied targets."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mezzanine_core.errors import ConfigError, DataError, LatentError
from mezzanine_core.ranks import BLOCK_BYTES, TIE_TOLERANCE, Ranks, retrieval_ranks

laws = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 2**32 - 1)


def latents(seed, rows, dim=8):
    return np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)


def lattice(seed, rows, dim=4):
    """Latents of -1, 0 and 1: cosines are equal or differ by far more than the tie tolerance."""
    return np.random.default_rng(seed).integers(-1, 2, (rows, dim)).astype(np.float32)


def cosines(queries, targets):
    """All cosines in float64, zero vectors giving 0."""
    first, second = queries.astype(np.float64), targets.astype(np.float64)
    lengths = np.outer(np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1))
    return np.divide(first @ second.T, lengths, out=np.zeros(lengths.shape), where=lengths > 0)


def brute_force_counts(queries, targets, truth):
    similarity = cosines(queries, targets)
    true = similarity[np.arange(len(queries)), truth][:, None]
    greater = (similarity > true + TIE_TOLERANCE).sum(axis=1)
    return greater, (similarity >= true - TIE_TOLERANCE).sum(axis=1) - greater


def ranks_under_every_tie_break(similarity, true_column):
    """The rank of one column for each order of the columns, ties resolved by that order."""
    columns = range(len(similarity))
    for order in itertools.permutations(columns):
        key = {column: (-similarity[column], place) for place, column in enumerate(order)}
        yield sorted(columns, key=key.__getitem__).index(true_column) + 1


@laws
@given(seeds, st.integers(1, 30), st.integers(2, 40), st.integers(1, 2000))
def test_counts_equal_a_brute_force_over_all_pairs_at_any_block_size(seed, n, m, block_bytes):
    queries, targets = lattice(seed, n), lattice(seed + 1, m)
    truth = np.random.default_rng(seed).integers(0, m, n)
    ranks = retrieval_ranks(queries, targets, truth, block_bytes=block_bytes)
    greater, tied = brute_force_counts(queries, targets, truth)
    np.testing.assert_array_equal(ranks.greater, greater)
    np.testing.assert_array_equal(ranks.tied, tied)
    assert ranks.targets == m


@laws
@given(hnp.arrays(np.int8, st.integers(2, 6), elements=st.integers(0, 2)), st.data())
def test_figures_are_expectations_over_every_tie_break(levels, data):
    true_column = data.draw(st.integers(0, len(levels) - 1))
    outcomes = np.array(list(ranks_under_every_tie_break(levels, true_column)))
    ranks = Ranks(
        greater=np.array([(levels > levels[true_column]).sum()]),
        tied=np.array([(levels == levels[true_column]).sum()]),
        targets=len(levels),
    )
    assert ranks.expected()[0] == pytest.approx(outcomes.mean())
    assert ranks.reciprocal()[0] == pytest.approx((1 / outcomes).mean())
    for k in range(1, len(levels) + 2):
        assert ranks.recall_at(k)[0] == pytest.approx((outcomes <= k).mean())


@laws
@given(seeds)
def test_the_order_of_the_targets_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    targets, queries, truth = lattice(seed, 30), lattice(seed + 1, 20), rng.integers(0, 30, 20)
    order = rng.permutation(30)
    moved = retrieval_ranks(queries, targets[order], np.argsort(order)[truth])
    np.testing.assert_array_equal(
        moved.expected(), retrieval_ranks(queries, targets, truth).expected()
    )


@laws
@given(seeds, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_the_lengths_of_the_latents_do_not_matter(seed, query_scale, target_scale):
    targets, queries, truth = lattice(seed, 30), lattice(seed + 1, 30), np.arange(30)
    scaled = retrieval_ranks(
        queries * np.float32(query_scale), targets * np.float32(target_scale), truth
    )
    np.testing.assert_array_equal(scaled.greater, retrieval_ranks(queries, targets, truth).greater)


def test_a_perfect_prediction_among_distinct_targets_has_rank_one():
    targets = latents(0, 200)
    ranks = retrieval_ranks(3 * targets, targets, np.arange(200))
    np.testing.assert_array_equal(ranks.expected(), 1)
    np.testing.assert_array_equal(ranks.recall_at(1), 1)
    np.testing.assert_array_equal(ranks.reciprocal(), 1)


def test_identical_targets_are_ranked_by_chance():
    m = 64
    targets = np.repeat(latents(0, 1, dim=768), m, axis=0)
    ranks = retrieval_ranks(latents(1, m, dim=768), targets, np.arange(m))
    np.testing.assert_array_equal(ranks.expected(), (m + 1) / 2)
    np.testing.assert_allclose(ranks.recall_at(10), 10 / m)


def test_identical_latents_tie_wherever_they_stand_in_the_matrix_product():
    rng = np.random.default_rng(0)
    base = np.abs(rng.standard_normal(768)).astype(np.float32)
    queries = np.abs(base + 0.1 * rng.standard_normal((300, 768))).astype(np.float32)
    targets = np.repeat(base[None], 777, axis=0)
    for block_bytes in (BLOCK_BYTES, 400_000, 20_000):
        ranks = retrieval_ranks(queries, targets, np.arange(300) * 2 + 1, block_bytes=block_bytes)
        np.testing.assert_array_equal(ranks.greater, 0)
        np.testing.assert_array_equal(ranks.tied, 777)


def test_an_optimistic_rank_would_flatter_persistence():
    """Eight of ten futures equal the present: guessing the present is then worth 4.5, not 1."""
    still, moving = latents(0, 1), latents(1, 2)
    targets = np.concatenate([np.repeat(still, 8, axis=0), moving])
    ranks = retrieval_ranks(np.repeat(still, 10, axis=0), targets, np.arange(10))
    np.testing.assert_array_equal(ranks.expected()[:8], 4.5)
    np.testing.assert_allclose(ranks.recall_at(1)[:8], 1 / 8)


def test_a_zero_query_ranks_by_chance_and_a_zero_target_has_cosine_zero():
    targets = np.array([[1, 0], [-1, 0], [0, 0]], dtype=np.float32)
    queries = np.array([[0, 0], [1, 0]], dtype=np.float32)
    ranks = retrieval_ranks(queries, targets, np.array([1, 2]))
    np.testing.assert_array_equal(ranks.expected(), [2, 2])
    np.testing.assert_array_equal(ranks.tied, [3, 1])


def test_working_memory_stays_within_the_block_whatever_the_number_of_queries_and_targets():
    targets, queries = latents(0, 3000, dim=16), latents(1, 3000, dim=16)
    block = 2**20
    tracemalloc.start()
    retrieval_ranks(queries, targets, np.arange(3000), block_bytes=block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * block < 3000 * 3000 * 4


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("what", ["query", "target"])
def test_latents_that_are_not_finite_are_refused_by_row(what, value):
    queries, targets = latents(0, 40), latents(1, 40)
    {"query": queries, "target": targets}[what][17, 3] = value
    with pytest.raises(LatentError, match=f"{what} 17 "):
        retrieval_ranks(queries, targets, np.arange(40), block_bytes=500)


def test_a_single_target_is_too_few_to_rank():
    with pytest.raises(DataError, match="too few to rank"):
        retrieval_ranks(latents(0, 1), latents(1, 1), np.array([0]))


@pytest.mark.parametrize("truth", [np.array([0, 1, 5]), np.array([0, -1, 1]), np.array([0, 1])])
def test_a_truth_that_does_not_fit_the_targets_is_refused(truth):
    with pytest.raises(DataError, match="truth"):
        retrieval_ranks(latents(0, 3), latents(1, 5), truth)


def test_latents_of_different_dimension_are_refused():
    with pytest.raises(LatentError, match="shape"):
        retrieval_ranks(latents(0, 3, dim=4), latents(1, 5, dim=5), np.zeros(3, dtype=np.int64))


def test_recall_needs_a_positive_k():
    ranks = retrieval_ranks(latents(0, 3), latents(1, 3), np.arange(3))
    with pytest.raises(ConfigError, match="at least 1"):
        ranks.recall_at(0)
