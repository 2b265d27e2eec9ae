import numpy as np
import pytest

from mezzanine_core.stats import bootstrap_reduction, bootstrap_statistic
from mezzanine_core.warrant import ViewGroups
from mezzanine_recipes_distill.evaluation import Answers, Averaged, TestViews, control
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


def drawn(rng, items, views=None):
    """A base and a student of half its dependence, on fresh items that differ in confidence."""
    sizes = rng.integers(3, 7, items) if views is None else np.full(items, views)
    test = TestViews(
        ViewGroups(sizes, sizes.astype(np.float64)), np.zeros(items, np.int64), np.arange(items)
    )
    means = rng.normal(size=items) * np.exp(0.8 * rng.normal(size=items))
    kept = means * np.exp(0.8 * rng.normal(size=items))
    noise = rng.normal(size=sizes.sum())
    models = (np.repeat(means, sizes) + noise, np.repeat(kept, sizes) + 0.5 * noise)
    base, student = (Answers(np.stack([z, -z], axis=1)[None], test) for z in models)
    return base, student


def _refitted(base, student, rows):
    """The reduction on some items, with a control that is fitted to them."""
    sizes = base.test.groups.sizes[rows]
    starts = np.repeat(base.test.groups.starts()[rows], sizes)
    taken = starts + np.arange(len(starts)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    groups = ViewGroups(sizes, sizes.astype(np.float64))
    test = TestViews(groups, base.test.label[rows], np.arange(len(rows)))
    of_base, of_student = (Answers(one.logits[:, taken], test) for one in (base, student))
    sure = control(of_base, of_student).answers
    return 1 - of_student.gap.mean() / sure.gap.mean()


def test_interval_against_the_control_is_that_of_refitting_it_in_each_resample():
    base, student = drawn(np.random.default_rng(0), 200)
    found = control(base, student)
    settings = {"resamples": 400}

    def reduction(gap):
        rng = np.random.default_rng(1)
        return bootstrap_reduction(student.gap, gap, base.test.clusters, rng=rng, **settings)

    refitted = bootstrap_statistic(
        lambda rows: _refitted(base, student, rows),
        base.test.clusters,
        rng=np.random.default_rng(1),
        **settings,
    )
    linear, held = reduction(found.gap), reduction(found.answers.gap)
    assert linear.value == pytest.approx(refitted.value, abs=1e-6)
    width = refitted.high - refitted.low
    assert linear.high - linear.low == pytest.approx(width, rel=0.1)
    assert (linear.low, linear.high) == pytest.approx((refitted.low, refitted.high), abs=width / 10)
    assert held.high - held.low < 0.85 * width, "the case is one in which it matters"


def test_comparison_with_the_control_counts_its_temperature(make_config):
    base, student = drawn(np.random.default_rng(0), 200)
    teacher = Averaged.of(np.full((1, 200, 2), 0.5), base.test.label)
    config = make_config(bootstrap=400)
    figurer = Figurer.of(config, base.test, np.random.default_rng(1))
    found = judge(base, teacher, {"head": student}, config, figurer).deltas["head_vs_control"]
    sure = control(base, student).answers
    held = Figurer.of(config, base.test, np.random.default_rng(1)).compare(student, sure)
    for name in ("gap", "gap_reduction"):
        assert found[name].value == pytest.approx(held[name].value, abs=1e-6)
        widths = [one.high - one.low for one in (found[name], held[name])]
        assert widths[0] > 1.1 * widths[1], name


@pytest.mark.slow
def test_95_percent_interval_against_the_control_covers_the_truth_about_95_percent_of_the_time():
    rng = np.random.default_rng(0)
    base, student = drawn(rng, 200_000, views=4)
    truth = 1 - student.gap.mean() / control(base, student).answers.gap.mean()
    covered, trials = {"linear": 0, "held": 0}, 500
    for _ in range(trials):
        base, student = drawn(rng, 150, views=4)
        found = control(base, student)
        for name, gap in (("linear", found.gap), ("held", found.answers.gap)):
            interval = bootstrap_reduction(
                student.gap, gap, base.test.clusters, resamples=400, rng=rng
            )
            covered[name] += interval.low <= truth <= interval.high
    assert 0.92 <= covered["linear"] / trials <= 0.985
    assert covered["held"] / trials < 0.92
