from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
import torch

from mezzanine_core.errors import ConfigError, LatentError
from mezzanine_recipes_dynamics.planning import (
    CEM,
    Box,
    CEMSettings,
    GoalNoise,
    L1Ball,
    LatentCost,
    Prior,
    goal_seeds,
)


def test_optimum_of_a_convex_cost_is_found(bowl, targets, prior):
    plan = CEM(bowl, horizon=3, prior=prior).solve({"target": targets})
    torch.testing.assert_close(plan.actions, targets, atol=1e-4, rtol=0)
    assert float(plan.costs.max()) < 1e-8


def test_frugal_settings_come_near_with_few_calls(bowl, targets, prior):
    plain = CEM(bowl, horizon=3, prior=prior).solve({"target": targets})
    frugal = CEM(bowl, horizon=3, prior=prior, settings=CEMSettings.frugal()).solve(
        {"target": targets}
    )
    assert float(frugal.costs.max()) < 0.1
    assert int(frugal.calls.max()) * 4 < int(plain.calls.min())


@pytest.mark.parametrize("bounds", [Box(-0.5, 0.4), L1Ball(0.6), L1Ball(0.6, "project")])
def test_plans_lie_within_the_bounds_and_reach_their_edge(bowl, targets, prior, bounds):
    plan = CEM(bowl, horizon=3, prior=prior, bounds=bounds).solve({"target": targets})
    torch.testing.assert_close(bounds.clip(plan.actions), plan.actions)
    nearest = targets if isinstance(bounds, Box) else None
    if nearest is not None:
        torch.testing.assert_close(plan.actions, bounds.clip(targets), atol=1e-3, rtol=0)
    assert not torch.allclose(plan.actions, targets, atol=0.1)


def reference(target, noises, mean, std, low, high, topk, momentum, min_std, keep):
    """CEM for one goal, step by step in numpy."""
    kept, kept_costs = [], []
    for noise in noises:
        candidates = mean + std * noise
        candidates[0] = mean
        candidates = list(np.clip(candidates, low, high))
        costs = [float(((one - target) ** 2).sum()) for one in candidates]
        candidates, costs = kept + candidates, kept_costs + costs
        order = np.argsort(costs, kind="stable")[:topk]
        elites = np.stack([candidates[place] for place in order])
        mean = momentum * mean + (1 - momentum) * elites.mean(axis=0)
        std = np.maximum(momentum * std + (1 - momentum) * elites.std(axis=0), min_std)
        kept, kept_costs = list(elites[:keep]), [costs[place] for place in order[:keep]]
    finalists = np.concatenate([mean[None], elites])
    costs = ((finalists - target) ** 2).sum(axis=(1, 2))
    return finalists[costs.argmin()], mean, std


@pytest.mark.parametrize(("keep", "decay", "colour"), [(0, 1.0, 0.0), (3, 0.8, 1.5)])
def test_every_step_is_that_of_a_reference_in_numpy(bowl, targets, keep, decay, colour):
    settings = CEMSettings(
        num_samples=40,
        n_steps=6,
        topk=5,
        momentum=0.2,
        min_std=0.05,
        keep_elites=keep,
        decay=decay,
        colour=colour,
    )
    prior = Prior(torch.tensor([0.1, -0.2]), torch.tensor([1.0, 0.5]))
    planner = CEM(bowl, horizon=3, prior=prior, bounds=Box(-0.8, 0.9), settings=settings)
    plan = planner.solve({"target": targets}, seeds=[3, 1, 4, 1, 5])
    noise = GoalNoise([3, 1, 4, 1, 5], 3, 2, colour=colour, device=torch.device("cpu"))
    for goal in range(5):
        noises = [
            noise.draw([goal], settings.samples_at(step))[0].double().numpy() for step in range(6)
        ]
        actions, mean, std = reference(
            targets[goal].double().numpy(),
            noises,
            np.broadcast_to(prior.mean.double().numpy(), (3, 2)),
            np.broadcast_to(prior.std.double().numpy(), (3, 2)),
            *(-0.8, 0.9, 5, 0.2),
            0.05 * prior.std.double().numpy(),
            keep,
        )
        np.testing.assert_allclose(plan.actions[goal], actions, atol=1e-5)
        np.testing.assert_allclose(plan.mean[goal], mean, atol=1e-5)
        np.testing.assert_allclose(plan.std[goal], std, atol=1e-5)


