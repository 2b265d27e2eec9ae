import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_recipes_dynamics.samples import Samples, hold_out


def numbered(episodes):
    row = np.arange(len(episodes), dtype=np.float32)[:, None]
    return Samples(row, row + 0.25, row + 0.5, np.array(episodes, dtype=np.int64), row + 0.75)


@given(
    episodes=st.lists(st.integers(0, 6), min_size=1, max_size=40),
    share=st.floats(0, 0.99),
    seed=st.integers(0, 5),
)
def test_held_out_episodes_are_whole_and_nothing_is_lost(episodes, share, seed):
    samples = numbered(episodes)
    fit, held_out = hold_out(samples, share, np.random.default_rng(seed))
    held = np.array([], dtype=np.int64) if held_out is None else held_out.episode
    assert len(fit) > 0
    assert not set(fit.episode) & set(held)
    assert sorted([*fit.episode, *held]) == sorted(episodes)
    assert held_out is None or len(held_out) > 0


@pytest.mark.parametrize("seed", range(20))
def test_episode_larger_than_the_share_is_never_held_out(seed):
    # All samples of a game in which nothing is done are one episode: 40% of these.
    samples = numbered([0] * 400 + list(range(1, 601)))
    fit, held_out = hold_out(samples, 0.1, np.random.default_rng(seed))
    assert (fit.episode == 0).sum() == 400
    assert len(held_out) == 100


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=30),
    share=st.floats(0, 0.99),
    seed=st.integers(0, 5),
)
def test_share_counts_samples_and_is_filled(sizes, share, seed):
    samples = numbered(np.repeat(np.arange(len(sizes)), sizes))
    fit, held_out = hold_out(samples, share, np.random.default_rng(seed))
    held = 0 if held_out is None else len(held_out)
    room = min(round(share * len(samples)), len(samples) - 1) - held
    assert room >= 0
    assert all(sizes[episode] > room for episode in np.unique(fit.episode))


def test_every_episode_that_fits_is_held_out_for_some_seed():
    samples = numbered(np.arange(10))
    drawn = (hold_out(samples, 0.2, np.random.default_rng(seed))[1] for seed in range(60))
    assert {int(episode) for held_out in drawn for episode in held_out.episode} == set(range(10))


@pytest.mark.parametrize("episodes", [[1, 1, 1], [1, 2]])
def test_nothing_is_held_out_where_the_share_rounds_to_none(episodes):
    samples = numbered(episodes)
    fit, held_out = hold_out(samples, 0.1, np.random.default_rng(0))
    assert held_out is None
    assert fit is samples


def test_parts_of_a_sample_stay_together():
    fit, held_out = hold_out(numbered(range(20)), 0.5, np.random.default_rng(0))
    for part in (fit, held_out):
        assert (part.actions == part.latents + 0.25).all()
        assert (part.next_latents == part.latents + 0.5).all()
        assert (part.state == part.latents + 0.75).all()
        assert (part.episode == part.latents[:, 0]).all()
