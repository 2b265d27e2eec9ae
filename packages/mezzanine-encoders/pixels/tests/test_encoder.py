import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.errors import DataError
from mezzanine_encoders_pixels.config import PixelsConfig
from mezzanine_encoders_pixels.encoder import PixelsEncoder


def reference(images, config):
    """The definition, with averages of block means: sizes must divide."""
    count, height, width, _ = images.shape
    cells = config.size
    blocks = images.reshape(count, cells, height // cells, cells, width // cells, 3) / 255.0
    means = blocks.mean(axis=(2, 4))
    if config.grayscale:
        means = means @ np.array([0.299, 0.587, 0.114])
    flat = means.reshape(count, -1) - config.centre / 255.0
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


@pytest.mark.parametrize("grayscale", [False, True])
@pytest.mark.parametrize("centre", [0, 128, 255])
def test_latents_are_centred_normalised_block_means(random_images, grayscale, centre):
    config = PixelsConfig(size=8, dim=None, grayscale=grayscale, centre=centre)
    images = random_images(5, 32, 48)
    np.testing.assert_allclose(
        PixelsEncoder(config).encode(images), reference(images, config), atol=1e-6
    )


@given(
    size=st.integers(1, 8),
    grayscale=st.booleans(),
    centre=st.integers(0, 255),
    projected=st.booleans(),
    height=st.integers(1, 12),
    constant=st.none() | st.integers(0, 255),
)
def test_every_latent_is_finite_and_of_unit_length(
    size, grayscale, centre, projected, height, constant
):
    config = PixelsConfig(
        size=size, grayscale=grayscale, centre=centre, dim=1 if projected else None
    )
    rng = np.random.default_rng(height)
    images = rng.integers(0, 256, (3, height, 9, 3), dtype=np.uint8)
    if constant is not None:
        images[:] = constant
    latents = PixelsEncoder(config).encode(images)
    assert latents.dtype == np.float32
    assert latents.shape == (3, PixelsEncoder(config).dim)
    np.testing.assert_allclose(np.linalg.norm(latents, axis=1), 1.0, atol=1e-6)


def test_image_without_direction_gets_the_uniform_latent():
    encoder = PixelsEncoder(PixelsConfig(size=4, dim=None, centre=77))
    latent = encoder.encode(np.full((1, 8, 8, 3), 77, dtype=np.uint8))
    assert (latent == np.float32(1 / np.sqrt(48))).all()


@pytest.mark.parametrize("config", [{}, {"dim": None}, {"grayscale": True}, {"size": 7, "dim": 20}])
def test_latent_is_bit_identical_whatever_the_batch(random_images, config):
    encoder = PixelsEncoder(PixelsConfig(**config))
    images = random_images(67, 33, 40)
    together = encoder.encode(images)
    alone = np.concatenate([encoder.encode(images[i : i + 1]) for i in range(67)])
    assert (together == alone).all()
    assert (encoder.encode(images[::-1])[::-1] == together).all()


def test_empty_batch_gives_no_latents():
    encoder = PixelsEncoder(PixelsConfig(size=4, dim=8))
    assert encoder.encode(np.zeros((0, 8, 8, 3), dtype=np.uint8)).shape == (0, 8)


def test_projection_keeps_cosines_within_its_stated_spread(random_images):
    images = random_images(30, 32, 32)
    # Blends of random images have every similarity between independent and equal.
    images[1:] = (0.5 * images[1:] + 0.5 * images[:1]).astype(np.uint8)
    plain = PixelsEncoder(PixelsConfig(size=16, dim=None)).encode(images)
    errors = []
    for seed in range(5):
        config = PixelsConfig(size=16, dim=256, projection_seed=seed)
        projected = PixelsEncoder(config).encode(images)
        errors.append((projected @ projected.T - plain @ plain.T)[np.triu_indices(30, 1)])
    assert np.std(errors) < 1 / np.sqrt(256)
    assert abs(np.mean(errors)) < 0.02


def test_latents_are_the_same_in_another_process(random_images):
    script = (
        "import hashlib, sys, numpy as np\n"
        "from mezzanine_encoders_pixels.config import PixelsConfig\n"
        "from mezzanine_encoders_pixels.encoder import PixelsEncoder\n"
        "rng = np.random.default_rng([0, 9, 50, 50])\n"
        "images = rng.integers(0, 256, (9, 50, 50, 3), dtype=np.uint8)\n"
        "latents = PixelsEncoder(PixelsConfig()).encode(images)\n"
        "sys.stdout.write(hashlib.sha256(latents.tobytes()).hexdigest())\n"
    )
    other = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    latents = PixelsEncoder(PixelsConfig()).encode(random_images(9, 50, 50))
    assert hashlib.sha256(latents.tobytes()).hexdigest() == other


def test_latents_of_the_default_settings_do_not_change():
    """Where these figures change, old caches are wrong: raise the code version with them."""
    ramp = np.arange(64 * 64 * 3, dtype=np.int64).reshape(1, 64, 64, 3)
    latents = PixelsEncoder(PixelsConfig()).encode((ramp * 7 % 256).astype(np.uint8))
    assert latents[0, :4].tolist() == pytest.approx(
        [-0.03873, 0.011697, -0.038259, 0.0028], abs=2e-6
    )


@pytest.mark.parametrize(
    "change",
    [{"size": 31}, {"grayscale": True}, {"centre": 0}, {"dim": 255}, {"projection_seed": 1}],
)
def test_fingerprint_covers_every_setting(change):
    assert (
        PixelsEncoder(PixelsConfig(**change)).fingerprint()
        != PixelsEncoder(PixelsConfig()).fingerprint()
    )


def test_fingerprint_does_not_depend_on_what_is_unused():
    def print_of(**settings):
        return PixelsEncoder(PixelsConfig(**settings)).fingerprint()

    assert print_of(name="pixels") == print_of(name="pixels@mezzanine-encoders-pixels")
    assert print_of(dim=None, projection_seed=1) == print_of(dim=None)


@pytest.mark.parametrize(
    ("batch", "culprit"),
    [
        (["a text"], "list"),
        (np.zeros((2, 8, 8, 3), dtype=np.float32), "float32"),
        (np.zeros((8, 8, 3), dtype=np.uint8), r"\[8, 8, 3\]"),
        (np.zeros((2, 8, 8), dtype=np.uint8), r"\[2, 8, 8\]"),
        (np.zeros((2, 8, 8, 1), dtype=np.uint8), r"\[2, 8, 8, 1\]"),
        (np.zeros((2, 8, 8, 4), dtype=np.uint8), r"\[2, 8, 8, 4\]"),
        (np.zeros((2, 0, 8, 3), dtype=np.uint8), r"\[2, 0, 8, 3\]"),
    ],
)
def test_other_input_is_refused_by_name(batch, culprit):
    with pytest.raises(DataError, match=culprit) as caught:
        PixelsEncoder(PixelsConfig()).encode(batch)
    assert "[B, H, W, 3]" in str(caught.value.hint)
