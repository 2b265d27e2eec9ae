"""Laws of beliefs, the confidence control, and calibration."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special

from mezzanine_core.calibration import (
    accuracy,
    confidence,
    confidence_temperature,
    reliability,
    softmax,
)
from mezzanine_core.errors import ConfigError, DataError

laws = settings(deadline=None, max_examples=60)
seeds = st.integers(0, 2**32 - 1)


def logits(seed, rows=20, classes=3):
    return 3 * np.random.default_rng(seed).standard_normal((rows, classes))


@laws
@given(seeds, st.floats(0.05, 20))
def test_softmax_agrees_with_scipy(seed, temperature):
    rows = logits(seed)
    np.testing.assert_allclose(
        softmax(rows, temperature), special.softmax(rows / temperature, axis=1), rtol=1e-10
    )


@laws
@given(seeds, st.floats(0.35, 0.999))
def test_the_fitted_temperature_gives_the_confidence_asked_for(seed, target):
    rows = logits(seed)
    temperature = confidence_temperature(rows, target)
    assert confidence(softmax(rows, temperature)).mean() == pytest.approx(target, abs=1e-9)


@laws
@given(seeds, st.floats(0.2, 5))
def test_the_temperature_of_a_tempered_model_is_found_again(seed, temperature):
    rows = logits(seed)
    found = confidence_temperature(rows, confidence(softmax(rows, temperature)).mean())
    assert found == pytest.approx(temperature, rel=1e-6)


@laws
@given(seeds, st.floats(0.2, 5), st.floats(0.2, 5))
def test_confidence_falls_with_temperature_and_answers_stay(seed, first, second):
    assume(abs(first - second) > 1e-3)
    rows = logits(seed)
    cool, warm = (softmax(rows, one) for one in sorted((first, second)))
    assert confidence(cool).mean() > confidence(warm).mean()
    np.testing.assert_array_equal(cool.argmax(axis=1), warm.argmax(axis=1))


@pytest.mark.parametrize("target", [0.0, 0.33, 1.01])
def test_a_confidence_beyond_reach_is_refused(target):
    with pytest.raises(DataError, match=r"between 0.3333 and 1"):
        confidence_temperature(logits(0), target)


def test_tied_answers_bound_the_confidence():
    rows = np.array([[1.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
    with pytest.raises(DataError, match=r"and 0.75"):
        confidence_temperature(rows, 0.8)
    assert confidence_temperature(rows, 0.7) > 0


@laws
@given(seeds, st.integers(1, 20))
def test_calibration_error_equals_its_definition(seed, bins):
    rng = np.random.default_rng(seed)
    p, labels = softmax(logits(seed, 50)), rng.integers(0, 3, 50)
    sure, right = p.max(axis=1), p.argmax(axis=1) == labels
    expected = 0.0
    for low in range(bins):
        inside = (sure > low / bins) & (sure <= (low + 1) / bins)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    result = reliability(p, labels, bins=bins)
    assert result.expected_calibration_error == pytest.approx(expected)
    assert result.count.sum() == 50


def test_a_calibrated_model_has_no_calibration_error_and_a_sure_wrong_one_has_the_most():
    p = np.tile([0.75, 0.25], (4, 1))
    calibrated = reliability(p, np.array([0, 0, 0, 1]))
    assert calibrated.expected_calibration_error == pytest.approx(0)
    wrong = reliability(np.tile([1.0, 0.0], (4, 1)), np.ones(4, dtype=np.int64))
    assert wrong.expected_calibration_error == 1


def test_accuracy_is_per_prediction():
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    np.testing.assert_array_equal(accuracy(p, np.array([0, 0, 0])), [1, 0, 1])


@pytest.mark.parametrize("labels", [np.array([0]), np.array([[0, 1]])])
def test_labels_that_do_not_fit_are_refused(labels):
    with pytest.raises(DataError, match="labels"):
        accuracy(np.eye(2), labels)


@pytest.mark.parametrize("rows", [np.array([[np.nan, 1.0]]), np.zeros(3), np.zeros((0, 2))])
def test_logits_that_are_no_finite_matrix_are_refused(rows):
    with pytest.raises(DataError, match="finite"):
        softmax(rows)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="temperature"):
        softmax(np.eye(2), 0)
    with pytest.raises(ConfigError, match="bins"):
        reliability(np.eye(2), np.array([0, 1]), bins=0)
    with pytest.raises(DataError, match="no predictions"):
        reliability(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))
