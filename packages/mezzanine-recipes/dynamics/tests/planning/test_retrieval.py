import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mezzanine_core.errors import ConfigError, DataError, LatentError
from mezzanine_recipes_dynamics.planning import (
    LatentCost,
    candidate_costs,
    draw_candidates,
    rank_true,
)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    actions = rng.integers(0, 4, (60, 2)).astype(np.float32)
    return actions, np.arange(60) // 20


@pytest.mark.parametrize("negatives", ["any", "episode"])
def test_candidates_are_the_true_action_and_different_others(data, negatives):
    actions, episode = data
    queries = np.array([3, 25, 59])
    drawn = draw_candidates(actions, episode, queries, 9, np.random.default_rng(1), negatives)
    assert drawn.shape == (3, 9)
    assert drawn[:, 0].tolist() == [3, 25, 59]
    for row in drawn:
        assert len(set(row.tolist())) == 9
        assert (actions[row[1:]] != actions[row[0]]).any(axis=1).all()
        if negatives == "episode":
            assert set(episode[row]) == {episode[row[0]]}


def test_every_other_row_can_be_drawn(data):
    actions, episode = data
    drawn = draw_candidates(actions, episode, np.full(200, 7), 9, np.random.default_rng(1))
    expected = np.flatnonzero((actions != actions[7]).any(axis=1))
    assert set(drawn[:, 1:].ravel().tolist()) == set(expected.tolist())


def test_candidates_are_those_of_the_generator(data):
    first, second, other = (
        draw_candidates(*data, np.arange(5), 4, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert (first != other).any()


def test_more_candidates_than_items_are_refused(data):
    with pytest.raises(DataError, match="61 candidates are more than there are items"):
        draw_candidates(*data, np.arange(5), 61, np.random.default_rng(0))
    with pytest.raises(DataError, match="in its own episode"):
        draw_candidates(*data, np.arange(5), 21, np.random.default_rng(0), "episode")


def test_refusal_says_how_many_candidates_every_query_has():
    actions = np.arange(9, dtype=np.float32)[:, None]
    episode = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    queries, rng = np.array([0, 4, 7]), np.random.default_rng(0)
    with pytest.raises(DataError, match=r"row 7 has 1 rows[^$]*Rank among 2 candidates"):
        draw_candidates(actions, episode, queries, 5, rng, "episode")
    assert draw_candidates(actions, episode, queries, 2, rng, "episode").shape == (3, 2)
    with pytest.raises(DataError, match=r"has 0 rows[^$]*\nTake more data, or negatives from any"):
        draw_candidates(actions, np.arange(9), queries, 2, rng, "episode")


def test_one_candidate_is_no_question(data):
    with pytest.raises(ConfigError, match="at least 2"):
        draw_candidates(*data, np.arange(5), 1, np.random.default_rng(0))


def test_unknown_negatives_are_refused(data):
    with pytest.raises(ConfigError, match="'hard'"):
        draw_candidates(*data, np.arange(5), 2, np.random.default_rng(0), "hard")


def test_constant_and_infinite_actions_are_refused(data):
    actions, episode = data
    with pytest.raises(DataError, match="no action effect can be measured"):
        draw_candidates(np.ones_like(actions), episode, np.arange(5), 4, np.random.default_rng(0))
    actions[4, 1] = np.inf
    with pytest.raises(DataError, match="row 4, feature 1"):
        draw_candidates(actions, episode, np.arange(5), 4, np.random.default_rng(0))


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(2, 7)),
        elements=st.integers(0, 4).map(float),
    )
)
def test_ranks_are_those_of_brute_force_with_ties_shared(costs):
    ranks = rank_true(costs)
    for row, (rank, first, reciprocal) in enumerate(
        zip(ranks.expected(), ranks.recall_at(1), ranks.reciprocal(), strict=True)
    ):
        cheaper = int((costs[row] < costs[row, 0]).sum())
        tied = int((costs[row] == costs[row, 0]).sum())
        places = np.arange(cheaper + 1, cheaper + tied + 1)
        assert rank == places.mean()
        assert first == pytest.approx((places == 1).mean())
        assert reciprocal == pytest.approx((1 / places).mean())


def test_costs_that_rounding_alone_tells_apart_tie():
    ranks = rank_true(np.array([[1.0, 1 - 1e-6, 1 + 1e-6, 0.9]]))
    assert ranks.expected().tolist() == [3.0]


def test_costs_that_are_not_finite_are_refused():
    with pytest.raises(LatentError, match="query 1"):
        rank_true(np.array([[1.0, 2.0], [1.0, np.nan]]))


def test_costs_of_candidates_are_those_of_single_ones(make_model, make_info):
    info, cost = make_info(150), LatentCost(make_model())
    candidates = torch.randn(150, 3, 2, 2)
    found = candidate_costs(cost, info, candidates)
    for query in (0, 63, 64, 149):
        one = {name: value[query : query + 1, None] for name, value in info.items()}
        expected = cost.get_cost(one, candidates[query : query + 1])[0]
        torch.testing.assert_close(found[query], expected)


def test_model_of_the_world_retrieves_every_action_and_one_without_the_action_none(make_info):
    rng = np.random.default_rng(0)
    actions = rng.standard_normal((50, 2)).astype(np.float32)
    latents = make_info(50)["latent"]
    following = latents.clone()
    following[:, :2] += torch.from_numpy(actions)
    rows = draw_candidates(actions, np.arange(50), np.arange(50), 10, rng)
    candidates = torch.from_numpy(actions[rows][:, :, None])
    info = {"latent": latents, "goal": following}

    def knows(latents, actions):
        return torch.cat([latents[:, :2] + actions, latents[:, 2:]], dim=1)

    def ignores(latents, actions):
        return latents

    best, chance = (
        rank_true(candidate_costs(LatentCost(model), info, candidates).numpy())
        for model in (knows, ignores)
    )
    assert best.expected().tolist() == [1.0] * 50
    assert chance.expected().tolist() == [5.5] * 50
