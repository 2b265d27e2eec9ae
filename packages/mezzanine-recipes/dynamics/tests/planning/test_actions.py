import numpy as np
import pytest
import torch

from mezzanine_core.errors import ConfigError, DataError, LatentError
from mezzanine_recipes_dynamics.planning import Prior, RidgeProposal, check_actions


def test_prior_is_mean_and_spread_of_the_data():
    actions = np.random.default_rng(0).normal(3, 2, (500, 4)).astype(np.float32)
    prior = Prior.of(actions, scale=0.5)
    np.testing.assert_allclose(prior.mean, actions.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(prior.std, actions.std(axis=0) / 2, rtol=1e-5)


def test_feature_that_never_differs_has_no_spread_at_all():
    actions = np.full((7, 2), 0.1, dtype=np.float32)
    actions[:, 0] = np.arange(7)
    assert Prior.of(actions).std[1] == 0


def test_constant_actions_have_no_effect_to_be_measured():
    with pytest.raises(DataError, match="no action effect can be measured"):
        Prior.of(np.ones((5, 2)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_actions_that_are_not_finite_are_refused_by_their_place(value):
    actions = np.ones((5, 2))
    actions[3, 1] = value
    with pytest.raises(DataError, match="1 of 5 actions are not finite, the first in row 3"):
        check_actions(actions)


@pytest.mark.parametrize("shape", [(0, 2), (3, 0), (3,)])
def test_actions_of_another_shape_are_refused(shape):
    with pytest.raises(DataError, match="expected"):
        check_actions(np.zeros(shape))


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        (torch.zeros(2), torch.ones(3)),
        (torch.zeros(1, 2), torch.ones(1, 2)),
        (torch.zeros(2), -torch.ones(2)),
        (torch.tensor([0.0, float("nan")]), torch.ones(2)),
    ],
)
def test_priors_that_are_none_are_refused(mean, std):
    with pytest.raises(ConfigError, match="prior"):
        Prior(mean, std)


def linear_data(count, noise, seed=0):
    rng = np.random.default_rng(seed)
    latents, goals = rng.normal(size=(2, count, 5)).astype(np.float32)
    fixed = np.random.default_rng(9).normal(size=(10, 6))
    actions = np.concatenate([latents, goals], axis=1) @ fixed + 1
    actions += noise * rng.normal(size=actions.shape)
    return latents, goals, actions.reshape(count, 3, 2).astype(np.float32), np.arange(count)


def walks(episodes, seed, length=40):
    """Slow walks, a few independent numbers each, in which neighbouring rows are near copies."""
    rng = np.random.default_rng(seed)
    fixed = np.random.default_rng(9).normal(size=(60, 2))

    def slow(size):
        steps = rng.normal(size=(episodes, length, size)) * 0.05
        return (rng.normal(size=(episodes, 1, size)) + steps.cumsum(axis=1)).reshape(-1, size)

    inputs = slow(60)
    actions = 0.2 * inputs @ fixed + slow(2)
    latents, goals = np.split(inputs.astype(np.float32), 2, axis=1)
    return latents, goals, actions[:, None].astype(np.float32), np.repeat(range(episodes), length)


def test_proposal_recovers_an_inverse_that_is_linear():
    proposal = RidgeProposal.fit(*linear_data(200, 0))
    latents, goals, actions, _ = linear_data(20, 0, seed=1)
    found = proposal(torch.from_numpy(latents), torch.from_numpy(goals))
    np.testing.assert_allclose(found, actions, atol=1e-2)


def test_spread_of_a_proposal_is_its_error_on_new_data():
    proposal = RidgeProposal.fit(*linear_data(300, 0.5))
    latents, goals, actions, _ = linear_data(2000, 0.5, seed=1)
    found = proposal(torch.from_numpy(latents), torch.from_numpy(goals)).numpy()
    errors = np.sqrt(((found - actions) ** 2).mean(axis=0))
    np.testing.assert_allclose(proposal.std, errors, rtol=0.12)


@pytest.mark.parametrize("length", [1, 2, 15])
def test_errors_left_out_are_those_of_fits_without_the_episode(length):
    latents, goals, actions, rows = linear_data(60, 0.5)
    episode = rows // length
    proposal = RidgeProposal.fit(latents, goals, actions, episode)
    inputs = np.concatenate([latents, goals], axis=1).astype(np.float64)
    sizes = np.linalg.svd(inputs - inputs.mean(axis=0), compute_uv=False)
    penalty = proposal.penalty * (sizes**2).mean()
    targets = actions.reshape(60, -1).astype(np.float64)
    errors = []
    for one in np.unique(episode):
        kept = episode != one
        design = np.column_stack([inputs[kept], np.ones(kept.sum())])
        shrink = np.diag([*[penalty] * 10, 0.0])
        solved = np.linalg.solve(design.T @ design + shrink, design.T @ targets[kept])
        errors.append(targets[~kept] - np.column_stack([inputs[~kept], np.ones(length)]) @ solved)
    expected = np.sqrt((np.concatenate(errors) ** 2).mean(axis=0))
    np.testing.assert_allclose(proposal.std.flatten(), expected, rtol=1e-4)


def test_spread_of_a_proposal_is_its_error_on_new_episodes():
    latents, goals, actions, episode = walks(30, seed=0)
    proposal = RidgeProposal.fit(latents, goals, actions, episode)
    latents, goals, actions, _ = walks(200, seed=1)
    found = proposal(torch.from_numpy(latents), torch.from_numpy(goals)).numpy()
    errors = np.sqrt(((found - actions) ** 2).mean(axis=0))
    np.testing.assert_allclose(proposal.std, errors, rtol=0.25)


def test_penalty_is_the_better_one_on_new_episodes():
    latents, goals, actions, episode = walks(30, seed=0)
    others = walks(200, seed=1)
    errors = []
    for groups in (episode, np.arange(len(episode))):
        proposal = RidgeProposal.fit(latents, goals, actions, groups)
        found = proposal(*map(torch.from_numpy, others[:2])).numpy()
        errors.append(np.square(found - others[2]).mean())
    assert errors[0] < 0.9 * errors[1]


def test_proposals_from_one_episode_are_refused():
    latents, goals, actions, _ = linear_data(12, 0.5)
    with pytest.raises(DataError, match="of one episode"):
        RidgeProposal.fit(latents, goals, actions, np.zeros(12, np.int64))


def test_proposals_from_parts_that_do_not_belong_together_are_refused():
    latents, goals, actions, episode = linear_data(12, 0.5)
    with pytest.raises(LatentError, match=r"episodes \(11,\)"):
        RidgeProposal.fit(latents, goals, actions, episode[:11])


def test_proposals_from_constant_actions_are_refused():
    latents, goals, actions, episode = linear_data(12, 0.5)
    with pytest.raises(DataError, match="no action effect"):
        RidgeProposal.fit(latents, goals, np.zeros_like(actions), episode)


def test_too_few_sequences_are_refused():
    with pytest.raises(DataError, match="too few"):
        RidgeProposal.fit(*linear_data(2, 0))
