from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mezzanine_core.errors import LatentError
from mezzanine_recipes_distill.heads import Head, feature_scale, logits_of


def random_head(hidden=0, dim=5, classes=3):
    generator = torch.Generator().manual_seed(0)
    head = Head(dim, classes, hidden)
    head.standardise(torch.randn(40, dim, generator=generator) * 3 + 2)
    head.initialise(generator)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator))
    return head


@pytest.mark.parametrize("hidden", [0, 7])
def test_head_is_what_torch_s_own_layers_compute(hidden):
    head = random_head(hidden)
    widths = [5, *([7] if hidden else []), 3]
    layers = []
    for layer, (narrow, wide) in enumerate(pairwise(widths)):
        linear = torch.nn.Linear(narrow, wide)
        linear.load_state_dict({"weight": head.weights[layer], "bias": head.biases[layer]})
        layers += [torch.nn.GELU(), linear] if layer else [linear]
    latents = torch.randn(9, 5)
    expected = torch.nn.Sequential(*layers)((latents - head.centre) / head.scale)
    torch.testing.assert_close(head(latents), expected)


@pytest.mark.parametrize("hidden", [0, 7])
def test_new_head_says_the_same_of_everything(hidden):
    head = Head(5, 3, hidden)
    head.initialise(torch.Generator().manual_seed(1))
    assert not logits_of(head, np.ones((2, 5), np.float32)).any()


def test_constructing_a_head_draws_nothing_from_the_global_generator():
    before = torch.get_rng_state()
    Head(5, 3, 7).initialise(torch.Generator())
    assert torch.equal(torch.get_rng_state(), before)


def test_standardised_training_latents_have_mean_zero_and_spread_one():
    latents = np.random.default_rng(0).normal(3, [1, 5, 20], (500, 3)).astype(np.float32)
    head = Head(3, 2)
    head.standardise(latents)
    features = head.features(torch.from_numpy(latents))
    torch.testing.assert_close(features.mean(dim=0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(features.std(dim=0, correction=0), torch.ones(3))


@given(hnp.arrays(np.float32, (6, 4), elements=st.floats(-1e4, 1e4, width=32)))
def test_features_are_finite_and_bounded_whatever_hardly_varies(values):
    values[:, 0] = 7
    rows = torch.from_numpy(values)
    scale = feature_scale(rows)
    assert (scale > 0).all()
    assert scale[0] == 1
    # Rounding of the mean, of a feature that hardly varies, is not blown up.
    largest = rows.std(dim=0, correction=0).max()
    assert ((scale == 1) | (scale >= 0.99e-3 * largest)).all()


def test_logits_do_not_depend_on_how_many_are_asked_for():
    head, latents = random_head(4), np.random.default_rng(0).normal(size=(5000, 5))
    latents = latents.astype(np.float32)
    logits = logits_of(head, latents)
    assert logits.shape == (5000, 3)
    assert logits.dtype == np.float64
    np.testing.assert_allclose(logits_of(head, latents[4990:]), logits[4990:], rtol=1e-4, atol=1e-5)


def test_no_latents_have_no_logits():
    assert logits_of(random_head(), np.empty((0, 5), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("shape", [(4, 6), (5,), (2, 2, 5)])
def test_latents_of_another_length_are_refused(shape):
    with pytest.raises(LatentError, match=r"takes \[n, 5\]"):
        logits_of(random_head(), np.zeros(shape, np.float32))