def test_elites_of_a_slope_are_as_far_out_as_order_statistics_say(prior):
    class Slope:
        def get_cost(self, info_dict, action_candidates):
            return -action_candidates[..., 0, 0]

    settings = CEMSettings(num_samples=20_000, n_steps=1, topk=2_000)
    plan = CEM(Slope(), horizon=1, prior=prior, settings=settings).solve({"any": torch.zeros(4, 1)})
    normal = NormalDist()
    tenth = normal.inv_cdf(0.9)
    expected = normal.pdf(tenth) / 0.1
    variance = 1 + tenth * expected - expected**2
    assert plan.mean[:, 0, 0].numpy() == pytest.approx(expected, abs=0.05)
    assert plan.std[:, 0, 0].numpy() == pytest.approx(variance**0.5, abs=0.05)
    assert plan.mean[:, 0, 1].numpy() == pytest.approx(0, abs=0.1)
    assert plan.std[:, 0, 1].numpy() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("settings", [CEMSettings(n_steps=8), CEMSettings.frugal()])
def test_plan_of_a_goal_is_the_same_to_the_bit_whatever_is_planned_beside_it(
    make_model, make_info, prior, settings
):
    info = make_info(7)
    planner = CEM(LatentCost(make_model()), horizon=4, prior=prior, settings=settings)
    seeds = list(range(10, 17))
    together = planner.solve(info, seeds=seeds)
    for goals in ([0], [6], [2, 5], [6, 0, 3]):
        part = {name: value[goals] for name, value in info.items()}
        alone = planner.solve(part, seeds=[seeds[goal] for goal in goals])
        for name in ("actions", "costs", "calls", "iterations", "converged", "mean", "std"):
            assert torch.equal(getattr(alone, name), getattr(together, name)[goals]), name


def test_seeds_of_goals_are_made_of_the_seed_and_their_place(bowl, targets, prior):
    planner = CEM(bowl, horizon=3, prior=prior, settings=CEMSettings(n_steps=2), seed=4)
    given = planner.solve({"target": targets}, seeds=goal_seeds(4, 5))
    assert torch.equal(planner.solve({"target": targets}).actions, given.actions)
    assert goal_seeds(4, 3) == goal_seeds(4, 5)[:3]
    assert len({*goal_seeds(4, 50), *goal_seeds(5, 50)}) == 100


def test_equal_goals_of_different_seeds_search_differently(bowl, targets, prior):
    same = {"target": targets[:1].expand(2, -1, -1)}
    plan = CEM(bowl, horizon=3, prior=prior, settings=CEMSettings(n_steps=2)).solve(same)
    assert not torch.equal(plan.mean[0], plan.mean[1])


def test_goals_that_get_no_better_stop(bowl, targets, prior):
    class Flat(type(bowl)):
        def get_cost(self, info_dict, action_candidates):
            flat = info_dict["target"][..., 0, 0] == 0
            return torch.where(flat, 1.0, super().get_cost(info_dict, action_candidates))

    targets[2] = 0
    settings = CEMSettings(num_samples=50, topk=5, tolerance=0.01, check_every=4)
    plan = CEM(Flat(), horizon=3, prior=prior, settings=settings).solve({"target": targets})
    # The first check compares with infinity, the second with the first.
    assert plan.iterations[2] == 8
    assert plan.converged[2]
    assert int(plan.calls[2]) == (8 * 50 + 6) * 3
    assert int(plan.iterations[[0, 1, 3, 4]].min()) > 8


def test_without_a_tolerance_every_iteration_is_computed(bowl, targets, prior):
    settings = CEMSettings(num_samples=20, topk=4, n_steps=7)
    plan = CEM(bowl, horizon=3, prior=prior, settings=settings).solve({"target": targets})
    assert plan.iterations.tolist() == [7] * 5
    assert plan.calls.tolist() == [(7 * 20 + 5) * 3] * 5
    assert not plan.converged.any()


def test_lowest_cost_never_rises_where_elites_are_kept(make_model, make_info, prior):
    cost = LatentCost(make_model())
    costs = [
        CEM(
            cost,
            horizon=3,
            prior=prior,
            settings=CEMSettings(num_samples=12, topk=3, n_steps=steps, keep_elites=1),
        )
        .solve(make_info(4))
        .costs
        for steps in range(1, 8)
    ]
    assert all((later <= earlier + 1e-6).all() for earlier, later in pairwise(costs))


