"""Laws of the symmetry `view`."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import ndimage

from mezzanine_core.builtin.configs import ViewConfig
from mezzanine_core.builtin.view import Framing, View
from mezzanine_core.errors import DataError
from mezzanine_core.testing.symmetries import check_identity, check_orbit, check_views

laws = settings(deadline=None, max_examples=60)
seeds = st.integers(0, 2**32 - 1)
shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))


def image(seed, shape=(20, 14)):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def view(**settings):
    return View(ViewConfig(**settings))


def resized_by_scipy(crop, rows, columns):
    """Bilinear interpolation at pixel centres with the edge repeated, in float64."""
    centres = np.meshgrid(
        (np.arange(rows) + 0.5) * crop.shape[0] / rows - 0.5,
        (np.arange(columns) + 0.5) * crop.shape[1] / columns - 0.5,
        indexing="ij",
    )
    channels = [
        ndimage.map_coordinates(crop[..., channel].astype(float), centres, order=1, mode="nearest")
        for channel in range(3)
    ]
    return np.stack(channels, axis=-1)


@laws
@given(seeds, shapes, st.floats(0.1, 1), st.booleans())
def test_the_identity_is_lossless_and_views_keep_shape_and_dtype(seed, shape, scale, flip):
    symmetry, x = view(min_scale=scale, flip=flip or scale == 1), image(seed, shape)
    check_identity(symmetry, x)
    moved = symmetry.act(symmetry.sample(x, np.random.default_rng(seed)), x)
    assert (moved.shape, moved.dtype) == (x.shape, x.dtype)


@laws
@given(seeds, shapes, st.booleans())
def test_flips_alone_have_an_exact_orbit(seed, shape, symmetric):
    x = image(seed, shape)
    if symmetric:
        x = np.maximum(x, x[:, ::-1])
    symmetry = view(min_scale=1)
    check_orbit(symmetry, x, reachable=[x, x[:, ::-1]])
    check_views(symmetry, x, 8, seed)


@laws
@given(seeds, shapes)
def test_a_flip_undoes_itself_and_does_not_leave_the_orbit(seed, shape):
    symmetry, x = view(min_scale=1), image(seed, shape)
    flip = Framing(0, 0, *shape, flip=True)
    moved = symmetry.act(flip, x)
    np.testing.assert_array_equal(symmetry.act(flip, moved), x)
    check_orbit(symmetry, moved, reachable=[x, moved])


@laws
@given(seeds, st.integers(1, 6))
def test_crops_are_distinct_views_with_the_identity_first(seed, k):
    views = check_views(view(min_scale=0.5), image(seed), k, seed)
    assert len(views.values) == k
    assert not views.exact


@laws
@given(seeds, shapes, st.floats(0.1, 1))
def test_crops_fit_the_image_and_are_no_smaller_than_asked_for(seed, shape, scale):
    x, rng = image(seed, shape), np.random.default_rng(seed)
    element = view(min_scale=scale).sample(x, rng)
    assert scale * shape[0] <= element.height <= shape[0]
    assert abs(element.width - element.height * shape[1] / shape[0]) <= 1
    assert 0 <= element.top <= shape[0] - element.height
    assert 0 <= element.left <= shape[1] - element.width


@laws
@given(seeds, shapes, st.data())
def test_crops_are_enlarged_as_scipy_would(seed, shape, data):
    x = image(seed, shape)
    height, width = data.draw(st.integers(1, shape[0])), data.draw(st.integers(1, shape[1]))
    top = data.draw(st.integers(0, shape[0] - height))
    left = data.draw(st.integers(0, shape[1] - width))
    moved = view().act(Framing(top, left, height, width), x)
    expected = resized_by_scipy(x[top : top + height, left : left + width], *shape)
    assert np.abs(moved - expected).max() <= 0.5 + 1e-3


def test_every_framing_of_a_small_image_is_drawn():
    x, rng = image(0, (3, 3)), np.random.default_rng(0)
    symmetry = view(min_scale=0.5)
    drawn = {symmetry.sample(x, rng) for _ in range(2000)}
    places = [(0, 0, 3)] + [(top, left, 2) for top, left in itertools.product(range(2), repeat=2)]
    assert drawn == {
        Framing(top, left, side, side, flip) for top, left, side in places for flip in (False, True)
    }


def test_a_flip_mirrors_the_frame_and_the_action_and_undoes_itself():
    x = image(0)
    symmetry = view(min_scale=1, mirror=(0, 2), mirror_about=0.5)
    flip = Framing(0, 0, *x.shape[:2], flip=True)
    action = np.array([[0.2, 0.3, 1.0], [0.5, 0.0, 0.0]], dtype=np.float32)
    mirrored = symmetry.act(flip, action, part="action")
    np.testing.assert_allclose(mirrored, [[0.8, 0.3, 0.0], [0.5, 0.0, 1.0]], rtol=1e-6)
    np.testing.assert_allclose(symmetry.act(flip, mirrored, part="action"), action, rtol=1e-6)
    for part in ("input", "obs", "next_obs"):
        np.testing.assert_array_equal(symmetry.act(flip, x, part=part), x[:, ::-1])
    np.testing.assert_array_equal(symmetry.act(flip, symmetry.act(flip, x)), x)


def test_an_action_is_mirrored_about_zero_by_default_and_left_alone_without_a_flip():
    x, symmetry = image(0), view(mirror=(1,))
    action = np.array([1.0, 2.0], dtype=np.float32)
    size = x.shape[:2]
    np.testing.assert_array_equal(
        symmetry.act(Framing(0, 0, *size, flip=True), action, part="action"), [1, -2]
    )
    assert symmetry.act(Framing(0, 0, *size), action, part="action") is action
    assert symmetry.act(Framing(0, 0, *size, flip=True), "label", part="label") == "label"


def test_an_image_of_one_colour_has_one_view_that_is_not_called_exact():
    views = view().views(np.full((16, 16, 3), 7, dtype=np.uint8), 8, seed=0)
    assert len(views.values) == 1
    assert not views.exact


def test_elements_can_be_hashed_and_pickled():
    element = view().sample(image(0), np.random.default_rng(0))
    assert pickle.loads(pickle.dumps(element)) == element
    assert len({element, pickle.loads(pickle.dumps(element))}) == 1


@pytest.mark.parametrize(
    "x", [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), "text"]
)
def test_what_is_no_image_is_refused(x):
    with pytest.raises(DataError, match=r"uint8 images of shape \[H, W, 3\]") as raised:
        view().views(x, 2, seed=0)
    assert "symmetry `order`" in raised.value.hint


def test_a_framing_of_another_image_is_refused():
    with pytest.raises(DataError, match="does not fit"):
        view().act(Framing(10, 0, 15, 10), image(0))


def test_a_mirrored_column_that_actions_lack_is_refused():
    with pytest.raises(DataError, match="cannot mirror column 3"):
        view(mirror=(3,)).act(Framing(0, 0, 4, 4, flip=True), np.zeros((5, 2)), part="action")


def test_settings_that_change_nothing_are_refused():
    with pytest.raises(ValidationError, match="every view is the same"):
        ViewConfig(min_scale=1, flip=False)


def test_the_fingerprint_covers_the_settings():
    settings = [{}, {"min_scale": 0.5}, {"flip": False}, {"mirror": (1,)}, {"mirror_about": 0.5}]
    assert len({view(**one).fingerprint() for one in settings}) == len(settings)
