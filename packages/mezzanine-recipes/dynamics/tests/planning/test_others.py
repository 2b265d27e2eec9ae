import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mezzanine_core.errors import ConfigError, LatentError
from mezzanine_recipes_dynamics.planning import (
    CEM,
    MPPI,
    Box,
    CEMSettings,
    GradientDescent,
    GradientSettings,
    L1Ball,
    LatentCost,
    MPPISettings,
    Planner,
)

PLANNERS = {
    "cem": lambda *args, **kwargs: CEM(*args, settings=CEMSettings(n_steps=5), **kwargs),
    "mppi": lambda *args, **kwargs: MPPI(*args, settings=MPPISettings(n_steps=5), **kwargs),
    "gradient": lambda *args, **kwargs: GradientDescent(
        *args, settings=GradientSettings(num_samples=4, n_steps=5), **kwargs
    ),
}


def test_path_integrals_find_the_optimum_of_a_quadratic(bowl, targets, prior):
    plan = MPPI(bowl, horizon=3, prior=prior).solve({"target": targets})
    torch.testing.assert_close(plan.actions, targets, atol=1e-3, rtol=0)


class Cliff:
    """A bowl off whose edge costs are no finite numbers."""

    def __init__(self, bowl, worst):
        self.bowl, self.worst = bowl, worst

    def get_cost(self, info_dict, action_candidates):
        costs = self.bowl.get_cost(info_dict, action_candidates)
        return costs.where(action_candidates[..., 0, 0] < 0.8, self.worst)


NOT_FINITE = [float("inf"), float("nan"), -float("inf")]


@pytest.mark.parametrize("worst", NOT_FINITE)
def test_candidates_that_cost_no_finite_number_have_no_weight(bowl, targets, prior, worst):
    aims = targets.clone()
    aims[:, 0, 0] = 0.2
    plan = MPPI(Cliff(bowl, worst), horizon=3, prior=prior).solve({"target": aims})
    torch.testing.assert_close(plan.actions, aims, atol=1e-3, rtol=0)
    torch.testing.assert_close(plan.mean, aims, atol=1e-2, rtol=0)


@pytest.mark.parametrize("name", PLANNERS)
@pytest.mark.parametrize("worst", NOT_FINITE)
def test_every_planner_passes_over_what_costs_no_finite_number(bowl, targets, prior, name, worst):
    cost, info = Cliff(bowl, worst), {"target": targets}
    plan = PLANNERS[name](cost, horizon=3, prior=prior).solve(info)
    assert plan.costs.isfinite().all()
    assert (plan.costs < targets.square().sum(dim=(-2, -1))).all()


def test_goal_without_any_finite_cost_is_refused_by_its_place(bowl, targets, prior):
    class Nowhere:
        def get_cost(self, info_dict, action_candidates):
            costs = bowl.get_cost(info_dict, action_candidates)
            costs[2] = torch.nan
            return costs

    with pytest.raises(LatentError, match="goal 2 are not finite"):
        MPPI(Nowhere(), horizon=3, prior=prior).solve({"target": targets})


def test_gradient_descent_finds_the_optimum_of_a_quadratic(bowl, targets, prior):
    settings = GradientSettings(num_samples=2, n_steps=200, lr=0.05)
    plan = GradientDescent(bowl, horizon=3, prior=prior, settings=settings).solve(
        {"target": targets}
    )
    torch.testing.assert_close(plan.actions, targets, atol=5e-3, rtol=0)


def test_gradient_descent_stays_within_the_bounds(bowl, targets, prior):
    settings = GradientSettings(num_samples=2, n_steps=200, lr=0.05)
    box = Box(-0.5, 0.4)
    plan = GradientDescent(bowl, horizon=3, prior=prior, bounds=box, settings=settings).solve(
        {"target": targets}
    )
    torch.testing.assert_close(plan.actions, box.clip(targets), atol=5e-3, rtol=0)


def test_low_temperature_follows_the_best_candidate(bowl, targets, prior):
    settings = MPPISettings(num_samples=50, n_steps=1, temperature=1e-6)
    plan = MPPI(bowl, horizon=3, prior=prior, settings=settings).solve({"target": targets})
    torch.testing.assert_close(plan.mean, plan.actions)


def test_high_temperature_hardly_moves(bowl, targets, prior):
    settings = MPPISettings(num_samples=20_000, n_steps=1, temperature=1e6)
    plan = MPPI(bowl, horizon=3, prior=prior, settings=settings).solve({"target": targets})
    torch.testing.assert_close(plan.mean, torch.zeros(5, 3, 2), atol=0.05, rtol=0)
    torch.testing.assert_close(plan.std, torch.ones(5, 3, 2), atol=0.05, rtol=0)


