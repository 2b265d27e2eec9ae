import numpy as np

from mezzanine_core.worlds import ArrayColumn
from mezzanine_recipes_dynamics.thumbnails import SIDE, thumbnails


def images(count, height=SIDE, width=SIDE):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def test_frames_of_the_right_size_come_back_as_they_are(ctx):
    frames = images(6)
    rows = np.array([4, 0, 4, 2])
    assert (thumbnails(ArrayColumn(frames, "image"), rows, ctx) == frames[rows]).all()


def test_only_the_rows_asked_for_are_fetched_and_only_once(ctx):
    column = ArrayColumn(images(6), "image")
    for _ in range(2):
        thumbnails(column, np.array([5, 1, 5]), ctx)
    counts = ctx.counts
    assert (counts.requested, counts.materialised, counts.encoded) == (6, 2, 2)


def test_other_shapes_are_fitted_in_with_white_beside(ctx):
    wide = np.zeros((1, 60, 120, 3), dtype=np.uint8)
    (fitted,) = thumbnails(ArrayColumn(wide, "image"), np.array([0]), ctx)
    assert fitted.shape == (SIDE, SIDE, 3)
    assert (fitted[SIDE // 2] == 0).all()
    assert (fitted[:5] == 255).all()
    assert (fitted[-5:] == 255).all()
