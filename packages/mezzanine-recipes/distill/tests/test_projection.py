import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mezzanine_core.calibration import softmax
from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.warrant import ViewGroups, orbit_variance
from mezzanine_recipes_distill.fitting import FitSettings, Taught, belief_divergence, fit_head
from mezzanine_recipes_distill.heads import logits_of
from mezzanine_recipes_distill.projection import (
    _covariances,
    fit_projection,
    warrant_directions,
)

CPU = torch.device("cpu")
QUICK = FitSettings(epochs=30, lr=0.05, batch_items=64)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def infinite(sizes):
    return ViewGroups(np.asarray(sizes, np.int64), np.full(len(sizes), math.inf))


def nested(rng, sizes, between, within):
    """Latents of items with random means and views about them, with these standard deviations."""
    groups = infinite(sizes)
    means = rng.normal(size=(len(sizes), len(between))) * between
    views = rng.normal(size=(int(groups.sizes.sum()), len(between))) * within
    return groups.repeat(means) + views, groups


def taught(items, seed, views=4, signal=2, dim=8, nuisance=3.0):
    """Items whose teacher looks at the first ``signal`` dimensions; views differ in the last."""
    rng = np.random.default_rng(seed)
    between, within = np.ones(dim), np.full(dim, 0.1)
    within[-1] = nuisance
    latents, groups = nested(rng, np.full(items, views), between, within)
    means = groups.sum(latents) / views
    logits = 2 * means[:, :signal].sum(axis=1, keepdims=True) * [1.0, -1.0]
    targets = softmax(logits)
    return Taught(latents.astype(np.float32), groups, targets, targets.argmax(axis=1))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_span_is_that_of_linearly_mapped_latents(seed, dim):
    rng = np.random.default_rng(seed)
    latents, groups = nested(rng, [4] * 40, 1 + np.arange(dim), np.ones(dim))
    mixing = rng.normal(size=(dim, dim))
    assume(np.linalg.cond(mixing) < 100)
    ratios, basis = warrant_directions(latents, groups, shrinkage=0.0)
    mapped_ratios, mapped_basis = warrant_directions(latents @ mixing, groups, shrinkage=0.0)
    np.testing.assert_allclose(mapped_ratios, ratios, rtol=1e-6, atol=1e-9)
    centred = latents - latents.mean(axis=0)
    for rank in range(1, dim):
        if ratios[rank - 1] - ratios[rank] < 1e-3 * ratios[0]:
            continue  # directions of one eigenvalue may turn
        spans = [
            np.linalg.qr(values)[0]
            for values in (centred @ basis[:, :rank], centred @ mixing @ mapped_basis[:, :rank])
        ]
        cosines = np.linalg.svd(spans[0].T @ spans[1], compute_uv=False)
        np.testing.assert_allclose(cosines, 1, atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.1, 0.5]))
def test_planted_nuisance_comes_last(seed, shrinkage):
    rng = np.random.default_rng(seed)
    dim = 6
    nuisance = rng.normal(size=dim)
    nuisance /= np.linalg.norm(nuisance)
    # Five views tell an item's mean along the nuisance only to ±1.8: it takes many items.
    latents, groups = nested(rng, [5] * 400, np.ones(dim), np.full(dim, 0.3))
    latents += 4 * rng.normal(size=(len(latents), 1)) * nuisance
    ratios, basis = warrant_directions(latents, groups, shrinkage)
    # What is projected on the first directions hardly sees the nuisance.
    seen = np.abs(nuisance @ basis) / np.linalg.norm(basis, axis=0)
    assert seen[:-1].max() < 0.25 < seen[-1]
    assert ratios[-1] < 0.5 * ratios[-2]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10_000),
    st.lists(st.integers(1, 5), min_size=2, max_size=12),
    st.sampled_from([0.0, 0.1, 1.0]),
)
def test_directions_solve_the_eigenproblem(seed, sizes, shrinkage):
    rng = np.random.default_rng(seed)
    latents, groups = nested(rng, [*sizes, 5, 5], np.ones(4), np.array([0.2, 0.5, 1.0, 2.0]))
    ratios, basis = warrant_directions(latents, groups, shrinkage)
    within, between = _covariances(latents, groups)
    shrunk = (1 - shrinkage) * within + shrinkage * np.trace(within) / 4 * np.eye(4)
    np.testing.assert_allclose(basis.T @ shrunk @ basis, np.eye(4), atol=1e-8)
    expected = np.diag(ratios)
    np.testing.assert_allclose(
        basis.T @ between @ basis, expected, atol=1e-8 * max(1, np.abs(ratios).max())
    )
    assert (np.diff(ratios) <= 0).all()