@pytest.mark.parametrize("name", PLANNERS)
def test_every_planner_gives_a_goal_the_same_plan_in_any_company(
    name, make_model, make_info, prior
):
    info = make_info(5)
    planner: Planner = PLANNERS[name](LatentCost(make_model()), horizon=3, prior=prior)
    together = planner.solve(info, seeds=[7, 8, 9, 10, 11])
    alone = planner.solve({key: value[3:4] for key, value in info.items()}, seeds=[10])
    assert torch.equal(alone.actions[0], together.actions[3])
    assert torch.equal(alone.costs[0], together.costs[3])


@pytest.mark.parametrize("name", PLANNERS)
def test_plans_are_better_than_where_they_started_and_cost_what_is_said(
    name, make_model, make_info, prior
):
    cost, info = LatentCost(make_model()), make_info(5)
    plan = PLANNERS[name](cost, horizon=3, prior=prior).solve(info)
    known = {key: value.unsqueeze(1) for key, value in info.items()}
    started = cost.get_cost(known, torch.zeros(5, 1, 3, 2))[:, 0]
    assert (plan.costs < started).all()
    reached = cost.get_cost(known, plan.actions.unsqueeze(1))[:, 0]
    torch.testing.assert_close(plan.costs, reached)


@pytest.mark.parametrize("name", PLANNERS)
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bounds": Box(np.zeros(3), np.ones(3))}, "box of 3 features does not bound actions of 2"),
        ({"seed": -1}, "seed=-1"),
        ({"horizon": 0}, "horizon=0"),
    ],
)
def test_planners_refuse_what_does_not_fit_when_they_are_made(bowl, prior, name, wrong, message):
    with pytest.raises(ConfigError, match=message):
        PLANNERS[name](bowl, **{"horizon": 3, "prior": prior, **wrong})


@pytest.mark.parametrize("name", PLANNERS)
def test_model_calls_are_counted(name, make_model, make_info, prior):
    model, rows = make_model(), []

    def counted(latents, actions):
        rows.append(len(latents))
        return model(latents, actions)

    plan = PLANNERS[name](LatentCost(counted), horizon=3, prior=prior).solve(make_info(4))
    assert int(plan.calls.sum()) == sum(rows)


def test_cost_without_a_gradient_is_refused_by_gradient_descent(prior):
    class Steps:
        def get_cost(self, info_dict, action_candidates):
            return action_candidates.detach().round().sum(dim=(-2, -1))

    with pytest.raises(ConfigError, match="cannot be differentiated"):
        GradientDescent(Steps(), horizon=2, prior=prior).solve({"any": torch.zeros(2, 1)})


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (MPPISettings, {"temperature": 0.0}),
        (MPPISettings, {"num_samples": 0}),
        (MPPISettings, {"momentum": 1.0}),
        (MPPISettings, {"min_std": -0.1}),
        (GradientSettings, {"lr": 0.0}),
        (GradientSettings, {"n_steps": 0}),
    ],
)
def test_settings_out_of_range_are_refused(settings, wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        settings(**wrong)


class HostReads(TorchDispatchMode):
    """Counts what would wait for a device: reads of single numbers, and sizes that data decide."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        waits = ("_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "unique")
        self.count += any(name in str(func) for name in waits)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("steps", [2, 9])
@pytest.mark.parametrize(
    "make",
    [
        lambda steps, **kwargs: CEM(settings=CEMSettings(n_steps=steps), **kwargs),
        lambda steps, **kwargs: CEM(
            settings=CEMSettings.frugal(n_steps=steps, tolerance=None), **kwargs
        ),
        lambda steps, **kwargs: MPPI(settings=MPPISettings(n_steps=steps), **kwargs),
        lambda steps, **kwargs: GradientDescent(settings=GradientSettings(n_steps=steps), **kwargs),
    ],
)
@pytest.mark.parametrize("bounds", [Box(-1, 1), L1Ball(1.0), L1Ball(1.0, "project")])
def test_nothing_in_the_loop_waits_for_the_device(
    make_model, make_info, prior, make, steps, bounds
):
    planner = make(steps, model=LatentCost(make_model()), horizon=3, prior=prior, bounds=bounds)
    with HostReads() as reads:
        planner.solve(make_info(4), seeds=[0, 1, 2, 3])
    # One look at whether the costs of the plans are finite, when the search is over.
    assert reads.count == 1
