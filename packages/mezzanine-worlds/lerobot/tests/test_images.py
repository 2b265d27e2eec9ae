"""Images are those that were recorded, and damaged ones are named."""

from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mezzanine_core.errors import DataError
from mezzanine_worlds_lerobot.images import ImageTask

IMAGES = np.random.default_rng(0).integers(0, 256, (100, 8, 9, 3), dtype=np.uint8)


def encoded(image, form="PNG"):
    stream = BytesIO()
    Image.fromarray(image).save(stream, format=form)
    return stream.getvalue()


def written(path, cells, group=13):
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    rows = [cell if cell is None else {"path": None, **cell} for cell in cells]
    table = pa.table({"observation.image": pa.array(rows, kind), "other": range(len(cells))})
    pq.write_table(table, path, row_group_size=group)
    return path


def decoded(path, rows, size=None):
    return np.concatenate(list(ImageTask(path, "observation.image", rows, size).frames()))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    cells = [{"bytes": encoded(image)} for image in IMAGES]
    return written(tmp_path_factory.mktemp("images") / "file.parquet", cells)


@settings(deadline=None, max_examples=40)
@given(rows=st.sets(st.integers(0, 99), min_size=1))
def test_any_rows_give_the_images_in_them(file, rows):
    np.testing.assert_array_equal(decoded(file, sorted(rows)), IMAGES[sorted(rows)])


def test_images_that_lerobot_wrote_are_the_frames_of_the_simulator(pusht):
    first = min((pusht.root / "data").glob("*/*.parquet"))
    frames = decoded(first, list(range(14)))
    np.testing.assert_array_equal(frames, pusht.frames[0])


def test_images_equal_those_that_lerobot_gives(pusht, reference):
    items = reference(pusht.root, [0, 13, 14])
    for item, expected in zip(
        items, (pusht.frames[0][0], pusht.frames[0][13], pusht.frames[1][0]), strict=True
    ):
        np.testing.assert_array_equal(item["observation.image"], expected)


def test_grey_images_become_rgb(tmp_path):
    grey = IMAGES[0, :, :, 0]
    path = written(tmp_path / "grey.parquet", [{"bytes": encoded(grey)}])
    np.testing.assert_array_equal(decoded(path, [0])[0], np.repeat(grey[:, :, None], 3, axis=2))


def test_images_are_shrunk_where_that_is_asked_for(file):
    assert decoded(file, [3, 40], size=8).shape == (2, 7, 8, 3)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"bytes": encoded(IMAGES[0])[:-40]}, "image 1 of .* cannot be decoded"),
        ({"bytes": b"no image"}, "image 1 of .* cannot be decoded"),
        ({"bytes": None, "path": "images/1.png"}, "row 1 of .* holds no image"),
        (None, "row 1 of .* holds no image"),
        ({"bytes": encoded(IMAGES[0, :5])}, r"image 1 of .* of shape \(5, 9, 3\), others"),
    ],
)
def test_an_image_that_cannot_be_used_is_named(tmp_path, cell, message):
    path = written(tmp_path / "bad.parquet", [{"bytes": encoded(IMAGES[0])}, cell])
    with pytest.raises(DataError, match=message):
        decoded(path, [0, 1])


def test_a_truncated_file_is_named(tmp_path, file):
    path = tmp_path / "cut.parquet"
    path.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(DataError, match=r"cut\.parquet cannot be read as parquet"):
        decoded(path, [0])


def test_a_column_that_is_not_there_is_refused(file):
    with pytest.raises(DataError, match="cannot be read"):
        list(ImageTask(file, "observation.wrist", [0], None).frames())
