import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.calibration import softmax
from mezzanine_core.errors import DataError, LatentError
from mezzanine_core.warrant import ViewGroups, orbit_variance
from mezzanine_recipes_distill.fitting import (
    FitSettings,
    Taught,
    belief_divergence,
    divergence,
    fit_base,
    fit_head,
)
from mezzanine_recipes_distill.heads import logits_of

CPU = torch.device("cpu")
QUICK = FitSettings(epochs=30, patience=30, batch_items=32, lr=0.05)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def taught(items, seed=0, views=4, dim=6, classes=3, noise=0.3, uneven=False):
    """Items whose teacher believes what a fixed linear map says of their mean latent."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, views + 1, items) if uneven else np.full(items, views)
    groups = ViewGroups(sizes, np.full(items, math.inf))
    means = rng.normal(size=(items, dim))
    weight = np.random.default_rng(99).normal(size=(dim, classes))
    latents = groups.repeat(means) + noise * rng.normal(size=(sizes.sum(), dim))
    targets = softmax(means @ weight)
    return Taught(latents.astype(np.float32), groups, targets, targets.argmax(axis=1))


def same(first, second):
    states = first.state_dict(), second.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("hidden", [0, 8])
def test_the_generator_determines_the_outcome(hidden):
    how = FitSettings(hidden=hidden, epochs=4, batch_items=16)
    heads = [
        fit_head(taught(60), taught(20, 1), how, generator(seed), CPU)[0] for seed in (0, 0, 1)
    ]
    assert same(heads[0], heads[1])
    assert not same(heads[0], heads[2])


def test_fitting_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    fit_head(taught(20), taught(10, 1), FitSettings(hidden=4, epochs=2), generator(), CPU)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("views", ["canonical", "all"])
def test_a_student_learns_what_its_teacher_believes(views):
    how = FitSettings(views=views, epochs=100, lr=0.05, batch_items=64)
    head, curves = fit_head(taught(300), taught(80, 1), how, generator(), CPU)
    new = taught(100, 2, noise=0)
    untrained = divergence(torch.from_numpy(new.targets), torch.zeros(3).double()).mean()
    assert belief_divergence(head, new).mean() < 0.1 * float(untrained)
    assert curves.train[0] > curves.train[-1]


def test_a_linear_base_finds_the_minimum_of_the_cross_entropy():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(200, 2)).astype(np.float32)
    label = (latents[:, 0] + rng.normal(size=200) > 0).astype(np.int64)
    how = FitSettings(epochs=400, patience=400, weight_decay=0.0, lr=0.02, batch_items=200)
    head, curves = fit_base(latents, label, latents, label, 2, how, generator(), CPU)
    # Newton's method on the same latents, as a reference.
    x = np.column_stack([latents, np.ones(200)])
    w = np.zeros(3)
    for _ in range(20):
        p = 1 / (1 + np.exp(-x @ w))
        w += np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]), x.T @ (label - p))
    p = 1 / (1 + np.exp(-x @ w))
    np.testing.assert_allclose(softmax(logits_of(head, latents))[:, 1], p, atol=2e-3)
    expected = -np.log(np.where(label == 1, p, 1 - p)).mean()
    assert curves.validation[curves.best] == pytest.approx(expected, abs=1e-4)


def test_the_weights_of_the_best_epoch_are_kept():
    train, validation = taught(12, dim=30, noise=1.0), taught(40, 1, dim=30, noise=1.0)
    how = FitSettings(epochs=60, patience=60, lr=0.1, batch_items=4)
    head, curves = fit_head(train, validation, how, generator(), CPU)
    assert len(curves.validation) == 60
    assert curves.validation[curves.best] == min(curves.validation) < curves.validation[-1]
    kept = float(belief_divergence(head, validation).mean())
    assert kept == pytest.approx(curves.validation[curves.best], rel=1e-4)


def test_fitting_ends_when_patience_does():
    train, validation = taught(12, dim=30, noise=1.0), taught(40, 1, dim=30, noise=1.0)
    how = FitSettings(epochs=500, patience=3, lr=0.1, batch_items=4)
    _, curves = fit_head(train, validation, how, generator(), CPU)
    assert len(curves.train) == len(curves.validation) == curves.best + 1 + how.patience


def test_items_with_fewer_views_are_fitted_as_if_alone():
    train, validation = taught(40, uneven=True), taught(20, 1, uneven=True)
    head, curves = fit_head(train, validation, QUICK, generator(), CPU)
    by_item = [
        belief_divergence(
            head,
            Taught(
                validation.latents[start : start + size],
                ViewGroups(np.array([size])),
                validation.targets[[item]],
                validation.label[[item]],
            ),
        )[0]
        for item, (start, size) in enumerate(
            zip(validation.groups.starts(), validation.groups.sizes, strict=True)
        )
    ]
    assert curves.validation[curves.best] == pytest.approx(np.mean(by_item), rel=1e-4)


def test_canonical_students_see_the_canonical_view_alone():
    train, validation = taught(40), taught(20, 1)
    rng = np.random.default_rng(5)

    def scrambled(part):
        latents = rng.normal(size=part.latents.shape).astype(np.float32)
        starts = part.groups.starts()
        latents[starts] = part.latents[starts]
        return Taught(latents, part.groups, part.targets, part.label)

    how = FitSettings(views="canonical", epochs=5)
    first, _ = fit_head(train, validation, how, generator(), CPU)
    second, _ = fit_head(scrambled(train), scrambled(validation), how, generator(), CPU)
    assert same(first, second)


@pytest.mark.parametrize("views", ["canonical", "all"])
def test_consistency_brings_the_logits_of_views_together(views):
    train, validation, test = taught(200), taught(60, 1), taught(100, 2)

    def spread(consistency):
        how = FitSettings(views=views, epochs=40, lr=0.05, consistency=consistency)
        head, _ = fit_head(train, validation, how, generator(), CPU)
        return orbit_variance(logits_of(head, test.latents), test.groups).mean()

    assert spread(3.0) < 0.7 * spread(0.0)


def test_consistency_is_the_mean_squared_difference_over_pairs():
    train, validation = taught(40, uneven=True), taught(15, 1, uneven=True)
    how = FitSettings(epochs=6, consistency=0.7)
    head, curves = fit_head(train, validation, how, generator(), CPU)
    logits = logits_of(head, validation.latents)
    centred = logits - logits.mean(axis=1, keepdims=True)
    penalties = []
    for start, size in zip(validation.groups.starts(), validation.groups.sizes, strict=True):
        pairs = [
            ((centred[start + i] - centred[start + j]) ** 2).mean()
            for i in range(size)
            for j in range(i)
        ]
        penalties.append(np.mean(pairs) if pairs else 0.0)
    expected = belief_divergence(head, validation).mean() + 0.7 * np.mean(penalties)
    assert curves.validation[curves.best] == pytest.approx(expected, rel=1e-4)


def test_labels_alone_are_learnt_where_their_weight_is_one():
    train, validation = taught(300), taught(80, 1)
    wrong = Taught(train.latents, train.groups, np.full((300, 3), 1 / 3), train.label)
    how = FitSettings(epochs=60, lr=0.05, label_weight=1.0)
    head, _ = fit_head(wrong, validation, how, generator(), CPU)
    right = logits_of(head, validation.latents).argmax(axis=1)
    assert (right == np.repeat(validation.label, 4)).mean() > 0.75


def test_weight_decay_leaves_biases_alone():
    train, validation = taught(60), taught(20, 1)
    lopsided = [
        Taught(part.latents, part.groups, np.tile([0.9, 0.05, 0.05], (len(part), 1)), part.label)
        for part in (train, validation)
    ]
    how = FitSettings(epochs=300, patience=300, lr=0.05, weight_decay=5.0)
    head, _ = fit_head(*lopsided, how, generator(), CPU)
    beliefs = softmax(logits_of(head, validation.latents))
    np.testing.assert_allclose(beliefs.mean(axis=0), [0.9, 0.05, 0.05], atol=0.01)
    assert head.weights[0].abs().max() < 0.05


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.integers(2, 6))
def test_divergence_is_that_of_its_definition(seed, classes):
    rng = np.random.default_rng(seed)
    targets = softmax(rng.normal(size=(5, classes)))
    targets[0] = np.eye(classes)[0]
    logits = rng.normal(size=(5, classes))
    q = softmax(logits)
    expected = [
        sum(p * math.log(p / r) for p, r in zip(*rows, strict=True) if p > 0)
        for rows in zip(targets, q, strict=True)
    ]
    found = divergence(torch.from_numpy(targets), torch.from_numpy(logits)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_a_class_that_is_missing_is_thought_rare():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(200, 3)).astype(np.float32)
    label = (latents[:, 0] > 0).astype(np.int64) * 2
    head, _ = fit_base(
        latents[:150], label[:150], latents[150:], label[150:], 4, QUICK, generator(), CPU
    )
    assert softmax(logits_of(head, latents))[:, [1, 3]].max() < 0.1


def test_items_of_one_class_are_refused():
    latents = np.ones((3, 2), np.float32)
    with pytest.raises(DataError, match="fewer than two labels"):
        fit_base(
            latents, np.ones(3, np.int64), latents, np.ones(3, np.int64), 2, QUICK, generator(), CPU
        )


def test_missing_validation_items_are_told():
    latents = np.ones((2, 2), np.float32)
    with pytest.raises(DataError, match="no validation items"):
        fit_base(latents, np.arange(2), latents[:0], np.arange(0), 2, QUICK, generator(), CPU)


def test_a_label_out_of_range_is_refused():
    latents = np.ones((2, 2), np.float32)
    with pytest.raises(DataError, match="labels from 0 to 2 with 2 classes"):
        fit_base(latents, np.array([0, 2]), latents, np.arange(2), 2, QUICK, generator(), CPU)


def test_a_validation_set_of_other_latents_is_refused():
    with pytest.raises(DataError, match=r"\(6, 3\) numbers, validation items of \(7, 3\)"):
        fit_head(taught(5), taught(5, dim=7), QUICK, generator(), CPU)


@pytest.mark.parametrize("part", ["latents", "targets"])
def test_what_is_not_finite_is_refused(part):
    fine = taught(4)
    values = {"latents": fine.latents.copy(), "targets": fine.targets.copy()}
    values[part][1, 0] = np.nan
    with pytest.raises(LatentError, match=f"{part} to learn from"):
        Taught(values["latents"], fine.groups, values["targets"], fine.label)


@pytest.mark.parametrize("wrong", ["latents", "targets", "label"])
def test_unequal_lengths_are_refused(wrong):
    values = vars(taught(4)).copy()
    values[wrong] = values[wrong][1:]
    with pytest.raises(DataError, match=r"for (4|16)"):
        Taught(**values)


def test_a_loss_that_is_no_longer_finite_is_told():
    how = FitSettings(lr=1e38, epochs=30)
    with pytest.raises(LatentError, match="diverged"):
        fit_head(taught(40), taught(10, 1), how, generator(), CPU)
