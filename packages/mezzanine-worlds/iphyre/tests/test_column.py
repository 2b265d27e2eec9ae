import numpy as np
import pytest

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_worlds_iphyre import column as module
from mezzanine_worlds_iphyre.column import FrameColumn
from mezzanine_worlds_iphyre.samples import Click, Frame
from mezzanine_worlds_iphyre.simulate import RenderTask, render

FRAMES = [
    Frame("seesaw", (), 30),
    Frame("hole", (Click(4, 2),), 33),
    Frame("hole", (), 3),
    Frame("seesaw", (), 2),
    Frame("hole", (Click(4, 2),), 12),
    Frame("hole", (), 3),
]


def test_fetched_rows_are_the_frames_that_they_stand_for(fetched) -> None:
    images = fetched(FrameColumn(FRAMES, 32, "source"))
    assert images.dtype == np.uint8
    assert images.shape == (6, 32, 32, 3)
    for frame, image in zip(FRAMES, images, strict=True):
        np.testing.assert_array_equal(image, render(RenderTask((frame,), 32))[0])


def test_each_requested_row_comes_once_in_small_batches(serial) -> None:
    frames = [Frame("hole", (), step) for step in range(300)]
    column = FrameColumn(frames, 16, "source")
    wanted = np.arange(299, -1, -1)[:290]
    batches = list(column.fetch(wanted, serial))
    assert sorted(np.concatenate([rows for rows, _ in batches])) == sorted(wanted)
    for rows, images in batches:
        assert rows.dtype == np.int64
        assert len(rows) == len(images) <= 256


def test_no_rows_give_no_batches(serial) -> None:
    column = FrameColumn(FRAMES, 16, "source")
    assert list(column.fetch(np.empty(0, np.int64), serial)) == []


def test_images_do_not_depend_on_the_number_of_workers(monkeypatch, fetched) -> None:
    monkeypatch.setattr(module, "_PARALLEL_FRAMES", 1)
    monkeypatch.setattr(module, "_TASK_FRAMES", 2)
    column = FrameColumn(FRAMES, 32, "source")
    with LocalExecutor(LocalConfig(workers=2)) as executor:
        batches = list(column.fetch(np.arange(len(FRAMES)), executor))
    assert len(batches) == 3
    expected = fetched(column)
    for rows, images in batches:
        np.testing.assert_array_equal(images, expected[rows])


@pytest.mark.slow
def test_many_frames_go_to_the_workers_and_come_back_the_same(fetched) -> None:
    column = FrameColumn([Frame("hole", (), step) for step in range(520)], 16, "source")
    images = np.empty((520, 16, 16, 3), np.uint8)
    with LocalExecutor(LocalConfig(workers=2)) as executor:
        for rows, batch in column.fetch(np.arange(520), executor):
            images[rows] = batch
    np.testing.assert_array_equal(images, fetched(column))


def test_keys_tell_frames_and_sources_apart_and_nothing_else() -> None:
    keys = FrameColumn(FRAMES, 32, "source").keys
    same = (keys[:, None] == keys[None, :]).all(axis=-1)
    expected = [[one == other for other in FRAMES] for one in FRAMES]
    np.testing.assert_array_equal(same, expected)
    assert (FrameColumn(FRAMES, 32, "another").keys != keys).any(axis=1).all()
