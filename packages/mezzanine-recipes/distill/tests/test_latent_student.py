import math

import numpy as np
import pytest
import torch

from mezzanine_core.errors import DataError
from mezzanine_core.warrant import ViewGroups, orbit_average
from mezzanine_recipes_distill.fitting import FitSettings, Taught
from mezzanine_recipes_distill.heads import Head, logits_of
from mezzanine_recipes_distill.latent_student import LatentStudent, fit_latent_student

CPU = torch.device("cpu")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def nuisance_items(items, seed, views=4, dim=6):
    """Items whose views differ along the last dimension alone."""
    rng = np.random.default_rng(seed)
    groups = ViewGroups(np.full(items, views), np.full(items, math.inf))
    latents = groups.repeat(rng.normal(size=(items, dim)) * [2, 2, 2, 1, 1, 0.2])
    latents[:, -1] += rng.normal(size=len(latents))
    latents = latents.astype(np.float32)
    return Taught(latents, groups, orbit_average(latents, groups), np.zeros(items, np.int64))


@pytest.fixture
def base():
    head = Head(6, 2)
    with torch.no_grad():
        head.weights[0].normal_(generator=generator(3))
    return head


def test_a_new_student_changes_nothing(base):
    latents = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    np.testing.assert_array_equal(logits_of(LatentStudent(base), latents), logits_of(base, latents))


@pytest.mark.parametrize("loss", ["cosine", "mse"])
@pytest.mark.parametrize("hidden", [0, 16])
def test_latents_come_nearer_to_the_mean_of_new_orbits(base, loss, hidden):
    how = FitSettings(hidden=hidden, epochs=60, lr=0.01, batch_items=64)
    student, _ = fit_latent_student(
        nuisance_items(300, 0), nuisance_items(80, 1), base, loss, how, generator(), CPU
    )
    test = nuisance_items(100, 2)
    latents = torch.from_numpy(test.latents)
    targets = torch.from_numpy(test.groups.repeat(test.targets)).float()

    def distance(moved):
        if loss == "mse":
            return float(((moved - targets) ** 2).mean())
        return float(1 - torch.cosine_similarity(moved, targets).mean())

    assert distance(student.latents(latents)) < 0.6 * distance(latents)


def test_base_head_is_copied_and_stays_as_it_was(base):
    before = {name: value.clone() for name, value in base.state_dict().items()}
    how = FitSettings(epochs=5)
    student, _ = fit_latent_student(
        nuisance_items(40, 0), nuisance_items(10, 1), base, "mse", how, generator(), CPU
    )
    for state in (base.state_dict(), student.base.state_dict()):
        assert all(torch.equal(value, before[name]) for name, value in state.items())
    assert not student.change.weights[0].eq(0).all()


def test_the_generator_determines_the_outcome(base):
    def weights(seed):
        how = FitSettings(epochs=3, batch_items=16)
        data = nuisance_items(40, 0), nuisance_items(10, 1)
        student, _ = fit_latent_student(*data, base, "cosine", how, generator(seed), CPU)
        return student.change.weights[0]

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_the_weights_of_the_best_epoch_are_kept(base):
    train, validation = nuisance_items(10, 0), nuisance_items(30, 1)
    how = FitSettings(epochs=40, patience=40, lr=0.05, batch_items=5)
    student, curves = fit_latent_student(train, validation, base, "mse", how, generator(), CPU)
    moved = student.latents(torch.from_numpy(validation.latents)).double().numpy()
    targets = validation.groups.repeat(validation.targets)
    kept = (((moved - targets) / student.change.scale.numpy()) ** 2).mean()
    assert curves.validation[curves.best] == min(curves.validation)
    assert kept == pytest.approx(min(curves.validation), rel=1e-4)


def test_beliefs_are_no_targets(base):
    part = nuisance_items(5, 0)
    beliefs = Taught(part.latents, part.groups, np.full((5, 2), 0.5), part.label)
    with pytest.raises(DataError, match="mean latents of 2 numbers for latents of 6"):
        fit_latent_student(beliefs, beliefs, base, "mse", FitSettings(), generator(), CPU)
