import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mezzanine_core.errors import LatentError, UnknownNameError
from mezzanine_recipes_dynamics.predictors import MODELS, Predictors


def trained_like(dim=5, actions=3, hidden=7, depth=2, seeds=(4, 9), states=0):
    """Predictors with random weights in every layer and statistics of random data."""
    predictors = Predictors(
        dim=dim, actions=actions, hidden=hidden, depth=depth, seeds=seeds, states=states
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in predictors.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    predictors.standardise(
        3 + 2 * torch.randn(50, dim, generator=generator),
        torch.randn(50, actions, generator=generator) - 1,
        5 + torch.randn(50, states, generator=generator) if states else None,
    )
    return predictors


def inputs(predictors, count=11, seed=1):
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal((count, predictors.dim)).astype(np.float32),
        rng.standard_normal((count, predictors.actions)).astype(np.float32),
    )


def state_of(predictors, count=11, seed=2):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, predictors.states)).astype(np.float32)


def reference(predictors, model, seed, latents, actions, states=None):
    """The same predictor as ordinary torch layers."""
    member = MODELS.index(model) * len(predictors.seeds) + predictors.seeds.index(seed)
    layers = []
    for weight, bias in zip(predictors.weights, predictors.biases, strict=True):
        layer = nn.Linear(weight.shape[1], weight.shape[2])
        layer.weight.data, layer.bias.data = weight[member].T, bias[member, 0]
        layers += [layer, nn.GELU()]
    z = torch.from_numpy(latents)
    x = (z - predictors.latent_mean) / predictors.latent_scale
    a = (torch.from_numpy(actions) - predictors.action_mean) / predictors.action_scale
    a = a if model == "action" else torch.zeros_like(a)
    parts = [x, a]
    if states is not None:
        parts.append((torch.from_numpy(states) - predictors.state_mean) / predictors.state_scale)
    with torch.no_grad():
        change = nn.Sequential(*layers[:-1])(torch.cat(parts, dim=1))
        return (z + predictors.latent_scale * change).numpy()


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("model", MODELS)
def test_batched_members_agree_with_ordinary_layers(depth, model):
    predictors = trained_like(depth=depth)
    latents, actions = inputs(predictors)
    for seed in predictors.seeds:
        np.testing.assert_allclose(
            predictors.predict(model, seed, latents, actions),
            reference(predictors, model, seed, latents, actions),
            rtol=2e-5,
            atol=2e-5,
        )


@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize("model", MODELS)
def test_batched_members_with_a_state_agree_with_ordinary_layers(depth, model):
    predictors = trained_like(depth=depth, states=4)
    latents, actions = inputs(predictors)
    states = state_of(predictors)
    for seed in predictors.seeds:
        np.testing.assert_allclose(
            predictors.predict(model, seed, latents, actions, states),
            reference(predictors, model, seed, latents, actions, states),
            rtol=2e-5,
            atol=2e-5,
        )


@pytest.mark.parametrize("model", MODELS)
def test_both_models_see_the_state(model):
    predictors = trained_like(states=4)
    latents, actions = inputs(predictors)
    states = state_of(predictors)
    changed = predictors.predict(model, 4, latents, actions, states + 1)
    assert (changed != predictors.predict(model, 4, latents, actions, states)).any()


def test_no_action_model_with_a_state_still_ignores_the_action():
    predictors = trained_like(states=4)
    latents, actions = inputs(predictors)
    states = state_of(predictors)
    without = predictors.predict("no_action", 4, latents, states=states)
    assert (predictors.predict("no_action", 4, latents, actions, states) == without).all()


def test_predictors_without_a_state_hold_nothing_of_it():
    assert not [name for name in trained_like().state_dict() if name.startswith("state")]


@pytest.mark.parametrize(
    ("states", "given", "message"),
    [(0, 2, "take no state"), (3, 2, r"take \[n, 3\]"), (3, None, "states of shape None")],
)
def test_states_that_do_not_fit_are_refused(states, given, message):
    predictors = trained_like(states=states)
    latents, actions = inputs(predictors)
    wrong = None if given is None else np.zeros((len(latents), given), np.float32)
    with pytest.raises(LatentError, match=message):
        predictors.predict("action", 4, latents, actions, wrong)


@given(seed=st.integers(0, 100), scale=st.floats(0.1, 1e6))
def test_no_action_model_gives_the_same_whatever_the_action(seed, scale):
    predictors = trained_like()
    latents, actions = inputs(predictors, seed=seed)
    without = predictors.predict("no_action", 4, latents)
    with_any = predictors.predict("no_action", 4, latents, actions * np.float32(scale))
    assert (without == with_any).all()


