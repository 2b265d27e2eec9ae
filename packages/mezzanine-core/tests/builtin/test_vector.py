import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mezzanine_core.builtin.configs import VectorConfig
from mezzanine_core.builtin.vector import VectorEncoder
from mezzanine_core.errors import DataError

VALUES = st.floats(-1e3, 1e3, width=32)


def vectors(rows: int = 5, size: int = 3):
    return arrays(np.float32, (rows, size), elements=VALUES)


def encoder(**settings) -> VectorEncoder:
    return VectorEncoder(VectorConfig(name="vector", **settings))


@settings(deadline=None)
@given(vectors())
def test_the_vector_can_be_read_back_from_the_direction_of_its_latent(batch) -> None:
    latents = encoder(dim=8, offset=(1.0,), scale=(2.0, 4.0, 8.0)).encode(batch).astype(np.float64)
    directions = latents / np.linalg.norm(latents, axis=1, keepdims=True)
    restored = directions[:, :3] / directions[:, 3:4] * [2.0, 4.0, 8.0] + 1.0
    np.testing.assert_allclose(restored, batch, rtol=1e-5, atol=1e-4)


def test_latents_are_the_scaled_values_a_one_and_zeros() -> None:
    batch = np.array([[1.0, -2.0], [3.0, 4.0]], np.float32)
    latents = encoder(dim=5, offset=(1.0, 0.0), scale=(2.0,)).encode(batch)
    np.testing.assert_array_equal(latents, [[0, -1, 1, 0, 0], [1, 2, 1, 0, 0]])
    assert latents.dtype == np.float32


@settings(deadline=None)
@given(vectors())
def test_a_latent_does_not_depend_on_the_batch_around_it(batch) -> None:
    one = encoder(scale=(3.0,))
    alone = np.concatenate([one.encode(batch[row : row + 1]) for row in range(len(batch))])
    np.testing.assert_array_equal(one.encode(batch), alone)


def test_no_vectors_give_no_latents() -> None:
    assert encoder(dim=7).encode(np.empty((0, 3), np.float32)).shape == (0, 7)


@pytest.mark.parametrize(
    ("settings", "batch", "culprit"),
    [
        ({"dim": 3}, np.zeros((2, 3), np.float32), "Raise dim of the encoder to 4"),
        ({}, np.zeros((2, 3, 1), np.float32), "float32 \\[B, D\\]"),
        ({}, np.zeros((2, 3), np.uint8), "uint8"),
        ({}, ["a", "b"], "list"),
        ({"scale": (1.0, 2.0)}, np.zeros((2, 3), np.float32), "scale has 2 values"),
        ({"offset": (1.0, 2.0)}, np.zeros((2, 3), np.float32), "offset has 2 values"),
        ({}, np.array([[0.0, np.nan]], np.float32), "not finite"),
        ({"scale": (1e-30,)}, np.array([[1e10]], np.float32), "too large when scaled"),
    ],
)
def test_what_cannot_be_encoded_is_refused(settings, batch, culprit) -> None:
    with pytest.raises(DataError, match=culprit):
        encoder(**settings).encode(batch)


@pytest.mark.parametrize("change", [{"dim": 65}, {"offset": (1.0,)}, {"scale": (2.0,)}], ids=str)
def test_the_fingerprint_covers_every_setting(change) -> None:
    assert encoder(**change).fingerprint() != encoder().fingerprint()


def test_a_scale_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        VectorConfig(scale=(0.0,))
