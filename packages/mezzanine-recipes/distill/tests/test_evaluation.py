from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mezzanine_core.calibration import softmax
from mezzanine_core.warrant import ViewGroups
from mezzanine_recipes_distill.evaluation import Answers, Averaged, TestViews, control


def views(sizes, orbits, label):
    groups = ViewGroups(np.array(sizes), np.array(orbits, dtype=np.float64))
    return TestViews(groups, np.array(label), np.arange(len(sizes)))


EXACT = views([2, 3, 1], [2, 3, 1], [0, 1, 2])


@st.composite
def answers(draw, seeds=2, scale=4.0, test=EXACT):
    total = int(test.groups.sizes.sum())
    logits = draw(hnp.arrays(np.float64, (seeds, total, 3), elements=st.floats(-scale, scale)))
    return Answers(logits, test)


def per_item(probabilities, figure):
    """A figure of each item from its views alone, by brute force."""
    bounds = np.cumsum([2, 3, 1])
    return [figure(part) for part in np.split(probabilities, bounds[:-1])]


def mean_over_pairs(views, distance):
    found = [distance(a, b) for a, b in combinations(views, 2)]
    return float(np.mean(found)) if found else 0.0


@given(answers())
def test_figures_of_exact_orbits_equal_brute_force(model):
    for seed, logits in enumerate(model.logits):
        p = softmax(logits)

        def tv(a, b):
            return np.abs(a - b).sum() / 2

        def flip(a, b):
            return float(a.argmax() != b.argmax())

        expected = {
            "gap": per_item(p, lambda one: mean_over_pairs(one, tv)),
            "flip_rate": per_item(p, lambda one: mean_over_pairs(one, flip)),
            "tv_to_mean": per_item(p, lambda one: np.mean([tv(q, one.mean(0)) for q in one])),
        }
        for name, values in expected.items():
            assert getattr(model, name)[seed] == pytest.approx(values, abs=1e-9), name


@given(answers())
def test_accuracies_equal_brute_force(model):
    label = model.test.label
    for seed, logits in enumerate(model.logits):
        right = [
            [float(view.argmax() == label[item]) for view in part]
            for item, part in enumerate(per_item(softmax(logits), lambda one: one))
        ]
        assert model.accuracy[seed].tolist() == [one[0] for one in right]
        assert model.accuracy_views[seed] == pytest.approx([np.mean(one) for one in right])


@given(answers(), st.floats(0.2, 5))
def test_temperature_changes_confidence_and_no_answer(model, temperature):
    cooled = model.at([temperature] * len(model.logits))
    assert cooled.logits == pytest.approx(model.logits / temperature)
    clear = np.sort(model.logits, axis=2)
    clear = clear[..., 2] - clear[..., 1] > 1e-6
    same = cooled.probabilities.argmax(axis=2) == model.probabilities.argmax(axis=2)
    assert same[clear].all()
    if temperature > 1:
        assert (cooled.confidence <= model.confidence + 1e-12).all()


@settings(deadline=None)
@given(answers(), st.floats(0.3, 3))
def test_control_of_a_cooled_base_is_that_base(model, temperature):
    student = model.at([temperature] * len(model.logits))
    if np.ptp(model.logits, axis=2).min() < 1e-3:
        return
    found = control(model, student)
    assert found.temperatures == pytest.approx([temperature] * 2, rel=1e-6)
    assert found.answers.gap == pytest.approx(student.gap, abs=1e-9)
    assert found.problem == ""


@settings(deadline=None)
@given(answers(), answers())
def test_control_is_as_confident_as_the_student(base, student):
    found = control(base, student)
    if found.answers is None or found.problem:
        return
    assert found.answers.confidence.mean(axis=1) == pytest.approx(
        student.confidence.mean(axis=1), abs=1e-9
    )


@settings(deadline=None)
@given(answers(), answers())
def test_what_items_contribute_to_the_gap_of_the_control_has_its_mean(base, student):
    found = control(base, student)
    if found.answers is None:
        return
    assert found.gap.mean(axis=1) == pytest.approx(found.answers.gap.mean(axis=1), abs=1e-6)
    if found.temperatures == (1.0, 1.0) and found.problem:
        assert np.array_equal(found.gap, found.answers.gap)


def test_control_has_the_students_seeds_where_the_base_has_none():
    rng = np.random.default_rng(0)
    base = Answers(rng.normal(size=(1, 6, 3)), EXACT)
    student = Answers(rng.normal(size=(3, 6, 3)), EXACT)
    found = control(base, student)
    assert found.answers.logits.shape == (3, 6, 3)
    assert len(set(found.temperatures)) == 3


def test_student_that_only_guesses_has_no_control():
    base = Answers(np.random.default_rng(0).normal(size=(1, 6, 3)), EXACT)
    found = control(base, Answers(np.full((1, 6, 3), 0.25), EXACT))
    assert found.answers is None
    assert found.temperatures == ()
    assert "no surer than a guess" in found.problem


def test_student_surer_than_any_temperature_is_compared_with_the_base():
    tied = np.zeros((1, 6, 3))
    tied[..., 0] = -1  # the two largest tie, so the base is never surer than one half
    base = Answers(tied, EXACT)
    sure = np.zeros((1, 6, 3))
    sure[..., 0] = 9
    found = control(base, Answers(sure, EXACT))
    assert found.temperatures == (1.0,)
    assert np.array_equal(found.answers.logits, base.logits)
    assert "surer than the base" in found.problem


def test_teacher_answers_with_its_own_probabilities():
    probabilities = np.array([[[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.6, 0.1, 0.3]]])
    teacher = Averaged.of(probabilities, np.array([0, 1, 2]))
    assert teacher.accuracy.tolist() == [[1, 1, 0]]
