import numpy as np
import pytest

from mezzanine_core.collapse import latent_spread
from mezzanine_recipes_dynamics.diagnostics import Overlap
from mezzanine_recipes_dynamics.evaluation import Evaluation
from mezzanine_recipes_dynamics.judgement import Judge

N = 60


@pytest.fixture
def judge(make_config, make_samples):
    """Judges made-up ranks: ``action`` has rank 1 where ``good`` holds, the others rank 30."""

    def make(good, twin=None, episodes=None, seeds=(0, 1, 2), unchanged=0.0):
        def scores(ranks, repetitions):
            ranks = np.broadcast_to(ranks, (repetitions, 1, N)).astype(float)
            found = {"rank": ranks, "cosine": 1 / ranks, "mrr": 1 / ranks}
            return {**found, "r@1": (ranks <= 1) * 1.0, "r@10": (ranks <= 10) * 1.0}

        poor = np.full(N, 30)
        evaluation = Evaluation(
            scores={
                "action": scores(np.where(good, 1, 30), len(seeds)),
                "no_action": scores(poor, len(seeds)),
                "shuffled": scores(poor, len(seeds)),
                "persistence": scores(poor, 1),
            },
            unchanged=unchanged,
        )
        test = make_samples(N)
        if episodes is not None:
            test.episode[:] = episodes
        none = np.zeros(N, dtype=bool)
        overlap = Overlap(none, none, none, none if twin is None else twin)
        spread = latent_spread(test.next_latents)
        rng = np.random.default_rng(0)
        config = make_config(bootstrap=200, seeds=seeds)
        return Judge(config, evaluation, test, overlap, spread, rng).judge()

    return make


def test_gains_decide(judge):
    assert judge(np.ones(N, dtype=bool)).verdict.label == "MAKE"
    assert judge(np.zeros(N, dtype=bool)).verdict.label == "BREAK"


def test_gain_that_rests_on_twins_alone_is_told(judge):
    half = np.arange(N) < N // 2
    found = judge(good=half, twin=half)
    assert found.verdict.label == "MAKE"
    assert found.without_twins["n"] == 30
    assert found.without_twins["verdict"]["label"] == "BREAK"
    (warning,) = found.verdict.warnings[-1:]
    assert "30 of 60 test samples have a twin" in warning
    assert "by the 30 others alone, BREAK" in warning


def test_gain_that_does_not_need_twins_is_told_too(judge):
    found = judge(good=np.ones(N, dtype=bool), twin=np.arange(N) < 10)
    assert found.without_twins["verdict"]["label"] == "MAKE"
    assert found.without_twins["deltas"]["action_minus_no_action"]["mean_rank"]["value"] == 29


def test_nothing_is_said_of_twins_where_there_are_none(judge):
    found = judge(good=np.ones(N, dtype=bool))
    assert found.without_twins is None
    assert not any("twin" in warning for warning in found.verdict.warnings)


def test_too_few_others_are_not_judged(judge):
    found = judge(good=np.ones(N, dtype=bool), twin=np.arange(N) >= 19)
    assert found.without_twins.keys() == {"n", "summary"}
    assert "the 19 others are too few to judge by" in found.verdict.warnings[-1]


def test_others_of_a_single_episode_are_not_judged(judge):
    found = judge(
        good=np.ones(N, dtype=bool),
        twin=np.arange(N) >= 30,
        episodes=np.where(np.arange(N) < 30, 0, np.arange(N)),
    )
    assert found.without_twins.keys() == {"n", "summary"}


def test_few_episodes_are_warned_of(judge):
    found = judge(good=np.ones(N, dtype=bool), episodes=np.arange(N) % 5)
    assert any("only 5 test episodes" in warning for warning in found.verdict.warnings)


def test_single_seed_is_warned_of(judge):
    found = judge(good=np.ones(N, dtype=bool), seeds=(3,))
    assert found.verdict.label == "MAKE"
    assert any("only one seed" in warning for warning in found.verdict.warnings)


def test_shuffles_that_change_little_are_warned_of(judge):
    found = judge(good=np.ones(N, dtype=bool), unchanged=0.6)
    assert any("60% of the shuffled actions" in warning for warning in found.verdict.warnings)
