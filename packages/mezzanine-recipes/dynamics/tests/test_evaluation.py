import numpy as np
import pytest
import torch

from mezzanine_core.stats import bootstrap_mean
from mezzanine_recipes_dynamics.evaluation import (
    COMPARISONS,
    METRICS,
    Evaluation,
    estimate,
    evaluate,
    gains,
    rankings,
    row_cosines,
    score,
)
from mezzanine_recipes_dynamics.predictors import Predictors


@pytest.fixture
def predictors():
    made = Predictors(dim=6, actions=2, hidden=8, depth=1, seeds=(0, 5))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return made


def rngs():
    return [np.random.default_rng(seed) for seed in (0, 5)]


def random_evaluation(n, shuffles=3, seed=0):
    rng = np.random.default_rng(seed)

    def scores(seeds, repeats):
        shape = (seeds, repeats, n)
        return {
            "cosine": rng.uniform(-1, 1, shape),
            "rank": rng.integers(1, n + 1, shape).astype(float),
            **{name: rng.uniform(0, 1, shape) for name in ("r@1", "r@10", "mrr")},
        }

    return Evaluation(
        scores={
            "action": scores(2, 1),
            "no_action": scores(2, 1),
            "shuffled": scores(2, shuffles),
            "persistence": scores(1, 1),
        },
        unchanged=0.0,
    )


def test_scores_agree_with_brute_force():
    rng = np.random.default_rng(0)
    targets = rng.standard_normal((30, 4)).astype(np.float32)
    targets[7] = targets[3]
    predicted = targets + rng.standard_normal((30, 4)).astype(np.float32)
    found = score(predicted, targets)
    unit = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (predicted, targets)]
    cosines = unit[0].astype(float) @ unit[1].T.astype(float)
    for row in range(30):
        true = cosines[row, row]
        greater = int((cosines[row] > true + 1e-6).sum())
        tied = int((abs(cosines[row] - true) <= 1e-6).sum())
        places = np.arange(greater + 1, greater + tied + 1)
        assert found["cosine"][row] == pytest.approx(true, abs=1e-6)
        assert found["rank"][row] == places.mean()
        assert found["r@1"][row] == pytest.approx((places <= 1).mean())
        assert found["r@10"][row] == pytest.approx((places <= 10).mean())
        assert found["mrr"][row] == pytest.approx((1 / places).mean())


