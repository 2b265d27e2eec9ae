"""Deterministic computation: set up for a block, and set back afterwards."""

import os

import pytest
import torch

from mezzanine_recipes_distill.determinism import determinism


@pytest.fixture
def settings():
    """What torch is set to; set back after the test."""

    def read():
        return (
            torch.are_deterministic_algorithms_enabled(),
            torch.get_num_threads(),
            torch.backends.cudnn.benchmark,
            torch.get_rng_state().tolist(),
        )

    before = torch.get_num_threads()
    yield read
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)


def test_the_block_computes_deterministically_on_one_thread(settings):
    torch.set_num_threads(2)
    with determinism(True):
        assert settings()[:3] == (True, 1, False)
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"]


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_everything_is_set_back_however_the_block_ends(settings, wanted, fails):
    torch.set_num_threads(2)
    torch.manual_seed(7)
    before = settings()
    try:
        with determinism(wanted):
            if wanted:
                torch.rand(3)
            if fails:
                raise RuntimeError
    except RuntimeError:
        assert fails
    assert settings() == before


def test_code_that_draws_from_torchs_own_generator_draws_the_same_each_time():
    drawn = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        with determinism(True):
            drawn.append(torch.rand(5).tolist())
    assert drawn[0] == drawn[1]


def test_without_it_the_block_runs_as_it_is(settings):
    torch.set_num_threads(2)
    with determinism(False):
        assert settings()[:2] == (False, 2)
