"""What counts as an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mezzanine_core.errors import DataError
from mezzanine_encoders_hf.images import rgb


def random(*shape: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_colour_images_are_taken_as_they_are() -> None:
    images = random(3, 5, 7, 3)
    assert np.shares_memory(rgb(images), images)
    assert (rgb(images) == images).all()


@pytest.mark.parametrize("shape", [(3, 5, 7), (3, 5, 7, 1)])
def test_a_grey_image_has_the_same_value_in_each_colour(shape: tuple[int, ...]) -> None:
    images = random(*shape)
    colour = rgb(images)
    assert colour.shape == (3, 5, 7, 3)
    assert all((colour[..., c] == images.reshape(3, 5, 7)).all() for c in range(3))


def test_an_opaque_alpha_channel_is_left_out() -> None:
    images = random(3, 5, 7, 4)
    images[..., 3] = 255
    assert (rgb(images) == images[..., :3]).all()


def test_a_transparent_image_is_refused_and_named() -> None:
    images = random(3, 5, 7, 4)
    images[..., 3] = 255
    images[1, 4, 6, 3] = 254
    with pytest.raises(DataError, match=r"1 of 3 RGBA .* item 1") as caught:
        rgb(images)
    assert "composite" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("dtype", "advice"),
    [
        ("uint16", "by 257"),
        ("float32", "multiply by 255 where white is 1"),
        ("float16", "multiply by 255 where white is 1"),
        ("bool", "Multiply masks by 255"),
        ("int64", "Scale pixels to 0-255"),
    ],
)
def test_other_dtypes_are_refused_with_their_name_and_how_to_convert_them(
    dtype: str, advice: str
) -> None:
    with pytest.raises(DataError, match=rf"dtype {dtype} \(shape \[2, 4, 4, 3\]\)") as caught:
        rgb(np.zeros((2, 4, 4, 3), dtype))
    assert advice in (caught.value.hint or "")


@pytest.mark.parametrize(
    "shape",
    [(4, 4), (2, 4, 4, 2), (2, 4, 4, 5), (2, 0, 4, 3), (2, 4, 0, 3), (2, 0, 4), (1, 2, 4, 4, 3)],
)
def test_other_shapes_are_refused_with_what_they_are(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError) as caught:
        rgb(np.zeros(shape, np.uint8))
    assert str(list(shape)) in caught.value.message


def test_channels_that_come_first_are_refused_with_the_transposition() -> None:
    with pytest.raises(DataError) as caught:
        rgb(np.zeros((2, 3, 32, 32), np.uint8))
    assert "(0, 2, 3, 1)" in (caught.value.hint or "")


@pytest.mark.parametrize("batch", [["a text"], [np.zeros((4, 4, 3), np.uint8)]])
def test_what_is_no_array_is_refused(batch: Any) -> None:
    with pytest.raises(DataError, match="type list"):
        rgb(batch)


@pytest.mark.parametrize("shape", [(0, 5, 7, 3), (0, 5, 7), (0, 5, 7, 4)])
def test_an_empty_batch_stays_empty(shape: tuple[int, ...]) -> None:
    assert rgb(np.zeros(shape, np.uint8)).shape == (0, 5, 7, 3)
