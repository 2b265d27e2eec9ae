"""Players, on a world whose true model is known."""

import numpy as np
import pytest
import torch

from mezzanine_core.errors import DataError
from mezzanine_recipes_dynamics.planning import CEMSettings, LatentCost, Prior
from mezzanine_recipes_dynamics.players import (
    IdlePlayer,
    OraclePlayer,
    RandomPlayer,
    SearchPlayer,
    ShootingPlayer,
    Situation,
    pick_lowest,
    play,
)


def steerings(count=12, steps=2, choices=False, seed=0):
    # Installed by a fixture, so not there when this module is imported.
    from dynamics_test_parts.worlds import Steering

    rng = np.random.default_rng(seed)
    return [Steering(f"task {place}", steps, choices, rng) for place in range(count)]


def true_model(task):
    turn, push = (torch.tensor(part, dtype=torch.float32) for part in (task.turn, task.push))
    return lambda latents, actions: latents @ turn + actions @ push


def searching(task):
    prior = Prior(torch.zeros(2), torch.ones(2))
    settings = CEMSettings(num_samples=200, topk=20, n_steps=20)
    return SearchPlayer(LatentCost(true_model(task)), prior, settings)


def outcome(tasks, player, seed=1):
    goals = np.stack([task.goal for task in tasks])
    rngs = np.random.default_rng(seed).spawn(len(tasks))
    return play(tasks, player, goals, np.stack, rngs)


def test_search_with_the_true_model_solves_every_task():
    tasks = steerings()
    found = outcome(tasks, searching(tasks[0]))
    assert found.solved.all()
    assert (found.distance <= tasks[0].tolerance).all()


def test_shooting_with_the_true_model_solves_every_task_of_few_actions():
    tasks = steerings(choices=True)
    assert outcome(tasks, ShootingPlayer(LatentCost(true_model(tasks[0])), 1500)).solved.all()


def test_oracle_solves_every_task_and_others_do_not():
    tasks = steerings()
    assert outcome(tasks, OraclePlayer()).solved.all()
    assert not outcome(tasks, IdlePlayer()).solved.any()
    assert outcome(tasks, RandomPlayer()).solved.mean() < 0.5


def test_model_that_ignores_the_action_plays_as_at_random():
    tasks = steerings(count=400, steps=1, choices=True)
    blind = ShootingPlayer(LatentCost(lambda latents, actions: latents), 16)
    rngs = np.random.default_rng(0).spawn(len(tasks))
    latents = np.stack([task.start() for task in tasks])
    goals = np.stack([task.goal for task in tasks])
    acts = blind.choose(Situation(tasks, latents, goals, 0, 1, rngs))
    kinds, counts = np.unique(acts, axis=0, return_counts=True)
    assert len(kinds) == 9
    # Four standard deviations of a count of 400/9.
    assert (np.abs(counts - 400 / 9) < 4 * np.sqrt(400 / 9)).all()


def test_ties_for_the_lowest_cost_are_broken_at_random_and_nothing_else_is_taken():
    costs = np.array([0.5, 0.2, 0.7, 0.2, 0.2 + 1e-6], np.float32)
    rng = np.random.default_rng(0)
    assert {pick_lowest(costs, rng) for _ in range(100)} == {1, 3, 4}


@pytest.mark.parametrize("choices", [True, False])
def test_plans_of_a_task_do_not_depend_on_the_others(choices):
    tasks = steerings(choices=choices, count=5)
    cost = LatentCost(true_model(tasks[0]))
    player = ShootingPlayer(cost, 50) if choices else searching(tasks[0])
    goals = np.stack([task.goal for task in tasks])
    whole = play(tasks, player, goals, np.stack, np.random.default_rng(3).spawn(5))
    part = play(tasks[2:], player, goals[2:], np.stack, np.random.default_rng(3).spawn(5)[2:])
    assert (np.stack(part.last) == np.stack(whole.last)[2:]).all()
    assert (part.acts == whole.acts[2:]).all()


def test_nothing_is_done_after_a_task_is_over():
    tasks = steerings(steps=3)
    tasks[0].oracle = tasks[0].oracle[:1]
    tasks[0].goal = tasks[0].follow(tasks[0].begin, tasks[0].oracle[0]).astype(np.float32)
    found = outcome(tasks, OraclePlayer())
    assert found.acts[0] == 1
    assert found.solved[0]


def test_plans_get_shorter_as_acts_are_spent():
    seen = []

    class Noting(RandomPlayer):
        def choose(self, situation):
            seen.append((situation.done, situation.left))
            return super().choose(situation)

    outcome(steerings(steps=3), Noting())
    assert seen == [(0, 3), (1, 2), (2, 1)]


def test_tasks_are_closed_also_where_one_fails():
    tasks = steerings(count=2)
    closed = []
    for task in tasks:
        task.close = lambda: closed.append(True)

    class Broken(RandomPlayer):
        def choose(self, situation):
            return np.full((len(situation.tasks), 2), np.nan, np.float32)

    with pytest.raises(DataError, match="not finite"):
        outcome(tasks, Broken())
    assert len(closed) == 2
