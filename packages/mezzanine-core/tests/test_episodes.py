"""Episodes are dealt whole, and pairs are drawn inside them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mezzanine_core.episodes import draw_pairs, pairs_available, split_episodes
from mezzanine_core.errors import DataError

laws = settings(deadline=None, max_examples=200)
seeds = st.integers(0, 2**32 - 1)
deltas = st.integers(1, 6)
episode_lengths = st.lists(st.integers(0, 15), min_size=2, max_size=9).map(np.array)


def generator(seed):
    return np.random.default_rng(seed)


def splittable(lengths, delta, n_train, n_test):
    """Whether any subset of the episodes makes a test side, by trying all."""
    pairs = np.maximum(np.asarray(lengths) - delta, 0)
    sums = [sum(c) for size in range(len(pairs) + 1) for c in itertools.combinations(pairs, size)]
    return any(n_test <= reached <= pairs.sum() - n_train for reached in sums)


@pytest.fixture
def rng():
    return generator(0)


@laws
@given(episode_lengths, deltas)
def test_available_pairs_are_those_that_counting_finds(lengths, delta):
    counted = [sum(t + delta < frames for t in range(frames)) for frames in lengths]
    np.testing.assert_array_equal(pairs_available(lengths, delta), counted)


@laws
@given(episode_lengths, deltas, st.integers(1, 30), st.integers(1, 30), seeds)
def test_a_split_deals_disjoint_episodes_with_enough_pairs_wherever_one_exists(
    lengths, delta, n_train, n_test, seed
):
    if not splittable(lengths, delta, n_train, n_test):
        with pytest.raises(DataError):
            split_episodes(lengths, delta, n_train, n_test, generator(seed))
        return
    train, test = split_episodes(lengths, delta, n_train, n_test, generator(seed))
    available = pairs_available(lengths, delta)
    assert available[train].sum() >= n_train
    assert available[test].sum() >= n_test
    assert sorted([*train, *test]) == np.flatnonzero(available).tolist()


@laws
@given(st.lists(st.integers(20, 40), min_size=20, max_size=30), st.floats(0.1, 0.9), seeds)
def test_sides_have_pairs_in_proportion_to_what_is_asked(lengths, share, seed):
    asked = sum(lengths) / 4
    n_train, n_test = max(1, round(asked * (1 - share))), max(1, round(asked * share))
    _, test = split_episodes(np.array(lengths), 1, n_train, n_test, generator(seed))
    available = pairs_available(np.array(lengths), 1)
    wanted = available.sum() * n_test / (n_train + n_test)
    assert abs(available[test].sum() - wanted) <= available.max()


@laws
@given(st.lists(st.integers(5, 9), min_size=3, max_size=9).map(np.array), seeds)
def test_the_test_side_has_two_episodes_where_it_can(lengths, seed):
    _, test = split_episodes(lengths, 2, 1, 1, generator(seed))
    assert len(test) >= 2


@laws
@given(episode_lengths, deltas, st.data(), seeds)
def test_drawn_pairs_are_exactly_as_many_distinct_and_inside_their_episode(
    lengths, delta, data, seed
):
    episodes = data.draw(
        st.lists(st.integers(0, len(lengths) - 1), min_size=1, unique=True).map(np.array)
    )
    total = int(pairs_available(lengths, delta)[episodes].sum())
    n = data.draw(st.integers(0, total))
    pairs = draw_pairs(lengths, episodes, delta, n, generator(seed))
    rows = list(zip(pairs.episode.tolist(), pairs.start.tolist(), strict=True))
    assert len(pairs) == n == len(set(rows))
    assert rows == sorted(rows)
    assert set(pairs.episode.tolist()) <= set(episodes.tolist())
    assert (pairs.start >= 0).all()
    assert (pairs.start + delta < lengths[pairs.episode]).all()


@laws
@given(episode_lengths, deltas, seeds)
def test_drawing_all_pairs_gives_each_once(lengths, delta, seed):
    total = int(pairs_available(lengths, delta).sum())
    pairs = draw_pairs(lengths, np.arange(len(lengths)), delta, total, generator(seed))
    every = [(e, t) for e, frames in enumerate(lengths) for t in range(max(0, frames - delta))]
    assert list(zip(pairs.episode.tolist(), pairs.start.tolist(), strict=True)) == every


@laws
@given(episode_lengths, deltas, seeds)
def test_equal_generators_give_equal_splits_and_pairs(lengths, delta, seed):
    assume(splittable(lengths, delta, 1, 1))
    outcomes = []
    for rng in (generator(seed), generator(seed)):
        train, test = split_episodes(lengths, delta, 1, 1, rng)
        pairs = draw_pairs(lengths, train, delta, 1, rng)
        outcomes.append([*train, -1, *test, -1, *pairs.episode, *pairs.start])
    assert outcomes[0] == outcomes[1]


def test_pairs_are_uniform_over_all_pairs_not_over_episodes(rng):
    lengths = np.array([11, 31])
    episodes = [
        draw_pairs(lengths, np.array([0, 1]), 1, 1, rng).episode.item() for _ in range(4000)
    ]
    assert np.mean(episodes) == pytest.approx(0.75, abs=5 * np.sqrt(0.75 * 0.25 / 4000))


def test_a_delta_longer_than_every_episode_is_refused_naming_the_longest(rng):
    with pytest.raises(DataError, match="longest of 3 episodes has 9 frames") as refusal:
        split_episodes(np.array([9, 5, 7]), 9, 1, 1, rng)
    assert "at most 8" in refusal.value.hint


def test_one_usable_episode_cannot_be_split(rng):
    with pytest.raises(DataError, match=r"only one episode \(of 2\) has two frames 5 steps"):
        split_episodes(np.array([5, 20]), 5, 1, 1, rng)


def test_more_pairs_than_there_are_in_all_are_refused_with_the_number(rng):
    with pytest.raises(DataError, match="20 in all, but 2 episodes have 18 pairs"):
        split_episodes(np.array([10, 10]), 1, 15, 5, rng)


def test_pairs_that_whole_episodes_cannot_provide_are_refused_with_what_they_can(rng):
    with pytest.raises(DataError, match="leave at most 10 for training"):
        split_episodes(np.array([11, 11]), 1, 12, 4, rng)


def test_more_pairs_than_the_chosen_episodes_have_are_refused_with_the_number(rng):
    with pytest.raises(DataError, match="1 episodes have 4 pairs"):
        draw_pairs(np.array([5, 50]), np.array([0]), 1, 5, rng)
