import numpy as np
import pytest
import torch

from mezzanine_core.errors import ConfigError, LatentError, UnknownNameError
from mezzanine_recipes_dynamics.planning import LatentCost, ResidualMLP, expand_info
from mezzanine_recipes_dynamics.predictors import MODELS, Predictors


def add(latents, actions, context=None):
    """The action pushes the first features; a context pushes them all."""
    pushed = latents.clone()
    pushed[:, : actions.shape[1]] += actions
    return pushed if context is None else pushed + context


@pytest.fixture
def candidates():
    return torch.randn(3, 4, 5, 2, generator=torch.Generator().manual_seed(0))


def energies(name, reached, goals):
    if name == "squared":
        return ((reached - goals) ** 2).mean(axis=-1)
    if name == "l1":
        return np.abs(reached - goals).mean(axis=-1)
    lengths = np.linalg.norm(reached, axis=-1) * np.linalg.norm(goals, axis=-1)
    return 1 - (reached * goals).sum(axis=-1) / lengths


@pytest.mark.parametrize("energy", ["cosine", "squared", "l1"])
@pytest.mark.parametrize("over", ["last", "sum"])
@pytest.mark.parametrize("goals_per_call", [None, 2, 100])
def test_cost_is_the_energy_at_the_end_of_a_rollout(
    make_info, candidates, energy, over, goals_per_call
):
    info = make_info(3)
    cost = LatentCost(add, energy=energy, over=over, goals_per_call=goals_per_call)
    found = cost.get_cost(expand_info(info, 4), candidates).numpy()
    for goal in range(3):
        for sample in range(4):
            here, total = info["latent"][goal].double().numpy().copy(), 0.0
            aim = info["goal"][goal].double().numpy()
            for step in range(5):
                here[:2] += candidates[goal, sample, step].numpy()
                value = energies(energy, here, aim)
                total = total + value if over == "sum" else value
            assert found[goal, sample] == pytest.approx(total, rel=1e-5)


def test_context_reaches_the_model_at_every_step(make_info, candidates):
    info = {**make_info(3), "context": torch.randn(3, 8)}
    moved = LatentCost(add, energy="squared").get_cost(expand_info(info, 4), candidates)
    still = {"latent": info["latent"] + 5 * info["context"], "goal": info["goal"]}
    expected = LatentCost(add, energy="squared").get_cost(expand_info(still, 4), candidates)
    torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-5)


def test_nearly_equal_latents_are_told_apart():
    latents = torch.zeros(1, 1, 8)
    latents[..., 0] = 1
    goal = latents.clone()
    goal[..., 1] = 1e-4
    cost = LatentCost(lambda latents, actions: latents)
    found = cost.get_cost({"latent": latents, "goal": goal}, torch.zeros(1, 1, 1, 2))
    assert float(found) == pytest.approx(0.5e-8, rel=1e-3)


def test_the_exact_cost_is_by_the_model_and_the_search_by_the_other(make_info, candidates):
    cost = LatentCost(add, search_model=lambda latents, actions: latents)
    info = expand_info(make_info(3), 4)
    exact = LatentCost(add).get_cost(info, candidates)
    assert torch.equal(cost.get_exact_cost(info, candidates), exact)
    assert not torch.equal(cost.get_cost(info, candidates), exact)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"energy": "dot"}, "no energy 'dot'"),
        ({"over": "first"}, "'first'"),
        ({"goals_per_call": 0}, "goals_per_call=0"),
    ],
)
def test_settings_that_are_none_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        LatentCost(add, **wrong)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"goal": None}, "needs goal of each goal"),
        ({"latent": torch.zeros(3, 8)}, "latent of shape"),
        ({"goal": torch.zeros(2, 1, 8)}, "goal of shape"),
        ({"goal": torch.zeros(3, 1, 7)}, "do not compare"),
        ({"context": torch.zeros(3, 2, 7)}, "context of shape"),
        ({"latent": [0.0, 1.0]}, "latent of shape list"),
    ],
)
def test_what_is_known_must_fit(make_info, candidates, changed, message):
    info = {**expand_info(make_info(3), 4), **changed}
    info = {name: value for name, value in info.items() if value is not None}
    with pytest.raises(LatentError, match=message):
        LatentCost(add).get_cost(info, candidates)


def test_model_whose_latents_have_another_shape_is_refused(make_info, candidates):
    with pytest.raises(LatentError, match=r"next latents of shape \[4, 6\]; expected \[4, 8\]"):
        LatentCost(lambda latents, actions: latents[:, :6]).get_cost(
            expand_info(make_info(3), 4), candidates
        )


@pytest.mark.parametrize(
    ("actions", "context", "message"),
    [
        (2, None, "8 of a latent and 5 of actions and context, but was given 8 of latent, 2 of"),
        (3, 3, "3 of action, 3 of context"),
        (5, 3, "5 of action, 3 of context"),
    ],
)
def test_model_refuses_other_features_than_it_takes(
    make_model, make_info, actions, context, message
):
    info = make_info(3)
    if context is not None:
        info["context"] = torch.zeros(3, context)
    with pytest.raises(LatentError, match=message):
        LatentCost(make_model(states=3)).get_cost(
            expand_info(info, 4), torch.zeros(3, 4, 1, actions)
        )


def test_model_refuses_latents_of_another_size(make_model):
    with pytest.raises(LatentError, match="7 of latent, 3 of action"):
        make_model()(torch.zeros(1, 7), torch.zeros(1, 3))


def test_candidates_of_another_shape_are_refused(make_info):
    with pytest.raises(LatentError, match="expected \\[G, S, H, A\\]"):
        LatentCost(add).get_cost(expand_info(make_info(3), 4), torch.zeros(3, 4, 2))


@pytest.mark.parametrize("states", [0, 3])
def test_plain_model_predicts_what_the_predictors_predict(states):
    predictors = Predictors(dim=6, actions=2, hidden=8, depth=2, seeds=(0, 5), states=states)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (*predictors.parameters(), predictors.latent_mean, predictors.action_mean):
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
        predictors.latent_scale.uniform_(0.5, 2, generator=generator)
        predictors.action_scale.uniform_(0.5, 2, generator=generator)
    rng = np.random.default_rng(0)
    latents, actions, state = (
        rng.standard_normal((20, size)).astype(np.float32) for size in (6, 2, states)
    )
    context = (state,) if states else ()
    for model in MODELS:
        for seed in (0, 5):
            plain = ResidualMLP.of(predictors, model, seed)
            found = plain(*map(torch.from_numpy, (latents, actions, *context)))
            expected = predictors.predict(model, seed, latents, actions, *context)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(UnknownNameError, match="seed 3"):
        ResidualMLP.of(predictors, "action", 3)


def test_kept_length_changes_the_length_alone(make_model):
    model, latents, actions = make_model(), torch.randn(10, 8), torch.randn(10, 2)
    free = model(latents, actions)
    model.keep_length = True
    kept = model(latents, actions)
    torch.testing.assert_close(kept.norm(dim=1), latents.norm(dim=1))
    torch.testing.assert_close(torch.cosine_similarity(kept, free), torch.ones(10))


def test_bfloat16_copy_is_near_and_leaves_the_model_as_it_was(make_model):
    model, latents, actions = make_model(hidden=64), torch.randn(50, 8), torch.randn(50, 2)
    exact = model(latents, actions)
    fast = model.in_bfloat16()(latents, actions)
    assert fast.dtype == torch.float32
    assert 0 < float((fast - exact).abs().max()) < 0.05
    assert torch.equal(model(latents, actions), exact)
