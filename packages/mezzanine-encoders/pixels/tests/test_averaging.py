from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mezzanine_encoders_pixels.averaging import area_sums


def brute_force_average(image, cells):
    """Averages over the exact overlap of pixels and cells, in rational numbers."""
    height, width, channels = image.shape

    def overlap(pixel, cell, length):
        low = max(Fraction(pixel), Fraction(cell * length, cells))
        high = min(Fraction(pixel + 1), Fraction((cell + 1) * length, cells))
        return max(high - low, Fraction(0)) * Fraction(cells, length)

    average = [[[Fraction(0)] * channels for _ in range(cells)] for _ in range(cells)]
    for row in range(cells):
        for column in range(cells):
            for y in range(height):
                for x in range(width):
                    weight = overlap(y, row, height) * overlap(x, column, width)
                    for channel in range(channels):
                        average[row][column][channel] += weight * int(image[y, x, channel])
    return average


@given(
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    cells=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_sums_are_exactly_the_area_averages(height, width, cells, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    sums = area_sums(image[None], cells)[0]
    expected = brute_force_average(image, cells)
    assert sums.tolist() == [
        [[value * height * width for value in cell] for cell in row] for row in expected
    ]


@pytest.mark.parametrize(("height", "width", "cells"), [(128, 128, 32), (60, 80, 20), (33, 55, 11)])
def test_averages_of_whole_blocks_agree_with_pillow(random_images, height, width, cells):
    image = random_images(1, height, width)[0]
    ours = area_sums(image[None], cells)[0] / (height * width)
    for channel in range(3):
        plane = Image.fromarray(image[..., channel].astype(np.float32))
        theirs = np.asarray(plane.resize((cells, cells), Image.Resampling.BOX))
        np.testing.assert_allclose(ours[..., channel], theirs, atol=1e-3)


@given(value=st.integers(0, 255), height=st.integers(1, 20), cells=st.integers(1, 9))
def test_constant_image_keeps_its_value_in_every_cell(value, height, cells):
    image = np.full((1, height, 13, 3), value, dtype=np.uint8)
    assert (area_sums(image, cells) == value * height * 13).all()


def test_large_batches_are_the_same_as_single_images(random_images):
    images = random_images(40, 200, 200)
    together = area_sums(images, 16)
    assert all((area_sums(images[i : i + 1], 16)[0] == together[i]).all() for i in range(40))


def test_input_layout_in_memory_does_not_matter(random_images):
    images = random_images(3, 20, 24)
    reversed_twice = images[:, ::-1].copy()[:, ::-1]
    assert not reversed_twice.flags.c_contiguous
    assert (area_sums(reversed_twice, 7) == area_sums(images, 7)).all()
