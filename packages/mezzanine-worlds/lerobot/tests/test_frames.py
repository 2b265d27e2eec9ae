"""Frames are averaged down, and keep their shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_worlds_lerobot.frames import shrink_frame


@given(st.integers(8, 20), st.integers(8, 20), st.integers(2, 5), st.integers(0, 9))
def test_a_whole_factor_gives_the_mean_of_each_block(height, width, factor, seed):
    shape = (height * factor, width * factor, 3)
    frame = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    blocks = frame.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))
    small = shrink_frame(frame, max(height, width))
    assert small.shape == (height, width, 3)
    # The box filter rounds after each of its two passes.
    assert np.abs(small - blocks).max() <= 1.01


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [((96, 96), 32, (32, 32)), ((480, 640), 128, (96, 128)), ((640, 480), 128, (128, 96))],
)
def test_the_longer_side_gets_the_size(shape, size, expected):
    assert shrink_frame(np.zeros((*shape, 3), np.uint8), size).shape[:2] == expected


@pytest.mark.parametrize("size", [None, 40, 41])
def test_what_is_no_larger_stays_as_it_is(size):
    frame = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    assert shrink_frame(frame, size) is frame