def test_covariances_are_unbiased():
    rng = np.random.default_rng(0)
    mixing = np.array([[1.0, 0.5], [0.0, 2.0]])
    sizes = [1, 2, 3, 4, 5, 2]
    within, between = (
        np.mean(parts, axis=0)
        for parts in zip(
            *(_covariances(*_mixed(rng, sizes, [0.5, 1.0], mixing)) for _ in range(4000)),
            strict=True,
        )
    )
    np.testing.assert_allclose(within, mixing.T @ mixing, rtol=0.05, atol=0.05)
    np.testing.assert_allclose(between, np.diag([0.25, 1.0]), atol=0.12)


def _mixed(rng, sizes, between, mixing):
    groups = infinite(sizes)
    means = rng.normal(size=(len(sizes), 2)) * between
    return groups.repeat(means) + rng.normal(size=(sum(sizes), 2)) @ mixing, groups


def test_covariance_between_finite_orbits_is_unbiased_at_few_views():
    rng = np.random.default_rng(1)
    orbits = rng.normal(size=(5, 6, 1)) + rng.normal(size=(5, 1, 1))
    expected = float(orbits.mean(axis=1).var(ddof=1))
    found = []
    for _ in range(4000):
        drawn = np.concatenate([rng.permutation(orbit)[:3] for orbit in orbits])
        groups = ViewGroups(np.full(5, 3), np.full(5, 6.0))
        found.append(_covariances(drawn, groups)[1][0, 0])
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / 4000**0.5)


def test_exact_orbits_have_nothing_taken_off():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(12, 3))
    groups = ViewGroups(np.full(4, 3), np.full(4, 3.0))
    means = latents.reshape(4, 3, 3).mean(axis=1)
    np.testing.assert_allclose(_covariances(latents, groups)[1], np.cov(means.T))


@pytest.mark.parametrize(
    "groups",
    [
        ViewGroups(np.ones(20, np.int64)),
        ViewGroups(np.ones(20, np.int64), np.ones(20)),
        ViewGroups(np.ones(20, np.int64), np.full(20, math.inf)),
        ViewGroups(np.full(10, 2), np.full(10, 2.0)),
    ],
)
@pytest.mark.parametrize("shrinkage", [0.0, 0.1])
def test_views_that_do_not_differ_leave_the_principal_components(groups, shrinkage):
    rng = np.random.default_rng(0)
    means = rng.normal(size=(len(groups.sizes), 3)) * [1.0, 3.0, 0.1]
    _, basis = warrant_directions(groups.repeat(means), groups, shrinkage)
    centred = means - means.mean(axis=0)
    components = np.linalg.svd(centred, full_matrices=False)[2]
    unit = basis / np.linalg.norm(basis, axis=0)
    np.testing.assert_allclose(np.abs(components @ unit), np.eye(3), atol=1e-6)


@pytest.mark.parametrize("shrinkage", [0.0, 0.1])
def test_fewer_views_than_dimensions_give_finite_directions(shrinkage):
    rng = np.random.default_rng(0)
    latents, groups = nested(rng, [2] * 5, np.ones(40), np.full(40, 0.3))
    latents[:, 7] = 2.5
    ratios, basis = warrant_directions(latents, groups, shrinkage)
    assert np.isfinite(ratios).all()
    assert np.isfinite(basis).all()
    assert np.linalg.matrix_rank(basis) == 40


