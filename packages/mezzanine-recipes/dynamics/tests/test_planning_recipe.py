"""The planning part of the recipe: goals, scores, figures, the picture, whole runs."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import item_keys
from mezzanine_core.worlds import ArrayColumn, Transitions
from mezzanine_recipes_dynamics.plan_evaluation import (
    choose_goals,
    nearest_actions,
    plan,
    retrieve,
    round_actions,
)
from mezzanine_recipes_dynamics.plan_goals import Goals, Questions, chains, draw_rows
from mezzanine_recipes_dynamics.planning import GradientSettings
from mezzanine_recipes_dynamics.predictors import Predictors
from mezzanine_recipes_dynamics.randomness import repetition_streams
from mezzanine_recipes_dynamics.training import Trainer


def trajectories(episodes, drop=()):
    """Transitions along episodes of states 0, 1, 2, … given as their lengths."""
    rows = [
        (episode, step)
        for episode, length in enumerate(episodes)
        for step in range(length)
        if (episode, step) not in drop
    ]
    states = [[float(episode), float(step)] for episode, step in rows]
    after = [[float(episode), float(step + 1)] for episode, step in rows]
    return Transitions(
        obs=ArrayColumn(np.array(states, np.float32), "vector"),
        next_obs=ArrayColumn(np.array(after, np.float32), "vector"),
        action=np.arange(len(rows), dtype=np.float32)[:, None],
        action_names=("a",),
        episode=np.array([episode for episode, _ in rows], np.int64),
        keys=item_keys("test", rows),
    )


def test_chains_follow_an_episode_and_never_leave_it():
    found = chains(trajectories([4, 3]), 3)
    assert found.tolist() == [[0, 1, 2], [1, 2, 3], [4, 5, 6]]


def test_chains_of_one_are_all_transitions():
    assert chains(trajectories([3, 2]), 1)[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_chains_do_not_jump_gaps():
    found = chains(trajectories([4, 4], drop={(0, 2)}), 2)
    assert found.tolist() == [[0, 1], [3, 4], [4, 5], [5, 6]]


def test_too_few_consecutive_transitions_are_refused():
    with pytest.raises(DataError, match="plan_horizon=4"):
        chains(trajectories([5, 3]), 4)


def test_goals_are_the_ends_of_chains(make_samples):
    samples = make_samples(20)
    goals = Goals.along(samples, np.array([[0, 1, 2], [8, 9, 10]]))
    assert (goals.latents == samples.latents[[0, 8]]).all()
    assert (goals.goals == samples.next_latents[[2, 10]]).all()
    assert (goals.actions == samples.actions[[[0, 1, 2], [8, 9, 10]]]).all()
    assert goals.episode.tolist() == [0, 2]


def test_chosen_goals_are_as_many_as_there_are_at_most(make_samples):
    rng = np.random.default_rng(0)
    rows = np.arange(20)[:, None]
    assert len(choose_goals(make_samples(20), rows, 50, rng)) == 20
    assert len(set(choose_goals(make_samples(20), rows, 7, rng).rows.tolist())) == 7


@pytest.mark.parametrize("sizes", [[1, 400], [400, 1], [200, 200], [1, 1]])
def test_drawn_rows_are_of_two_episodes_at_least(sizes):
    episode = np.repeat([5, 3], sizes)
    for seed in range(300):
        drawn = draw_rows(episode, 2, np.random.default_rng(seed))
        assert sorted(episode[drawn]) == [3, 5]


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(2, 30), st.integers(0, 99))
def test_drawn_rows_are_distinct_in_order_and_as_many_as_there_are(sizes, count, seed):
    episode = np.repeat(np.arange(len(sizes)), sizes)
    drawn = draw_rows(episode, count, np.random.default_rng(seed))
    assert len(drawn) == min(count, len(episode))
    assert (np.diff(drawn) > 0).all()
    assert len(np.unique(episode[drawn])) >= 2


def test_every_row_is_as_likely_to_be_drawn():
    episode = np.arange(12) // 3
    counts = np.zeros(12)
    for seed in range(3000):
        counts[draw_rows(episode, 4, np.random.default_rng(seed))] += 1
    np.testing.assert_allclose(counts, 1000, rtol=0.1)


def test_nearest_action_is_that_of_the_same_transition_if_it_is_known(make_samples):
    train = make_samples(30)
    goals = Goals.along(train, np.array([[4], [17]]))
    assert (nearest_actions(train, goals) == train.actions[[4, 17]]).all()


@pytest.fixture
def trained(make_samples, make_config):
    """Predictors of a world in which the action matters, with its splits."""
    config = make_config(
        train_steps=500, hidden=32, train_lr=3e-3, seeds=(0, 1), plan_candidates=8, cem_eval=20
    )
    train, test = make_samples(600), make_samples(60, seed=1)
    streams = [repetition_streams(0, seed) for seed in config.seeds]
    trainer = Trainer(train, None, config, streams, torch.device("cpu"))
    for _ in trainer.run():
        pass
    return trainer.predictors, train, test, config


def questions(test, config):
    return Questions.draw(test.actions, test.episode, config, np.random.default_rng(0))


def test_model_that_uses_the_action_retrieves_it(trained):
    predictors, train, test, config = trained
    found = retrieve(predictors, train, test, questions(test, config))
    means = {way: float(scores["rank"].mean()) for way, scores in found.scores.items()}
    assert means["random"] == 4.5
    assert means["action"] < 1.5
    assert means["action"] < means["nearest"] < means["random"]
    assert found.scores["action"]["r@1"].shape == (2, 60)
    assert found.report == {"n": 60, "candidates": 8, "negatives": "any"}


def test_model_that_ignores_the_action_retrieves_by_chance(trained):
    _, train, test, config = trained
    ignorant = Predictors(dim=6, actions=2, hidden=8, depth=1, seeds=(0,))
    found = retrieve(ignorant, train, test, questions(test, config))
    assert (found.scores["action"]["rank"] == 4.5).all()


@pytest.mark.parametrize("planner", ["cem", "mppi", "gradient"])
@pytest.mark.parametrize("bounds", ["l1", "box", "none"])
def test_plans_beat_random_actions_and_are_near_the_true_ones(trained, planner, bounds):
    predictors, train, test, config = trained
    config = config.model_copy(
        update={"planner": planner, "plan_bounds": bounds, "cem_iters": 12, "cem_samples": 40}
    )
    goals = choose_goals(test, np.arange(60)[:, None], 20, np.random.default_rng(0))
    done = []
    found = plan(predictors, train, goals, config, np.random.default_rng(0), done.append)
    energy = {way: float(scores["energy"].mean()) for way, scores in found.scores.items()}
    assert energy["planned"] < energy["random"] / 5
    assert energy["planned"] < energy["stay"]
    distance = {way: found.scores[way]["action_distance"].mean() for way in ("planned", "random")}
    assert distance["planned"] < distance["random"] / 2
    assert found.scores["planned"]["energy"].shape == (2, 20)
    assert sum(done) == 40


def test_gradient_descent_has_settings_of_its_own(trained):
    predictors, train, test, config = trained
    goals = choose_goals(test, np.arange(60)[:, None], 20, np.random.default_rng(0))
    by_default = config.model_copy(update={"planner": "gradient"})
    fewer = by_default.model_copy(update={"gradient_starts": 3, "gradient_steps": 5})
    calls, energy = [], []
    for each in (by_default, fewer):
        found = plan(predictors, train, goals, each, np.random.default_rng(0), lambda _: None)
        calls.append(found.report["calls_per_goal"])
        energy.append(found.scores["planned"]["energy"].mean())
    settings = GradientSettings()
    expected = settings.num_samples * (settings.n_steps + 1) + 1
    assert calls == [expected, 3 * 6 + 1]
    assert energy[0] < energy[1]


@pytest.mark.parametrize("horizon", [1, 2])
def test_rounded_actions_are_the_nearest_possible_ones(horizon):
    rng = np.random.default_rng(0)
    possible = rng.integers(0, 2, (30, 5)).astype(np.float32)
    asked = rng.normal(size=(7, horizon, 5)).astype(np.float32)
    found = round_actions(asked, possible)
    assert found.shape == asked.shape
    for one, other in zip(asked.reshape(-1, 5), found.reshape(-1, 5), strict=True):
        far = np.square(possible - one).sum(axis=1)
        assert (possible == other).all(axis=1).any()
        assert np.square(other - one).sum() == pytest.approx(far.min())


def test_actions_of_zeros_and_ones_are_planned_relaxed_and_rounded(trained, caplog):
    predictors, train, test, config = trained
    train, test = (
        replace(samples, actions=np.eye(2, dtype=np.float32)[(samples.actions[:, 0] > 0) * 1])
        for samples in (train, test)
    )
    goals = choose_goals(test, np.arange(60)[:, None], 20, np.random.default_rng(0))
    found = plan(predictors, train, goals, config, np.random.default_rng(0), lambda _: None)
    assert found.report["relaxed"] is True
    assert "zeros and ones" in caplog.text
    energy = {way: scores["energy"] for way, scores in found.scores.items()}
    # There are two actions only: what was done, or the other.
    distances = found.scores["rounded"]["action_distance"]
    done = distances == 0
    assert (done | np.isclose(distances, 2, atol=0.01)).all()
    np.testing.assert_allclose(energy["rounded"][done], energy["true"][done], rtol=1e-4)


def test_continuous_actions_are_planned_as_they_are(trained, caplog):
    predictors, train, test, config = trained
    goals = choose_goals(test, np.arange(60)[:, None], 5, np.random.default_rng(0))
    found = plan(predictors, train, goals, config, np.random.default_rng(0), lambda _: None)
    assert found.report["relaxed"] is False
    assert "rounded" not in found.scores
    assert not caplog.records


def test_run_on_discrete_actions_reports_and_draws_rounded_plans(run):
    record, out = run(train_steps=40, do_cem=True, cem_eval=10, **{"world.one_hot": True})
    assert record.diagnostics["planning"]["plan"]["relaxed"] is True
    assert record.metrics["plan_rounded"]["energy"].value > 0
    assert set(record.deltas) >= {"plan_rounded_minus_true", "plan_rounded_minus_random"}
    assert (out / "planning.png").is_file()


def test_state_goes_along_through_retrieval_and_plans(make_samples, make_config):
    config = make_config(
        train_steps=400,
        hidden=32,
        train_lr=3e-3,
        plan_candidates=8,
        cem_iters=10,
        plan_bounds="box",
        seeds=(0,),
    )
    train, test = make_samples(600, states=3), make_samples(60, seed=1, states=3)
    trainer = Trainer(train, None, config, [repetition_streams(0, 0)], torch.device("cpu"))
    for _ in trainer.run():
        pass
    goals = choose_goals(test, np.arange(60)[:, None], 20, np.random.default_rng(0))
    shuffled = replace(test, state=np.roll(test.state, 7, axis=0))
    ranks, energies = [], []
    for samples in (test, shuffled):
        found = retrieve(trainer.predictors, train, samples, questions(samples, config))
        ranks.append(found.scores["action"]["rank"].mean())
        asked = replace(goals, state=samples.state[goals.rows])
        found = plan(
            trainer.predictors, train, asked, config, np.random.default_rng(0), lambda _: None
        )
        energies.append(found.scores["true"]["energy"].mean())
        assert found.scores["planned"]["energy"].mean() < found.scores["random"]["energy"].mean()
    assert 1.2 * ranks[0] < ranks[1]
    assert energies[0] < energies[1] / 2


def test_plans_over_several_transitions_reach_their_end(trained):
    predictors, train, test, config = trained
    # Let every transition of an episode start where the one before it ended.
    for row in range(60):
        if row % 4:
            test.latents[row] = test.next_latents[row - 1]
            made = train_step(test.latents[row], test.actions[row])
            test.next_latents[row] = made
    rows = np.array([[start, start + 1, start + 2] for start in range(0, 60, 4)])
    goals = Goals.along(test, rows)
    config = config.model_copy(update={"plan_horizon": 3, "cem_iters": 10, "plan_bounds": "box"})
    found = plan(predictors, train, goals, config, np.random.default_rng(0), lambda _: None)
    energy = {way: float(scores["energy"].mean()) for way, scores in found.scores.items()}
    assert energy["planned"] < energy["true"] < energy["random"]
    assert found.report["horizon"] == 3


def train_step(latents, actions):
    """The world of the fixture ``make_samples``, noise-free."""
    fixed = np.random.default_rng(7)
    turn = np.linalg.qr(fixed.standard_normal((6, 6)))[0]
    return latents @ turn + actions @ fixed.standard_normal((2, 6))


def test_plans_are_those_of_their_generator(trained):
    predictors, train, test, config = trained
    goals = choose_goals(test, np.arange(60)[:, None], 5, np.random.default_rng(0))
    first, second, other = (
        plan(predictors, train, goals, config, np.random.default_rng(seed), lambda _: None)
        for seed in (0, 0, 1)
    )
    for name in ("energy", "action_distance"):
        assert (first.scores["planned"][name] == second.scores["planned"][name]).all()
    assert (first.scores["planned"]["energy"] != other.scores["planned"]["energy"]).any()


def test_radius_is_the_one_that_is_given_or_a_quantile(trained):
    predictors, train, test, config = trained
    goals = choose_goals(test, np.arange(60)[:, None], 3, np.random.default_rng(0))
    radii = [
        plan(
            predictors,
            train,
            goals,
            config.model_copy(update=update),
            np.random.default_rng(0),
            lambda _: None,
        ).report["radius"]
        for update in ({}, {"cem_l1_bound": 0.5}, {"plan_bounds": "none"})
    ]
    norms = np.abs(train.actions).sum(axis=1)
    assert radii == [pytest.approx(np.quantile(norms, 0.95), rel=1e-6), 0.5, None]


def test_run_reports_retrieval_and_plans(run):
    record, out = run(do_planning=True, plan_candidates=16, do_cem=True, cem_eval=30)
    found = record.metrics
    assert found["retrieval_random"]["mean_rank"].value == 8.5
    assert found["retrieval_action"]["mean_rank"].high < 4
    assert found["retrieval_action"]["r@1"].low > 1 / 16
    assert found["plan_planned"]["energy"].value <= found["plan_true"]["energy"].value
    assert found["plan_planned"]["energy"].high < found["plan_random"]["energy"].low
    assert record.deltas["retrieval_action_minus_random"]["mean_rank"].low > 0
    assert record.deltas["plan_planned_minus_random"]["action_distance"].low > 0
    assert record.diagnostics["planning"]["plan"]["n"] == 30
    assert record.diagnostics["planning"]["retrieval"]["candidates"] == 16
    assert "plan" in record.timings
    assert "planning.png" in record.artifacts
    with Image.open(out / "planning.png") as picture:
        assert picture.width > 1000
    for figures in (found, record.deltas):
        for name, by_metric in figures.items():
            for estimate in by_metric.values():
                assert estimate.low <= estimate.value <= estimate.high, name


def test_planning_changes_nothing_of_the_verdict(run):
    bare, _ = run(out="bare", train_steps=40)
    planned, _ = run(out="planned", train_steps=40, do_planning=True, do_cem=True, cem_eval=10)
    assert planned.verdict == bare.verdict
    for model, by_metric in bare.metrics.items():
        assert planned.metrics[model] == by_metric
    assert bare.diagnostics["planning"] == {}
    assert "planning.png" not in bare.artifacts


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"do_planning": True, "plan_candidates": 201}, "201 candidates are more than the 200"),
        (
            {"do_planning": True, "plan_candidates": 5, "plan_negatives": "episode"},
            "Rank among 4 candidates or fewer",
        ),
        ({"do_cem": True, "plan_horizon": 2}, "plan_horizon=2"),
    ],
)
def test_questions_that_the_split_cannot_answer_are_refused_before_encoding(
    run, tmp_path, flags, message
):
    with pytest.raises(DataError, match=message):
        run(**flags)
    assert not (tmp_path / "cache").exists()


def test_noise_in_place_of_actions_is_retrieved_by_chance(run):
    record, _ = run(train_steps=100, actions="noise", do_planning=True, plan_candidates=4)
    found = record.metrics["retrieval_action"]["mean_rank"]
    assert found.low < 2.5 < found.high


def test_hard_negatives_are_of_the_same_episode(run):
    record, _ = run(train_steps=20, do_planning=True, plan_candidates=4, plan_negatives="episode")
    assert record.metrics["retrieval_random"]["mean_rank"].value == 2.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"plan_candidates": 1},
        {"plan_eval": 1},
        {"plan_horizon": 0},
        {"cem_samples": 15},
        {"cem_iters": 0},
        {"gradient_starts": 0},
        {"gradient_steps": 0},
        {"cem_sigma": 0.0},
        {"cem_l1_quantile": 1.1},
        {"cem_l1_bound": -1.0},
        {"planner": "random"},
        {"plan_dtype": "float16"},
    ],
)
def test_settings_out_of_range_are_refused(make_config, wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        make_config(**wrong)


@pytest.mark.slow
def test_clicks_are_retrieved_and_planned_in_the_simulator(run):
    record, out = run(
        recipe="iphyre_latent_dynamics",
        **{"world": "iphyre", "encoder": "pixels", "n_train": 300, "n_test": 80},
        **{"world.image_size": 64, "encoder.size": 16, "encoder.dim": 64},
        **{"train_steps": 200, "hidden": 64, "plan_candidates": 8, "cem_eval": 16},
        **{"do_planning": True, "do_cem": True, "plan_dtype": "bfloat16"},
    )
    assert record.metrics["retrieval_action"]["mean_rank"].high < 4.5
    assert record.deltas["plan_planned_minus_random"]["energy"].low > 0
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert document["config"]["do_cem"] is True
