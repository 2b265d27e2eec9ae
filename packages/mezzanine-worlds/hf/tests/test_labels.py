import math
from typing import Any

import pytest

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_hf.labels import MAX_CLASSES, Raw, Truth, read_labels

PLAIN = Truth("false", "true", words=False)
ANSWERS = Truth("no", "yes", words=True)
SPLITS = ("train", "validation", "test")


def _raw(values: list[Any], split: str = "train", names: tuple[str, ...] = ()) -> Raw:
    return Raw(split, [10 * place for place in range(len(values))], values, names)


def _read(values: list[Any], *, names=(), truth=PLAIN, own=()) -> tuple[list[int], tuple]:
    (indices,), found = read_labels([_raw(values, names=own)], names, truth, SPLITS)
    return indices.tolist(), found


@pytest.mark.parametrize(
    ("values", "indices", "names"),
    [
        ([0, 2, 1], [0, 2, 1], ("0", "1", "2")),
        ([5, 1, 3], [2, 0, 1], ("1", "3", "5")),
        ([0.0, 1.0], [0, 1], ("0", "1")),
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        ([True, False], [1, 0], ("false", "true")),
    ],
)
def test_classes_are_the_different_labels_in_order(values, indices, names) -> None:
    assert _read(values) == (indices, names)


@pytest.mark.parametrize(
    ("values", "indices"),
    [
        ([True, False], [1, 0]),
        ([0, 1, 1], [0, 1, 1]),
        ([1, 1], [1, 1]),
        (["yes", "no"], [1, 0]),
        (["Yes", "NO", "yes "], [1, 0, 1]),
        (["true", "False"], [1, 0]),
    ],
)
def test_answers_that_are_truth_values_are_no_and_yes(values, indices) -> None:
    assert _read(values, truth=ANSWERS) == (indices, ("no", "yes"))


def test_other_answers_are_classes_of_their_own() -> None:
    found = _read(["yes", "no", "maybe"], truth=ANSWERS)
    assert found == ([2, 1, 0], ("maybe", "no", "yes"))
    assert _read([0, 2, 1], truth=ANSWERS)[1] == ("0", "1", "2")


def test_the_data_name_the_classes_where_they_can() -> None:
    assert _read([1, 0], own=("bad", "good", "none")) == ([1, 0], ("bad", "good", "none"))


def test_the_settings_name_the_classes() -> None:
    assert _read([1, 0], names=("bad", "good")) == ([1, 0], ("bad", "good"))
    assert _read(["good", "bad"], names=("good", "bad")) == ([0, 1], ("good", "bad"))
    assert _read([1, 0], names=("bad", "good"), own=("a", "b")) == ([1, 0], ("bad", "good"))
    assert _read(["yes", "no"], names=("yes", "no"), truth=ANSWERS) == ([0, 1], ("yes", "no"))


@pytest.mark.parametrize("own", [("a", "b", "c"), ()])
def test_as_many_names_are_wanted_as_there_are_classes(own: tuple) -> None:
    values = [0, 1] if own else [False, True]
    with pytest.raises(ConfigError, match=r"label_names has 4 names \(p, q, r, s\)"):
        _read(values, names=("p", "q", "r", "s"), own=own)


@pytest.mark.parametrize("missing", [None, -1, math.nan])
def test_missing_labels_are_counted_and_the_splits_listed(missing: object) -> None:
    expected = (
        r"2 of 4 labels of the split 'train' are missing, the first in row 10 .*"
        + ", ".join(SPLITS)
    )
    with pytest.raises(DataError, match=expected):
        _read([0, missing, 1, missing])


@pytest.mark.parametrize("wrong", [0.5, [1], {"text": ["a"]}, b"a"])
def test_labels_that_are_no_classes_are_refused(wrong: object) -> None:
    with pytest.raises(
        DataError, match=r"1 of 2 labels of the split 'train' are no classes.*row 10"
    ):
        _read([0, wrong])


@pytest.mark.parametrize(
    ("train", "test", "names", "unknown", "known"),
    [
        ([0, 1], [0, 7], (), "7", "0 .*1"),
        (["a", "b"], ["c", "a"], (), "'c'", "'a' .*'b'"),
        ([0, 1], [2, 1], ("no", "yes"), "2", r"0 \(no\), 1 \(yes\)"),
        (["no", "never"], ["no", "no"], ("no", "yes"), "'never'", "'no' .*'yes'"),
    ],
)
def test_unknown_labels_are_listed_with_the_known_ones(train, test, names, unknown, known) -> None:
    with pytest.raises(DataError, match=rf"unknown \({unknown}\).*known are {known}"):
        read_labels([_raw(train), _raw(test, "test")], names, PLAIN, SPLITS)


def test_labels_of_several_types_are_refused() -> None:
    with pytest.raises(DataError, match="several types: int, str"):
        read_labels([_raw([0, 1]), _raw(["a"], "test")], (), PLAIN, SPLITS)


def test_splits_that_name_their_classes_differently_are_refused() -> None:
    splits = [_raw([0], names=("a", "b")), _raw([0], "test", names=("b", "a"))]
    with pytest.raises(DataError, match="'train': a, b; 'test': b, a"):
        read_labels(splits, (), PLAIN, SPLITS)


def test_too_many_different_labels_are_taken_for_something_else() -> None:
    with pytest.raises(DataError, match=f"{MAX_CLASSES + 1} different labels"):
        _read(list(range(MAX_CLASSES + 1)))
    assert len(_read(list(range(MAX_CLASSES)))[1]) == MAX_CLASSES
