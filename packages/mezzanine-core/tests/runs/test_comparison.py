"""Comparing two runs field by field."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.results import Criterion, Estimate, Verdict
from mezzanine_core.runs.comparison import Tolerance, compare

FIGURES = {"action": {"r@10": Estimate(value=0.5, low=0.4, high=0.6, per_seed=(0.4, 0.6))}}
VERDICT = Verdict(
    label="MAKE",
    sentence="It helps by 0.50.",
    criteria=(Criterion(name="helps", outcome="met", detail="0.50"),),
)
DEFAULT = Tolerance()
FOUND = {
    "metrics": FIGURES,
    "verdict": VERDICT,
    "data": {"n": 40, "names": ["a", "b"]},
    "diagnostics": {"curve": [1.0, 0.5], "torch": {"threads": 2}, "costs": {"seconds": 3.0}},
}


@pytest.fixture
def compared(record, tmp_path):
    """Compares a run with one that found something else."""

    def call(tolerance=DEFAULT, **changes):
        then = record().model_copy(update=FOUND)
        now = then.model_copy(update=changes)
        return compare(then, now, tolerance=tolerance, directories=(tmp_path / "a", tmp_path / "b"))

    return call


def value(number):
    return {"action": {"r@10": FIGURES["action"]["r@10"].model_copy(update={"value": number})}}


def test_equal_results_are_identical_in_every_field(compared):
    found = compared()
    assert (found.outcome, found.differences, found.inside_intervals) == ("identical", (), None)
    assert found.fields == found.identical > 10


def test_small_differences_are_within_the_tolerance_and_listed(compared):
    found = compared(metrics=value(0.5001))
    assert found.outcome == "within tolerance"
    (difference,) = found.differences
    assert difference.path == "metrics.action.r@10.value"
    assert (difference.then, difference.now, difference.drifted) == (0.5, 0.5001, False)
    assert found.identical == found.fields - 1


def test_without_tolerance_the_last_digit_counts(compared):
    exact = Tolerance(relative=0, absolute=0)
    found = compared(exact, metrics=value(math.nextafter(0.5, 1)))
    assert found.outcome == "drifted"
    assert compared(exact).outcome == "identical"


@pytest.mark.parametrize(("number", "inside"), [(0.59, True), (0.7, False)])
def test_estimates_that_drifted_may_lie_in_the_earlier_interval(compared, number, inside):
    found = compared(metrics=value(number))
    assert (found.outcome, found.inside_intervals) == ("drifted", inside)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"verdict": VERDICT.model_copy(update={"label": "BREAK"})}, "verdict.label"),
        ({"verdict": None}, "verdict"),
        ({"data": {"n": 41, "names": ["a", "b"]}}, "data.n"),
        ({"data": {"n": 40, "names": ["a", "c"]}}, "data.names[1]"),
        ({"data": {"n": 40, "names": ["a"]}}, "data.names"),
        ({"data": {"n": 40.0, "names": ["a", "b"]}}, None),
        ({"data": {"n": True, "names": ["a", "b"]}}, "data.n"),
        ({"metrics": {}}, "metrics.action"),
        ({"metrics": {**FIGURES, "extra": {}}}, "metrics.extra"),
        ({"artifacts": ("plot.png",)}, "artifacts"),
    ],
)
def test_all_else_is_compared_exactly(compared, changes, path):
    found = compared(Tolerance(relative=0.5, absolute=1), **changes)
    drifted = [difference.path for difference in found.differences if difference.drifted]
    assert drifted == ([] if path is None else [path])


def test_timings_machines_and_sentences_are_left_out(compared):
    other = VERDICT.model_copy(
        update={
            "sentence": "It helps by 0.5.",
            "criteria": (VERDICT.criteria[0].model_copy(update={"detail": "0.5"}),),
        }
    )
    diagnostics = {"curve": [1.0, 0.5], "torch": {"threads": 8}, "costs": {"seconds": 9.0}}
    found = compared(verdict=other, diagnostics=diagnostics, timings={"total": 9.0})
    assert found.outcome == "identical"


def test_files_are_told_apart_but_decide_nothing(compared, tmp_path, record):
    for folder, text in (("a", "x"), ("b", "y")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.txt").write_text("same")
        (tmp_path / folder / "other.txt").write_text(text)
    names = ("same.txt", "other.txt", "absent.txt")
    then = record(artifacts=names)
    found = compare(then, then, tolerance=Tolerance(), directories=(tmp_path / "a", tmp_path / "b"))
    assert found.outcome == "identical"
    assert found.files == {"same.txt": "identical", "other.txt": "drifted", "absent.txt": "missing"}


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(numbers, numbers, st.floats(0, 1), st.floats(0, 1))
def test_tolerance_is_symmetric_and_takes_equal_numbers(first, second, relative, absolute):
    tolerance = Tolerance(relative=relative, absolute=absolute)
    assert tolerance.allows(first, first)
    assert tolerance.allows(first, second) == tolerance.allows(second, first)
    assert tolerance.allows(first, second) == (
        abs(first - second) <= max(relative * max(abs(first), abs(second)), absolute)
    )


def test_the_directories_are_named(compared, tmp_path):
    assert Path(compared().run) == tmp_path / "a"
