from dataclasses import replace

import numpy as np
import pytest
import torch

from mezzanine_core.errors import LatentError
from mezzanine_recipes_dynamics.evaluation import row_cosines
from mezzanine_recipes_dynamics.predictors import MODELS
from mezzanine_recipes_dynamics.randomness import repetition_streams
from mezzanine_recipes_dynamics.training import Trainer


def train(config, samples, held_out=None):
    streams = [repetition_streams(config.seed, seed) for seed in config.seeds]
    trainer = Trainer(samples, held_out, config, streams, torch.device("cpu"))
    steps = list(trainer.run())
    assert steps == list(range(1, config.train_steps + 1))
    return trainer


def weights(trainer):
    return {name: value.clone() for name, value in trainer.predictors.state_dict().items()}


def test_training_is_deterministic(make_config, make_samples):
    first, second = (weights(train(make_config(), make_samples(100))) for _ in range(2))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_seed_is_trained_alike_whatever_the_other_seeds(make_config, make_samples):
    samples = make_samples(100)
    alone = train(make_config(seeds=(1,)), samples).predictors
    among = train(make_config(seeds=(0, 1, 2)), samples).predictors
    other = samples.where(np.arange(100) < 20)
    for model in MODELS:
        np.testing.assert_allclose(
            alone.predict(model, 1, other.latents, other.actions),
            among.predict(model, 1, other.latents, other.actions),
            rtol=1e-4,
            atol=1e-4,
        )


def test_seeds_give_different_predictors(make_config, make_samples):
    predictors = train(make_config(), make_samples(100)).predictors
    samples = make_samples(20, seed=1)
    first, second = (
        predictors.predict("action", seed, samples.latents, samples.actions) for seed in (0, 1)
    )
    assert np.abs(first - second).max() > 1e-3


def test_base_seed_changes_training(make_config, make_samples):
    first, second = (weights(train(make_config(seed=seed), make_samples(100))) for seed in (0, 1))
    assert not torch.equal(first["weights.0"], second["weights.0"])


def test_training_agrees_with_an_ordinary_loop(make_config, make_samples):
    """One member, by hand: ordinary layers, torch's own cosine and the default AdamW."""
    config = make_config(seeds=(3,), train_steps=5, train_bs=16, hidden=8, weight_decay=0.01)
    samples = make_samples(50)
    ours = train(config, samples).predictors

    streams = repetition_streams(config.seed, 3)
    start = Trainer(
        samples, None, config, [repetition_streams(config.seed, 3)], torch.device("cpu")
    )
    member = MODELS.index("action")
    parameters = [
        part[member].detach().clone().requires_grad_()
        for part in (*start.predictors.weights, *start.predictors.biases)
    ]
    z, a, target = (
        torch.from_numpy(part) for part in (samples.latents, samples.actions, samples.next_latents)
    )
    x = start.predictors.features(z, a)
    optimiser = torch.optim.AdamW(parameters, lr=config.train_lr, weight_decay=0.01)
    for _ in range(config.train_steps):
        rows = torch.randint(len(samples), (config.train_bs,), generator=streams.batches)
        h = x[rows]
        for layer in range(3):
            h = torch.nn.functional.gelu(h) if layer else h
            h = h @ parameters[layer] + parameters[3 + layer]
        predicted = z[rows] + start.predictors.latent_scale * h
        loss = (1 - torch.nn.functional.cosine_similarity(predicted, target[rows])).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    for layer in range(3):
        torch.testing.assert_close(ours.weights[layer][member], parameters[layer].detach())


def test_action_predictor_learns_what_the_no_action_predictor_cannot(make_config, make_samples):
    config = make_config(train_steps=300, train_lr=1e-2, hidden=32, seeds=(0,))
    predictors = train(config, make_samples(400)).predictors
    test = make_samples(100, seed=1)
    cosine = {
        model: row_cosines(
            predictors.predict(model, 0, test.latents, test.actions), test.next_latents
        ).mean()
        for model in MODELS
    }
    assert cosine["action"] > 0.98
    assert cosine["no_action"] < 0.9


def test_predictors_learn_from_the_state_what_is_nowhere_else(make_config, make_samples):
    config = make_config(train_steps=300, train_lr=1e-2, hidden=32, seeds=(0,))
    samples, test = make_samples(400, states=3), make_samples(100, seed=1, states=3)
    with_state = train(config, samples).predictors
    without = train(config, replace(samples, state=None)).predictors
    told = with_state.predict("action", 0, test.latents, test.actions, test.state)
    untold = without.predict("action", 0, test.latents, test.actions)
    assert row_cosines(told, test.next_latents).mean() > 0.98
    assert row_cosines(untold, test.next_latents).mean() < 0.95


def test_curves_have_a_point_for_each_interval_and_the_last_step(make_config, make_samples):
    trainer = train(make_config(train_steps=95), make_samples(60), make_samples(30, seed=1))
    curves = trainer.curves
    assert curves.steps[0] == 2
    assert curves.steps[-1] == 95
    assert curves.train.shape == curves.held_out.shape == (2, 3, len(curves.steps))
    assert curves.train[0, :, -1].mean() < curves.train[0, :, 0].mean()


def test_held_out_loss_is_that_of_the_final_predictors(make_config, make_samples):
    held_out = make_samples(30, seed=1)
    trainer = train(make_config(), make_samples(60), held_out)
    predicted = trainer.predictors.predict("no_action", 2, held_out.latents)
    loss = 1 - row_cosines(predicted, held_out.next_latents).mean()
    assert trainer.curves.held_out[1, 2, -1] == pytest.approx(loss, abs=1e-5)


def test_held_out_samples_do_not_change_training(make_config, make_samples):
    with_curve = train(make_config(), make_samples(60), make_samples(30, seed=1))
    without = train(make_config(), make_samples(60))
    assert without.curves.held_out is None
    assert torch.equal(weights(with_curve)["weights.0"], weights(without)["weights.0"])


def test_divergence_is_named_with_its_step(make_config, make_samples):
    with pytest.raises(LatentError, match=r"no longer finite at step \d+") as caught:
        train(make_config(train_lr=1e30), make_samples(60))
    assert "train_lr" in caught.value.hint


def test_losses_are_measured_after_the_steps_of_the_curves(make_config, make_samples):
    config = make_config(train_steps=100, train_bs=8)
    streams = [repetition_streams(0, seed) for seed in config.seeds]
    trainer = Trainer(make_samples(40), None, config, streams, torch.device("cpu"))
    assert trainer.measured == 0
    measured = [step for step in trainer.run() if trainer.measured == step]
    assert tuple(measured) == trainer.curves.steps
