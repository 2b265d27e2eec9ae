"""Laws of the collapse diagnosis, against the n × n matrix of cosines and a full decomposition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.collapse import latent_spread
from mezzanine_core.errors import LatentError

laws = settings(deadline=None, max_examples=40)
shapes = st.tuples(st.integers(2, 30), st.integers(1, 20))


def latents(seed, shape):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) + rng.standard_normal(shape[1])).astype(np.float32)


def mean_cosine_of_all_pairs(sample):
    unit = sample / np.linalg.norm(sample, axis=1, keepdims=True)
    cosines = unit @ unit.T
    return cosines[~np.eye(len(sample), dtype=bool)].mean()


def effective_rank_by_decomposition(sample):
    singular = np.linalg.svd(sample - sample.mean(axis=0), compute_uv=False)
    share = singular[singular > singular.max() * 1e-9]
    share = share / share.sum()
    return np.exp(-(share * np.log(share)).sum())


@laws
@given(st.integers(0, 2**32 - 1), shapes)
def test_figures_equal_those_of_all_pairs_and_a_full_decomposition(seed, shape):
    sample = latents(seed, shape).astype(np.float64)
    spread = latent_spread(sample)
    assert (spread.count, spread.dim) == shape
    assert spread.mean_cosine == pytest.approx(mean_cosine_of_all_pairs(sample), abs=1e-12)
    assert spread.effective_rank == pytest.approx(effective_rank_by_decomposition(sample))
    distance = np.linalg.norm(sample - sample.mean(axis=0)) / np.linalg.norm(sample)
    assert spread.relative_spread == pytest.approx(distance)


@laws
@given(st.integers(0, 2**32 - 1), shapes, st.floats(1e-3, 1e3))
def test_the_scale_of_latents_does_not_matter(seed, shape, scale):
    sample = latents(seed, shape).astype(np.float64)
    plain, scaled = latent_spread(sample), latent_spread(scale * sample)
    assert scaled.mean_cosine == pytest.approx(plain.mean_cosine, abs=1e-12)
    assert scaled.effective_rank == pytest.approx(plain.effective_rank)


@pytest.mark.parametrize("rows", [20, 10_000])
def test_k_orthogonal_directions_of_equal_spread_have_effective_rank_k(rows):
    sample = np.zeros((rows, 64), dtype=np.float32)
    sample[np.arange(rows), np.arange(rows) % 10 // 2] = np.where(np.arange(rows) % 2, 1, -1)
    assert latent_spread(sample).effective_rank == pytest.approx(5, rel=1e-6)


@pytest.mark.parametrize("shape", [(50, 768), (1000, 32)])
def test_constant_latents_are_collapsed(shape):
    constant = np.repeat(latents(0, (1, shape[1])), shape[0], axis=0)
    spread = latent_spread(constant)
    assert spread.is_constant
    assert spread.is_collapsed
    assert spread.effective_rank == 0
    assert spread.mean_cosine == pytest.approx(1)


def test_latents_on_a_line_and_latents_in_one_direction_are_collapsed():
    rng = np.random.default_rng(0)
    line = rng.standard_normal((200, 1)) * rng.standard_normal((1, 32))
    cone = 1 + 1e-3 * rng.standard_normal((200, 32))
    assert latent_spread(line).effective_rank == pytest.approx(1)
    assert latent_spread(cone).effective_rank > 20
    for sample in (line, cone):
        spread = latent_spread(sample.astype(np.float32))
        assert spread.is_collapsed
        assert not spread.is_constant


def test_ordinary_latents_are_not_collapsed():
    assert not latent_spread(latents(0, (200, 32))).is_collapsed


def test_zero_latents_are_constant_and_have_cosine_zero():
    spread = latent_spread(np.zeros((5, 3), dtype=np.float32))
    assert spread.is_constant
    assert spread.mean_cosine == 0


def test_latents_that_are_not_finite_are_refused_by_row():
    sample = latents(0, (5000, 4))
    sample[4500, 1] = np.nan
    with pytest.raises(LatentError, match="latent 4500 "):
        latent_spread(sample)


@pytest.mark.parametrize("shape", [(1, 4), (4,), (4, 0)])
def test_fewer_than_two_latents_have_no_spread(shape):
    with pytest.raises(LatentError, match="no spread"):
        latent_spread(np.zeros(shape, dtype=np.float32))