def test_warm_start_from_the_optimum_stays_there(bowl, targets, prior):
    settings = CEMSettings(num_samples=10, topk=3, n_steps=1)
    plan = CEM(bowl, horizon=3, prior=prior, settings=settings).solve(
        {"target": targets}, targets, init_std=torch.tensor(0.01)
    )
    torch.testing.assert_close(plan.actions, targets)


def test_steps_that_a_warm_start_lacks_begin_at_the_prior(bowl, targets):
    prior = Prior(torch.tensor([0.3, -0.3]), torch.zeros(2))
    settings = CEMSettings(num_samples=4, topk=2, n_steps=1)
    plan = CEM(bowl, horizon=3, prior=prior, settings=settings).solve(
        {"target": targets}, targets[:, :1]
    )
    torch.testing.assert_close(plan.actions[:, :1], targets[:, :1])
    torch.testing.assert_close(plan.actions[:, 1:], prior.mean.expand(5, 2, 2))


def test_spread_stays_above_its_floor(bowl, targets, prior):
    settings = CEMSettings(num_samples=50, topk=5, n_steps=20, min_std=0.2)
    plan = CEM(bowl, horizon=3, prior=prior, settings=settings).solve({"target": targets})
    assert float(plan.std.min()) >= 0.2 - 1e-6


def test_what_is_searched_in_bfloat16_is_decided_in_float32(make_model, make_info, prior):
    model, info = make_model(hidden=64), make_info(6)
    exact = LatentCost(model)
    fast = LatentCost(model, search_model=model.in_bfloat16())
    settings = CEMSettings(num_samples=100, topk=10, n_steps=12)
    plans = [
        CEM(cost, horizon=3, prior=prior, bounds=Box(-1, 1), settings=settings).solve(info)
        for cost in (exact, fast)
    ]
    known = {name: value.unsqueeze(1) for name, value in info.items()}
    true = exact.get_exact_cost(known, plans[1].actions.unsqueeze(1))[:, 0]
    torch.testing.assert_close(plans[1].costs, true)
    assert float(plans[1].costs.mean()) <= 1.01 * float(plans[0].costs.mean())
    assert not torch.equal(plans[0].actions, plans[1].actions)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_samples": 10, "topk": 11}, "fewer than the topk=11 elites"),
        ({"topk": 0}, "topk=0"),
        ({"n_steps": 0}, "n_steps=0"),
        ({"momentum": 1.0}, "momentum"),
        ({"decay": 0.0}, "decay"),
        ({"keep_elites": 31}, "keep_elites"),
        ({"min_std": -1.0}, "min_std"),
        ({"tolerance": -0.1}, "tolerance"),
        ({"check_every": 0}, "check_every"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        CEMSettings(**wrong)


def test_horizon_below_one_is_refused(bowl, prior):
    with pytest.raises(ConfigError, match="horizon=0"):
        CEM(bowl, horizon=0, prior=prior)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": [1, 2]}, "2 seeds for 5 goals"),
        ({"init_action": torch.zeros(5, 4, 2)}, "init_action"),
        ({"init_action": torch.zeros(5, 3, 1)}, "init_action"),
        ({"init_std": torch.zeros(4, 1, 1)}, "init_std"),
    ],
)
def test_starts_that_do_not_fit_are_refused(bowl, targets, prior, arguments, message):
    with pytest.raises(ConfigError, match=message):
        CEM(bowl, horizon=3, prior=prior).solve({"target": targets}, **arguments)


@pytest.mark.parametrize("info", [{}, {"a": torch.zeros(2), "b": torch.zeros(3)}])
def test_goals_that_cannot_be_counted_are_refused(bowl, prior, info):
    with pytest.raises(ConfigError, match="lengths"):
        CEM(bowl, horizon=3, prior=prior).solve(info)


def test_costs_that_are_not_finite_are_said_with_their_goal(bowl, targets, prior):
    targets[3] = float("nan")
    with pytest.raises(LatentError, match="goal 3 are not finite"):
        CEM(bowl, horizon=3, prior=prior).solve({"target": targets})


def test_costs_of_another_shape_are_refused(targets, prior):
    class Odd:
        def get_cost(self, info_dict, action_candidates):
            return torch.zeros(3)

    with pytest.raises(LatentError, match="expected \\[G, S\\]"):
        CEM(Odd(), horizon=3, prior=prior).solve({"target": targets})
