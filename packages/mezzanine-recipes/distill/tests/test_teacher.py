import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.calibration import softmax
from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.warrant import ViewGroups, orbit_average
from mezzanine_recipes_distill.heads import Head, logits_of
from mezzanine_recipes_distill.teacher import Teacher, accuracy_by_views


def groups_of(sizes, orbits=None):
    return ViewGroups(
        np.array(sizes, np.int64), None if orbits is None else np.array(orbits, np.float64)
    )


def logits_for(groups, seed=0, classes=3):
    return np.random.default_rng(seed).normal(size=(int(groups.sizes.sum()), classes))


@pytest.fixture
def head():
    head = Head(4, 3)
    with torch.no_grad():
        head.weights[0].normal_(generator=torch.Generator().manual_seed(0))
    return head


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=8),
    st.sampled_from(["probabilities", "logits"]),
)
def test_beliefs_are_distributions(sizes, average):
    groups = groups_of(sizes)
    beliefs = Teacher(logits_for(groups), groups, average).beliefs()
    assert beliefs.shape == (len(sizes), 3)
    np.testing.assert_allclose(beliefs.sum(axis=1), 1)
    assert (beliefs >= 0).all()


def test_probabilities_are_averaged_over_whole_orbits_alike():
    groups = groups_of([3, 2], [3, 2])
    p = softmax(logits := logits_for(groups))
    beliefs = Teacher(logits, groups, "probabilities").beliefs()
    np.testing.assert_allclose(beliefs, [p[:3].mean(axis=0), p[3:].mean(axis=0)])


def test_mean_latent_is_read_by_the_base_model(head):
    groups = groups_of([2, 3], [2, 3])
    latents = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    beliefs = Teacher(latents, groups, "latents", head).beliefs()
    mean = orbit_average(latents, groups).astype(np.float32)
    np.testing.assert_array_equal(beliefs, softmax(logits_of(head, mean)))


def test_a_linear_head_of_mean_latents_is_the_average_of_logits(head):
    groups = groups_of([2, 3], [2, 3])
    latents = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    of_latents = Teacher(latents, groups, "latents", head).beliefs()
    of_logits = Teacher(logits_of(head, latents), groups, "logits").beliefs()
    np.testing.assert_allclose(of_latents, of_logits, rtol=1e-5)


def test_latents_cannot_be_averaged_without_a_model_that_reads_them():
    with pytest.raises(ConfigError, match="needs a base model"):
        Teacher(np.zeros((2, 4)), groups_of([2]), "latents")


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 10))
def test_the_first_views_of_each_item_are_kept(sizes, views):
    groups = groups_of(sizes)
    rows = np.arange(sum(sizes), dtype=float)[:, None]
    fewer = Teacher(rows, groups, "logits").of_first(views)
    starts = groups.starts()
    expected = [
        start + view
        for start, size in zip(starts, sizes, strict=True)
        for view in range(min(size, views))
    ]
    assert fewer.values[:, 0].tolist() == expected
    assert fewer.groups.sizes.tolist() == [min(size, views) for size in sizes]


def test_one_view_is_the_base_model_and_all_are_the_teacher():
    groups = groups_of([6, 3, 6], [math.inf, 3, 720])
    logits, label = logits_for(groups), np.array([0, 1, 2])
    teacher = Teacher(logits, groups, "probabilities")
    views, right = accuracy_by_views(teacher, label)
    assert views.tolist() == [1, 2, 4, 6]
    assert right[0].tolist() == (logits[groups.starts()].argmax(axis=1) == label).tolist()
    assert right[-1].tolist() == (teacher.beliefs().argmax(axis=1) == label).tolist()


@pytest.mark.parametrize(
    ("most", "expected"), [(1, [1]), (2, [1, 2]), (8, [1, 2, 4, 8]), (9, [1, 2, 4, 8, 9])]
)
def test_numbers_of_views_double_up_to_all(most, expected):
    groups = groups_of([most, 1])
    views, right = accuracy_by_views(
        Teacher(logits_for(groups), groups, "logits"), np.zeros(2, np.int64)
    )
    assert views.tolist() == expected
    assert right.shape == (len(expected), 2)


def test_views_that_err_independently_are_right_together():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 400)
    groups = groups_of([16] * 400, [math.inf] * 400)
    signs = np.repeat(2 * label - 1, 16) + rng.normal(0, 2, 6400)
    logits = np.stack([-signs, signs], axis=1)
    _, right = accuracy_by_views(Teacher(logits, groups, "logits"), label)
    assert right[-1].mean() > 0.95 > 0.75 > right[0].mean()


def test_labels_of_another_number_of_items_are_refused():
    groups = groups_of([2, 2])
    with pytest.raises(DataError, match="labels of shape"):
        accuracy_by_views(Teacher(logits_for(groups), groups, "logits"), np.zeros(3, np.int64))
