"""Pictures show height and speed, and nothing of the commands."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_worlds_hopper.drawing import draw

heights = st.floats(1.0, 2.4)
speeds = st.floats(-4, 4)
apexes = st.lists(st.tuples(heights, speeds), min_size=1, max_size=4).map(
    lambda rows: np.array(rows, np.float32)
)


def blue(picture):
    """How much bluer than red each pixel is: the body and its trail."""
    return picture[..., 2].astype(float) - picture[..., 0]


@given(apexes)
def test_a_picture_depends_on_its_own_row_alone(rows) -> None:
    together = draw(rows, 32, 9.81)
    assert together.dtype == np.uint8
    assert together.shape == (len(rows), 32, 32, 3)
    for row, picture in zip(rows, together, strict=True):
        np.testing.assert_array_equal(draw(row[None], 32, 9.81)[0], picture)


@given(heights)
def test_the_body_is_as_high_in_the_picture_as_it_is(height) -> None:
    size, view, below = 96, 3.2, 0.2
    weight = np.clip(blue(draw(np.float32([[height, 0]]), size, 1e-9)[0]) - 60, 0, None)
    rows = view - below - (np.arange(size) + 0.5) * view / size
    assert abs((weight.sum(axis=1) @ rows) / weight.sum() - height) < view / size / 2


@given(heights, st.floats(0.5, 4))
def test_a_mirrored_robot_gives_the_mirrored_picture(height, speed) -> None:
    there, back = draw(np.float32([[height, speed], [height, -speed]]), 64, 9.81)
    np.testing.assert_array_equal(there, back[:, ::-1])
    assert (there != back).any(), "the picture does not tell the direction"


def test_a_faster_robot_has_a_longer_trail() -> None:
    slow, fast = (blue(one) > 60 for one in draw(np.float32([[1.5, 1], [1.5, 3]]), 64, 9.81))
    assert np.ptp(np.flatnonzero(fast.any(axis=0))) > np.ptp(np.flatnonzero(slow.any(axis=0)))
