import numpy as np
import pytest

from mezzanine_recipes_distill.evaluation import Answers, Averaged
from mezzanine_recipes_distill.figures import Figurer
from mezzanine_recipes_distill.judgement import final, judge


@pytest.fixture
def judged(make_views, make_config):
    """Judges a student made from the base by a function of its logits [S, V, C]."""

    def make(change, items=120):
        test = make_views(items)
        rng = np.random.default_rng(0)
        means = np.repeat(np.eye(2)[test.label] * 2, 3, axis=0)
        base = Answers((means + rng.normal(size=means.shape))[None], test)
        student = Answers(change(base.logits, means[None]), test)
        teacher = Averaged.of(np.full((1, items, 2), 0.5), test.label)
        config = make_config(bootstrap=400)
        figurer = Figurer.of(config, test, np.random.default_rng(1))
        judgement = judge(base, teacher, {"head": student}, config, figurer)
        return judgement, final(judgement, ["a fact"], ["head"])

    return make


def test_student_that_depends_less_on_the_view_makes(judged):
    judgement, verdict = judged(lambda logits, means: 0.2 * logits + 0.8 * means)
    assert verdict.label == "MAKE"
    assert verdict.warnings == ("a fact",)
    assert judgement.metrics.keys() == {"base", "teacher", "head", "head_control"}
    assert judgement.deltas.keys() == {"head_vs_base", "head_vs_control"}


def test_student_that_is_only_cooler_breaks_and_is_told_apart(judged):
    judgement, verdict = judged(lambda logits, means: logits / 4)
    assert verdict.label == "BREAK"
    assert judgement.controls["head"].temperatures == pytest.approx((4.0,))
    assert any("comes of less confidence" in warning for warning in verdict.warnings)


def test_student_that_loses_accuracy_breaks(judged):
    def wrong_often(logits, means):
        steady = means.copy()
        steady[:, :90] *= -1  # thirty of the items, in all of their views
        return steady

    judgement, verdict = judged(wrong_often)
    assert judgement.deltas["head_vs_control"]["gap_reduction"].value == pytest.approx(1)
    assert verdict.label == "BREAK"
    assert {one.name: one.outcome for one in verdict.criteria}["accuracy_kept"] == "not met"


def test_student_that_only_guesses_has_no_control_and_never_makes(judged):
    judgement, verdict = judged(lambda logits, means: np.zeros_like(logits))
    assert "head_control" not in judgement.metrics
    assert "head_vs_control" not in judgement.deltas
    assert verdict.label != "MAKE"
    assert any("no surer than a guess" in warning for warning in verdict.warnings)


def test_every_student_is_judged_and_the_first_decides(make_views, make_config):
    test = make_views(100)
    rng = np.random.default_rng(0)
    means = np.repeat(np.eye(2)[test.label] * 2, 3, axis=0)[None]
    base = Answers(means + rng.normal(size=means.shape), test)
    students = {"head": base, "projection": Answers(means, test)}
    teacher = Averaged.of(np.full((1, 100, 2), 0.5), test.label)
    config = make_config()
    figurer = Figurer.of(config, test, np.random.default_rng(1))
    judgement = judge(base, teacher, students, config, figurer)
    assert judgement.verdicts["head"].label == "BREAK"
    assert judgement.verdicts["projection"].label == "MAKE"
    assert final(judgement, [], ["head", "projection"]).label == "BREAK"
    assert final(judgement, [], ["projection", "head"]).label == "MAKE"
