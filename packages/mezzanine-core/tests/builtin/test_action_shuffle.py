"""Laws of the symmetry `action_shuffle`."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mezzanine_core.builtin.action_shuffle import ActionShuffle
from mezzanine_core.builtin.configs import ActionShuffleConfig
from mezzanine_core.errors import DataError
from mezzanine_core.testing.symmetries import check_group, check_identity, check_orbit, check_views

laws = settings(deadline=None, max_examples=60)
seeds = st.integers(0, 2**32 - 1)
actions = hnp.arrays(
    np.float32,
    st.tuples(st.integers(2, 5), st.integers(1, 2)),
    elements=st.sampled_from([0.0, 0.5, 1.0]),
)
shuffle = ActionShuffle(ActionShuffleConfig())


@laws
@given(actions, seeds)
def test_shuffles_form_a_group_that_acts(x, seed):
    rng = np.random.default_rng(seed)
    check_identity(shuffle, x)
    check_group(shuffle, x, shuffle.sample(x, rng), shuffle.sample(x, rng))


@laws
@given(actions)
def test_the_orbit_is_what_all_permutations_reach(x):
    every = itertools.permutations(range(len(x)))
    check_orbit(shuffle, x, reachable=[shuffle.act(element, x) for element in every])


@laws
@given(actions, st.integers(1, 40), seeds)
def test_views_are_distinct_with_the_identity_first(x, k, seed):
    check_views(shuffle, x, k, seed)


def test_more_views_than_there_are_derangements_can_be_asked_for():
    x = np.arange(6, dtype=np.float32)[:, None]
    check_views(shuffle, x, 600, seed=0)


@laws
@given(st.integers(2, 200), seeds)
def test_no_sample_keeps_its_own_action_and_no_action_is_lost(n, seed):
    x = np.arange(n, dtype=np.float32)[:, None]
    moved = shuffle.act(shuffle.sample(x, np.random.default_rng(seed)), x)
    assert (moved != x).all()
    np.testing.assert_array_equal(np.sort(moved, axis=0), x)


def test_every_derangement_is_equally_likely():
    x, rng = np.zeros((4, 1), dtype=np.float32), np.random.default_rng(0)
    drawn = np.array([shuffle.sample(x, rng) for _ in range(4500)])
    found, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(found) == 9
    assert (np.abs(counts - 500) < 100).all()


def test_samples_whose_new_action_equals_their_own_are_counted():
    x = np.array([[0], [0], [1], [1], [0]], dtype=np.float32)
    np.testing.assert_array_equal(
        shuffle.unchanged((1, 2, 3, 4, 0), x), [True, False, True, False, True]
    )


def test_large_batches_are_shuffled():
    x = np.random.default_rng(0).standard_normal((20_000, 3)).astype(np.float32)
    element = shuffle.sample(x, np.random.default_rng(1))
    moved = shuffle.act(element, x)
    np.testing.assert_array_equal(shuffle.act(shuffle.inverse(element), moved), x)
    assert not shuffle.unchanged(element, x).any()


def test_actions_move_and_observations_stay():
    x = np.array([[1.0], [2.0]])
    np.testing.assert_array_equal(shuffle.act((1, 0), x, part="action"), x[::-1])
    assert shuffle.act((1, 0), x, part="obs") is x


def test_one_sample_cannot_get_the_action_of_another():
    with pytest.raises(DataError, match="no sample can get the action of another"):
        shuffle.sample(np.zeros((1, 2)), np.random.default_rng(0))


def test_actions_that_are_not_rows_are_refused():
    with pytest.raises(DataError, match=r"\[n, A\]"):
        shuffle.act((0, 1), np.zeros(2))
