import numpy as np
import pytest

from mezzanine_core.results import Estimate
from mezzanine_recipes_dynamics.plan_evaluation import Scores
from mezzanine_recipes_dynamics.plan_plots import PLAN_LOOKS, RETRIEVAL_LOOKS, planning_figure
from mezzanine_recipes_dynamics.plan_stage import Planning

ESTIMATE = Estimate(value=0.5, low=0.4, high=0.7, per_seed=(0.45, 0.55))


def planning(*questions):
    rng = np.random.default_rng(0)
    episode = np.arange(20) // 2
    retrieval = Scores(
        scores={
            way: {"rank": rng.integers(1, 9, (2, 20)).astype(float)} for way in RETRIEVAL_LOOKS
        },
        episode=episode,
        report={"n": 20, "candidates": 8, "negatives": "episode"},
    )
    plans = Scores(
        scores={way: {"energy": rng.uniform(0.01, 1, (2, 20))} for way in PLAN_LOOKS},
        episode=episode,
        report={"n": 20, "planner": "cem", "horizon": 3},
    )
    metrics = {
        f"retrieval_{way}": dict.fromkeys(("r@1", "mrr", "mean_rank"), ESTIMATE)
        for way in RETRIEVAL_LOOKS
    }
    for way in PLAN_LOOKS:
        metrics[f"plan_{way}"] = {"energy": ESTIMATE}
        if way in ("planned", "random"):
            metrics[f"plan_{way}"]["action_distance"] = ESTIMATE
    found = {"retrieval": retrieval, "plan": plans}
    return Planning({question: found[question] for question in questions}, metrics, {})


@pytest.mark.parametrize(
    ("questions", "panels"), [(("retrieval",), 4), (("plan",), 3), (("retrieval", "plan"), 7)]
)
def test_each_question_has_its_row_and_every_axis_is_labelled(questions, panels):
    figure = planning_figure(planning(*questions))
    assert len(figure.axes) == panels
    assert all(axes.get_xlabel() for axes in figure.axes)
    assert len(figure.subfigs) == len(questions)


def test_direction_chance_and_intervals_are_said():
    figure = planning_figure(planning("retrieval", "plan"))
    labels = [axes.get_xlabel() for axes in figure.axes[:3]]
    assert ["lower is better" in label for label in labels] == [False, False, True]
    assert "95% interval" in figure.get_suptitle()
    assert "chance" in figure.subfigs[0].get_suptitle()
    assert "the same episode" in figure.subfigs[0].get_suptitle()
    assert "horizon 3" in figure.subfigs[1].get_suptitle()
    assert "lower is better" in figure.subfigs[1].get_suptitle()


def test_error_bars_are_the_intervals():
    axes = planning_figure(planning("plan")).axes[0]
    ends = [collection.get_segments()[0][:, 0].tolist() for collection in axes.collections]
    assert ends == [pytest.approx([0.4, 0.7])] * len(PLAN_LOOKS)


def test_every_way_is_named_once_with_its_figure():
    axes = planning_figure(planning("plan")).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [look.label for look in reversed(list(PLAN_LOOKS.values()))]
    assert [text.get_text() for text in axes.texts] == ["0.5"] * len(PLAN_LOOKS)


def test_ways_that_were_not_asked_for_are_left_out():
    found = planning("plan")
    found.metrics.pop("plan_rounded")
    axes = planning_figure(found).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == len(PLAN_LOOKS) - 1
    assert PLAN_LOOKS["rounded"].label not in names
