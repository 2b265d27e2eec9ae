import numpy as np
import pytest

from mezzanine_core.fingerprint import content_keys
from mezzanine_core.worlds import ArrayColumn, Transitions
from mezzanine_recipes_dynamics.evaluation import evaluate
from mezzanine_recipes_dynamics.montage import Montage, choose, describe_action, montage_figure
from mezzanine_recipes_dynamics.predictors import MODELS, Predictors


@pytest.fixture
def predictors():
    """Untrained: they predict persistence."""
    return Predictors(dim=6, actions=2, hidden=4, depth=1, seeds=(3, 1))


@pytest.fixture
def montage_of(predictors, shuffle):
    def make(test, count=5, seed=0):
        rngs = [np.random.default_rng(0) for _ in predictors.seeds]
        evaluation = evaluate(predictors, test, shuffle, 1, rngs)
        return choose(test, predictors, evaluation, count, np.random.default_rng(seed)), evaluation

    return make


def test_rows_are_drawn_at_random_from_samples_with_an_action(make_samples, montage_of):
    test = make_samples(60)
    test.actions[::2] = 0
    montage, _ = montage_of(test)
    assert len(set(montage.test_rows)) == 5
    assert (montage.test_rows % 2 == 1).all()
    assert montage_of(test)[0].test_rows.tolist() == montage.test_rows.tolist()
    assert montage_of(test, seed=1)[0].test_rows.tolist() != montage.test_rows.tolist()


def test_all_samples_are_candidates_where_none_has_an_action(make_samples, montage_of):
    test = make_samples(40)
    test.actions[:] = 0
    assert len(montage_of(test, count=7)[0].test_rows) == 7


def test_no_more_rows_than_there_are(make_samples, montage_of):
    assert len(montage_of(make_samples(30), count=24)[0].test_rows) == 24
    test = make_samples(30)
    test.actions[3:] = 0
    assert montage_of(test)[0].test_rows.tolist() == [0, 1, 2]


def test_retrieved_is_the_nearest_outcome_and_ranks_are_those_of_the_first_seed(
    make_samples, montage_of
):
    test = make_samples(50)
    montage, evaluation = montage_of(test)
    unit = test.next_latents / np.linalg.norm(test.next_latents, axis=1, keepdims=True)
    assert montage.seed == 3
    for model in MODELS:
        nearest = (test.latents[montage.test_rows] @ unit.T).argmax(axis=1)
        assert montage.retrieved[model].tolist() == nearest.tolist()
        ranks = evaluation.scores[model]["rank"][0, 0, montage.test_rows]
        assert montage.ranks[model].tolist() == ranks.tolist()
        likeness = (unit[nearest] * unit[montage.test_rows]).sum(axis=1)
        np.testing.assert_allclose(montage.likeness[model], likeness, atol=1e-6)


def test_action_is_told_in_words():
    names = ("clicked_0", "clicked_1", "when_0", "when_1")
    action = np.array([0, 1, 0, 0.256], dtype=np.float32)
    assert describe_action(action, names) == "clicked_1 = 1.00\nwhen_1 = 0.26"
    assert describe_action(np.zeros(4, dtype=np.float32), names) == "no action"


def test_long_actions_are_cut_to_four_lines():
    names = tuple(f"f{index}" for index in range(9))
    lines = describe_action(np.ones(9, dtype=np.float32), names).split("\n")
    assert lines == ["f0 = 1.00", "f1 = 1.00", "f2 = 1.00", "and 6 more"]


@pytest.fixture
def figure(ctx):
    """Two rows: the action predictor is right in the first, the no-action predictor never."""
    frames = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), dtype=np.uint8)
    column = ArrayColumn(frames, "image")
    split = Transitions(
        obs=column,
        next_obs=column,
        action=np.ones((30, 1), dtype=np.float32),
        action_names=("force",),
        episode=np.arange(30),
        keys=content_keys(frames),
    )
    montage = Montage(
        test_rows=np.array([3, 8]),
        actions=np.array([[0.5], [0.25]], dtype=np.float32),
        seed=7,
        retrieved={"action": np.array([3, 9]), "no_action": np.array([4, 10])},
        ranks={"action": np.array([1.5, 2.0]), "no_action": np.array([20.0, 25.0])},
        likeness={"action": np.array([1.0, 0.9]), "no_action": np.array([0.5, 0.25])},
    )
    return montage_figure(montage, split, ctx)


def test_columns_and_rows_say_what_they_show(figure):
    assert [axes.get_title() for axes in figure.axes[:4]] == [
        "observation at t",
        "what happened, t + Δ",
        "retrieved, action model",
        "retrieved, no-action model",
    ]
    assert figure.axes[4].get_xlabel() == "test sample 8\nforce = 0.25"
    assert "0.9000" in figure.axes[6].get_xlabel()
    assert "rank of what happened: 25 of 30" in figure.axes[7].get_xlabel()


def test_rows_are_said_not_to_be_chosen(figure):
    assert "drawn at random (not chosen by result)" in figure.get_suptitle()
    assert "seed 7" in figure.get_suptitle()


def test_border_marks_retrieved_frames_that_equal_what_happened(figure):
    wide = [axes.spines["left"].get_linewidth() > 2 for axes in figure.axes]
    assert wide == [False, False, True, False, False, False, False, False]


def test_frames_are_those_of_the_rows(figure):
    shown = [axes.images[0].get_array() for axes in figure.axes]
    assert (shown[0] == shown[1]).all()
    assert (shown[1] == shown[2]).all()
    assert (shown[5] != shown[6]).any()