def test_duplicated_items_keep_the_directions():
    rng = np.random.default_rng(0)
    latents, groups = nested(rng, [4] * 30, np.ones(3), np.array([0.2, 0.5, 1.0]))
    twice = ViewGroups(np.tile(groups.sizes, 2), np.tile(groups.population(), 2))
    _, once = warrant_directions(latents, groups)
    _, doubled = warrant_directions(np.tile(latents, (2, 1)), twice)
    cosines = np.abs((once / np.linalg.norm(once, axis=0)).T @ doubled)
    np.testing.assert_allclose(np.diag(cosines) / np.linalg.norm(doubled, axis=0), 1, atol=0.01)


def test_one_item_has_no_directions():
    with pytest.raises(DataError, match="at least two items"):
        warrant_directions(np.ones((3, 2)), infinite([3]))


@pytest.mark.parametrize("shrinkage", [-0.1, 1.1])
def test_shrinkage_out_of_range_is_refused(shrinkage):
    with pytest.raises(ConfigError, match=r"must lie in \[0, 1\]"):
        warrant_directions(np.ones((4, 2)), infinite([2, 2]), shrinkage)


def test_student_leaves_out_what_a_head_on_the_whole_latent_picks_up():
    # Few items: a head on the whole latent fits some of the nuisance.
    train, validation, test = taught(60, 0), taught(60, 1), taught(200, 2)
    student, choice, _ = fit_projection(train, validation, [4], QUICK, generator(), CPU)
    head, _ = fit_head(train, validation, QUICK, generator(), CPU)
    spreads = [
        orbit_variance(logits_of(model, test.latents), test.groups).mean()
        for model in (student, head)
    ]
    assert choice.rank == student.rank == 4
    assert spreads[0] < spreads[1]


def test_smallest_rank_within_a_standard_error_of_the_best_is_chosen():
    train, validation = taught(150, 0, signal=3), taught(80, 1, signal=3)
    student, choice, curves = fit_projection(
        train, validation, [1, 2, 4, 6, 8], QUICK, generator(), CPU
    )
    best = min(choice.validation, key=lambda rank: choice.validation[rank])
    limit = choice.validation[best] + choice.errors[best]
    assert choice.rank == min(r for r, value in choice.validation.items() if value <= limit)
    found = belief_divergence(student, validation)
    assert choice.validation[choice.rank] == pytest.approx(found.mean())
    assert choice.errors[choice.rank] == pytest.approx(found.std(ddof=1) / 80**0.5)
    assert curves.validation[curves.best] == pytest.approx(found.mean(), rel=1e-3)


def test_ranks_that_cannot_be_told_apart_are_left_out_with_a_note():
    _, choice, _ = fit_projection(taught(6, 0), taught(6, 1), [64, 4, 8], QUICK, generator(), CPU)
    assert set(choice.validation) == {4}
    assert choice.notes == ("ranks [8, 64] are left out: at most 6 can be told apart",)


def test_no_possible_rank_is_an_error_that_names_the_limit():
    with pytest.raises(ConfigError, match="between 1 and 8") as error:
        fit_projection(taught(20, 0), taught(6, 1), [16, 32], QUICK, generator(), CPU)
    assert "at most 8" in error.value.hint


def test_other_ranks_do_not_change_a_rank_s_fit():
    train, validation = taught(40, 0), taught(20, 1)
    alone, _, _ = fit_projection(train, validation, [3], QUICK, generator(), CPU)
    _, choice, _ = fit_projection(train, validation, [2, 3, 5], QUICK, generator(), CPU)
    assert choice.validation[3] == belief_divergence(alone, validation).mean()