def test_action_model_does_depend_on_the_action():
    predictors = trained_like()
    latents, actions = inputs(predictors)
    changed = predictors.predict("action", 4, latents, actions + 1)
    assert (changed != predictors.predict("action", 4, latents, actions)).any()


def test_action_weights_of_the_no_action_model_get_no_gradient():
    predictors = trained_like()
    latents, actions = (torch.from_numpy(part) for part in inputs(predictors))
    features = predictors.features(latents, actions)
    predictors(features[None], latents[None]).square().sum().backward()
    blind = MODELS.index("no_action") * len(predictors.seeds)
    gradient = predictors.weights[0].grad
    assert (gradient[blind:, predictors.dim :] == 0).all()
    assert (gradient[:blind, predictors.dim :] != 0).any()


def test_untrained_predictors_are_persistence():
    predictors = Predictors(dim=5, actions=3, hidden=7, depth=2, seeds=(0, 1))
    predictors.initialise([torch.Generator().manual_seed(seed) for seed in (0, 1)])
    latents, actions = inputs(predictors)
    for model in MODELS:
        assert (predictors.predict(model, 1, latents, actions) == latents).all()


def test_models_of_a_seed_start_alike_and_seeds_do_not():
    predictors = Predictors(dim=5, actions=3, hidden=7, depth=2, seeds=(0, 1))
    predictors.initialise([torch.Generator().manual_seed(seed) for seed in (0, 1)])
    for parameter in (predictors.weights[0], predictors.biases[1]):
        action, no_action = parameter.detach().unflatten(0, (2, 2))
        assert (action == no_action).all()
        assert (action[0] != action[1]).all()


def test_initial_weights_are_those_of_linear_layers_in_size():
    predictors = Predictors(dim=60, actions=4, hidden=50, depth=1, seeds=(0,))
    predictors.initialise([torch.Generator().manual_seed(0)])
    bound = 64**-0.5
    assert predictors.weights[0].abs().max() <= bound
    assert abs(predictors.weights[0].std().item() - bound / 3**0.5) < 0.05 * bound


def test_inputs_are_standardised_and_constants_left_alone():
    predictors = Predictors(dim=3, actions=2, hidden=4, depth=1, seeds=(0,))
    latents = torch.tensor([[1.0, 5.0, 100.0], [3.0, 5.0, 300.0]])
    predictors.standardise(latents, torch.zeros(2, 2))
    assert predictors.latent_mean.tolist() == [2.0, 5.0, 200.0]
    assert predictors.latent_scale.tolist() == [1.0, 1.0, 100.0]
    assert predictors.action_scale.tolist() == [1.0, 1.0]


def test_features_that_hardly_vary_are_not_blown_up():
    predictors = Predictors(dim=2, actions=1, hidden=4, depth=1, seeds=(0,))
    predictors.standardise(torch.tensor([[1.0, 1e-6], [-1.0, 0.0]]), torch.zeros(2, 1))
    assert predictors.latent_scale.tolist() == pytest.approx([1.0, 1e-3])


def test_prediction_of_many_rows_is_that_of_each():
    predictors = trained_like(dim=2, actions=1, hidden=3, depth=1)
    latents, actions = inputs(predictors, count=5000)
    together = predictors.predict("action", 9, latents, actions)
    parts = [
        predictors.predict("action", 9, latents[rows], actions[rows])
        for rows in np.array_split(np.arange(5000), 3)
    ]
    np.testing.assert_allclose(together, np.concatenate(parts), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "seed", "culprit"), [("persistence", 4, "persistence"), ("action", 5, "seed 5")]
)
def test_unknown_member_is_named(model, seed, culprit):
    predictors = trained_like()
    with pytest.raises(UnknownNameError, match=culprit):
        predictors.predict(model, seed, *inputs(predictors))


@pytest.mark.parametrize("wrong", ["latents", "actions", "none"])
def test_shapes_that_do_not_fit_are_refused(wrong):
    predictors = trained_like()
    latents, actions = inputs(predictors)
    if wrong == "latents":
        latents = latents[:, 1:]
    elif wrong == "actions":
        actions = actions[1:]
    else:
        actions = None
    with pytest.raises(LatentError, match=r"take \[n, 5\] and \[n, 3\]"):
        predictors.predict("action", 4, latents, actions)