def test_cosines_of_rows_without_length_are_zero():
    rows = np.array([[1.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    assert row_cosines(rows, rows).tolist() == [1.0, 0.0]


def test_every_model_is_scored_on_every_sample(predictors, make_samples, shuffle):
    found = evaluate(predictors, make_samples(40), shuffle, 3, rngs())
    shapes = {model: scores["rank"].shape for model, scores in found.scores.items()}
    assert shapes == {
        "action": (2, 1, 40),
        "no_action": (2, 1, 40),
        "shuffled": (2, 3, 40),
        "persistence": (1, 1, 40),
    }


def test_persistence_is_the_score_of_the_latents_themselves(predictors, make_samples, shuffle):
    test = make_samples(40)
    found = evaluate(predictors, test, shuffle, 1, rngs())
    expected = score(test.latents, test.next_latents)
    assert all(
        (found.scores["persistence"][name][0, 0] == values).all()
        for name, values in expected.items()
    )


def test_shuffled_is_the_action_model_with_permuted_actions(predictors, make_samples, shuffle):
    test = make_samples(40)
    found = evaluate(predictors, test, shuffle, 2, rngs())
    rng = rngs()[1]
    for repeat in range(2):
        actions = shuffle.act(shuffle.sample(test.actions, rng), test.actions)
        assert sorted(map(tuple, actions)) == sorted(map(tuple, test.actions))
        expected = score(predictors.predict("action", 5, test.latents, actions), test.next_latents)
        assert (found.scores["shuffled"]["rank"][1, repeat] == expected["rank"]).all()


def test_shuffling_equal_actions_changes_nothing(predictors, make_samples, shuffle):
    test = make_samples(40)
    test.actions[:] = test.actions[0]
    found = evaluate(predictors, test, shuffle, 2, rngs())
    assert found.unchanged == 1.0
    scores = found.scores
    assert (scores["shuffled"]["rank"] == scores["action"]["rank"]).all()


def test_share_of_unchanged_actions_is_counted(predictors, make_samples, shuffle):
    test = make_samples(40)
    assert evaluate(predictors, test, shuffle, 4, rngs()).unchanged == 0.0
    test.actions[:20] = 0
    # A derangement deals one of the 19 other zeros to a sample with zero with chance 19/39.
    found = evaluate(predictors, test, shuffle, 50, rngs())
    assert found.unchanged == pytest.approx(0.5 * 19 / 39, abs=0.03)


def test_estimates_average_shuffles_and_keep_seeds_apart(make_config):
    evaluation, episode = random_evaluation(24), np.arange(24) // 2
    config = make_config(bootstrap=200, level=0.9)
    found = estimate(evaluation, episode, config, np.random.default_rng(0))
    assert found.keys() == evaluation.scores.keys()
    for model, scores in evaluation.scores.items():
        assert found[model].keys() == {metric.name for metric in METRICS}
        means = scores["r@10"].mean(axis=(1, 2))
        assert found[model]["r@10"].per_seed == pytest.approx(tuple(means))
        assert found[model]["r@10"].value == pytest.approx(means.mean())
        assert found[model]["mean_rank"].value == pytest.approx(scores["rank"].mean())
        medians = np.median(scores["rank"].reshape(len(means), -1), axis=1)
        assert found[model]["median_rank"].per_seed == pytest.approx(tuple(medians))
        assert found[model]["median_rank"].level == 0.9


def test_intervals_resample_episodes(make_config):
    """All samples of an episode alike: the interval must be that of the episodes."""
    evaluation = random_evaluation(40)
    values = np.repeat(np.random.default_rng(1).uniform(0, 1, 10), 4)
    evaluation.scores["persistence"]["r@10"][:] = values
    config = make_config(bootstrap=2000)

    def width(episode):
        rng = np.random.default_rng(0)
        found = estimate(evaluation, episode, config, rng)["persistence"]["r@10"]
        return found.high - found.low

    by_episode = bootstrap_mean(
        values[::4], np.arange(10), resamples=2000, rng=np.random.default_rng(0)
    )
    assert width(np.arange(40) // 4) == pytest.approx(by_episode.high - by_episode.low, rel=0.1)
    assert width(np.arange(40) // 4) > 1.5 * width(np.arange(40))


def test_positive_gains_mean_that_the_first_is_better(make_config):
    evaluation, episode = random_evaluation(24), np.arange(24)
    found = gains(evaluation, episode, make_config(bootstrap=100), np.random.default_rng(0))
    assert found.keys() == COMPARISONS.keys()
    for name, (first, second) in COMPARISONS.items():
        difference = {
            score_: evaluation.scores[first][score_].mean()
            - evaluation.scores[second][score_].mean()
            for score_ in ("cosine", "rank", "r@1")
        }
        assert found[name]["cosine"].value == pytest.approx(difference["cosine"])
        assert found[name]["r@1"].value == pytest.approx(difference["r@1"])
        assert found[name]["mean_rank"].value == pytest.approx(-difference["rank"])


def test_gain_of_medians_is_the_difference_of_the_medians(make_config):
    evaluation, episode = random_evaluation(25), np.arange(25)
    found = gains(evaluation, episode, make_config(bootstrap=100), np.random.default_rng(0))
    action, shuffled = (
        np.median(evaluation.scores[model]["rank"].reshape(2, -1), axis=1)
        for model in ("action", "shuffled")
    )
    assert found["action_minus_shuffled"]["median_rank"].value == pytest.approx(
        (shuffled - action).mean()
    )


def test_a_model_gains_nothing_over_itself(make_config):
    evaluation = random_evaluation(24)
    evaluation.scores["no_action"].update(evaluation.scores["action"])
    found = gains(evaluation, np.arange(24), make_config(bootstrap=100), np.random.default_rng(0))[
        "action_minus_no_action"
    ]
    assert all((gain.value, gain.low, gain.high) == (0, 0, 0) for gain in found.values())


def test_restricted_gains_are_those_of_the_samples_left(make_config):
    evaluation, only = random_evaluation(30), np.arange(30) % 3 > 0
    config = make_config(bootstrap=100)
    found = gains(evaluation, np.arange(30), config, np.random.default_rng(0), only=only)
    ranks = [evaluation.scores[m]["rank"][..., only].mean() for m in ("action", "no_action")]
    assert found["action_minus_no_action"]["mean_rank"].value == pytest.approx(ranks[1] - ranks[0])


def test_intervals_stay_within_what_a_metric_can_be(make_config):
    evaluation = random_evaluation(20)
    for scores in evaluation.scores.values():
        scores["r@10"][:] = 0
        scores["r@10"][..., 0] = 1
        scores["rank"][:] = 1
        scores["rank"][..., 0] = 20
    found = estimate(evaluation, np.arange(20), make_config(), np.random.default_rng(0))
    assert {model["r@10"].low for model in found.values()} == {0.0}
    assert {model["mean_rank"].low for model in found.values()} == {1.0}
    assert all(
        model["r@10"].low <= model["r@10"].value <= model["r@10"].high for model in found.values()
    )


def test_every_ranking_and_every_interval_is_counted(
    predictors, make_samples, make_config, shuffle
):
    ranked, drawn = [], []
    evaluation = evaluate(
        predictors, make_samples(40), shuffle, 3, rngs(), lambda: ranked.append(1)
    )
    assert len(ranked) == rankings(len(predictors.seeds), 3)
    config, rng = make_config(bootstrap=100), np.random.default_rng(0)
    episode = np.arange(40) // 4
    estimate(evaluation, episode, config, rng, lambda: drawn.append(1))
    assert len(drawn) == len(METRICS) * len(evaluation.scores)
    drawn.clear()
    gains(evaluation, episode, config, rng, advance=lambda: drawn.append(1))
    assert len(drawn) == len(METRICS) * len(COMPARISONS)
