from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.errors import DataError
from mezzanine_worlds_hf.images import ImageColumn, image_keys

RNG_SEED = 5


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """An image as the bytes of a file."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _pixels(height: int, width: int, seed: int = RNG_SEED) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def _column(*encoded: bytes) -> ImageColumn:
    return ImageColumn(lambda row: encoded[row], image_keys(encoded))


def test_images_come_as_they_were_encoded(fetched) -> None:
    images = [_pixels(4 + row % 3, 6, row) for row in range(150)]
    column = _column(*(encode(Image.fromarray(image)) for image in images))
    for found, image in zip(fetched(column), images, strict=True):
        np.testing.assert_array_equal(found, image)


def test_images_of_a_batch_are_of_one_size(serial) -> None:
    sizes = [(4, 6), (6, 4), (4, 6), (5, 5)]
    column = _column(*(encode(Image.fromarray(_pixels(*size))) for size in sizes))
    for rows, batch in column.fetch(np.arange(4), serial):
        assert batch.dtype == np.uint8
        assert {sizes[row] for row in rows} == {batch.shape[1:3]}
        assert batch.shape == (len(rows), *sizes[rows[0]], 3)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_other_modes_are_turned_into_rgb_as_pillow_does(mode: str, fetched) -> None:
    image = Image.fromarray(_pixels(5, 7)).convert(mode)
    kind = "JPEG" if mode == "CMYK" else "PNG"
    encoded = encode(image, kind)
    (found,) = fetched(_column(encoded))
    np.testing.assert_array_equal(found, np.asarray(Image.open(BytesIO(encoded)).convert("RGB")))


def test_images_are_turned_upright_as_datasets_does(fetched) -> None:
    import datasets

    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    encoded = encode(Image.fromarray(_pixels(4, 8)), exif=exif)
    (found,) = fetched(_column(encoded))
    expected = datasets.Image().decode_example({"bytes": encoded, "path": None})
    np.testing.assert_array_equal(found, np.asarray(expected))
    assert found.shape == (8, 4, 3)


@pytest.mark.parametrize("damage", [lambda _: b"no image", lambda encoded: encoded[:-30]])
def test_an_image_that_cannot_be_decoded_is_named(damage, fetched) -> None:
    good = encode(Image.fromarray(_pixels(9, 9)))
    with pytest.raises(DataError, match="image 1 cannot be decoded"):
        fetched(_column(good, damage(good)))


def test_deep_images_are_refused(fetched) -> None:
    deep = encode(Image.fromarray(np.zeros((3, 3), np.uint16)))
    with pytest.raises(DataError, match="more than eight bits a channel"):
        fetched(_column(deep))


def test_equal_files_have_equal_keys_and_others_others() -> None:
    a, b = (encode(Image.fromarray(_pixels(3, 3, seed))) for seed in (0, 1))
    keys = [key.tobytes() for key in image_keys([a, b, a])]
    assert keys[0] == keys[2] != keys[1]


@pytest.mark.slow
def test_workers_decode_the_same_images() -> None:
    encoded = [encode(Image.fromarray(_pixels(3, 3, seed))) for seed in range(1100)]
    column = _column(*encoded)
    found = {}
    for workers in (1, 2):
        with LocalExecutor(LocalConfig(workers=workers)) as executor:
            parts = list(column.fetch(np.arange(1100), executor))
        rows = np.concatenate([rows for rows, _ in parts])
        found[workers] = np.concatenate([batch for _, batch in parts])[np.argsort(rows)]
    np.testing.assert_array_equal(found[1], found[2])
