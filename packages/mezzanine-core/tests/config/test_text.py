"""Values as text."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter

from mezzanine_core.config.text import (
    Shape,
    coerce,
    format_value,
    metavar,
    parse_text,
    shape_of,
)


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


FINITE = st.floats(allow_nan=False, allow_infinity=False)
PATHS = st.from_regex(r"[a-z][a-z0-9/._ -]{0,20}[a-z]", fullmatch=True).map(Path)

WRITTEN: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers(-(10**15), 10**15)),
    (float, FINITE),
    (bool, st.booleans()),
    (str, st.text()),
    (Path, PATHS),
    (Literal["drop", "keep"], st.sampled_from(["drop", "keep"])),
    (Literal[1, 2, "auto"], st.sampled_from([1, 2, "auto"])),
    (Size, st.sampled_from(Size)),
    (int | None, st.none() | st.integers(-999, 999)),
    (Optional[float], st.none() | FINITE),  # noqa: UP045 - both spellings have to be understood
    (tuple[int, ...], st.lists(st.integers(-99, 99)).map(tuple)),
    (list[str], st.lists(st.text())),
    (tuple[float, str], st.tuples(FINITE, st.text())),
    (Sequence[Path], st.lists(PATHS)),
    (list[Literal[1, 2]], st.lists(st.sampled_from([1, 2]))),
    (list[int | None], st.lists(st.none() | st.integers(0, 9))),
    (int | Literal["all"], st.just("all") | st.integers(0, 99)),
    (dict[str, float], st.dictionaries(st.text(), FINITE)),
    (list[list[int]], st.lists(st.lists(st.integers(0, 9)))),
]


@pytest.mark.parametrize(("annotation", "strategy"), WRITTEN, ids=lambda each: str(each)[:40])
@given(data=st.data())
def test_a_value_that_is_written_as_text_is_read_as_itself(
    annotation: Any, strategy: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(strategy)

    raw = parse_text(format_value(value), shape_of(annotation))

    assert TypeAdapter(annotation).validate_python(raw) == value


@pytest.mark.parametrize(
    ("annotation", "metadata", "expected"),
    [
        (int, [Field(ge=1)], Shape("int", limits="x >= 1")),
        (float, [Field(gt=0, le=1)], Shape("float", limits="0 < x <= 1")),
        (float, [Field(lt=5)], Shape("float", limits="x < 5")),
        (int, [Field(gt=0, multiple_of=8)], Shape("int", limits="x > 0, a multiple of 8")),
        (Annotated[int, Field(ge=0)] | None, [], Shape("int", optional=True, limits="x >= 0")),
        (Literal["a", None], [], Shape("choice", optional=True, choices=("a",))),
        (int | str, [], Shape("other", items=(Shape("int"), Shape("text")))),
        (
            int | str | None,
            [],
            Shape("other", optional=True, items=(Shape("int"), Shape("text"))),
        ),
        (dict[str, int], [], Shape("other")),
        (Any, [], Shape("other")),
        (list, [], Shape("list", items=(Shape("text"),))),
        (
            tuple[Annotated[int, Field(ge=0)], ...],
            [Field(min_length=1)],
            Shape("list", items=(Shape("int", limits="x >= 0"),), limits="at least 1 item"),
        ),
        (
            list[int],
            [Field(min_length=2, max_length=4)],
            Shape("list", items=(Shape("int"),), limits="at least 2 and at most 4 items"),
        ),
        (tuple[int, str], [], Shape("list", items=(Shape("int"), Shape("text")), fixed=True)),
    ],
    ids=str,
)
def test_an_annotation_has_the_shape_that_it_says(
    annotation: Any, metadata: list[Any], expected: Shape
) -> None:
    marks = [mark for each in metadata for mark in each.metadata]

    assert shape_of(annotation, marks) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, "INT"),
        (Path, "PATH"),
        (Literal["drop", "keep"], "drop|keep"),
        (tuple[Literal["drop", "keep"], ...], "drop|keep,..."),
        (Literal["a-choice-that-is-long", "another-long-choice"], "NAME"),
        (tuple[float, float], "FLOAT,FLOAT"),
        (list[int], "INT,..."),
        (dict[str, int], "JSON"),
        (int | Literal["all"], "INT|all"),
    ],
    ids=str,
)
def test_help_shows_what_to_write(annotation: Any, expected: str) -> None:
    assert metavar(shape_of(annotation)) == expected


LIST = shape_of(tuple[str, ...])


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("hole,seesaw", ["hole", "seesaw"]),
        (" hole , seesaw ", ["hole", "seesaw"]),
        (["hole", "seesaw,tower"], ["hole", "seesaw", "tower"]),
        ('["a,b", "c"]', ["a,b", "c"]),
        (['["a,b"]', "c"], ["a,b", "c"]),
        ("", []),
        (("a", "b"), ["a", "b"]),
    ],
)
def test_a_list_is_split_at_commas_and_a_repeated_flag_adds_to_it(
    typed: Any, expected: list[str]
) -> None:
    assert coerce(typed, LIST, text=True) == expected


def test_a_plain_list_is_not_split() -> None:
    assert coerce(["a,b"], LIST, text=False) == ["a,b"]


def test_a_file_may_write_a_list_with_commas() -> None:
    assert coerce("a,b", LIST, text=False) == ["a", "b"]


def test_a_file_may_write_none_where_it_cannot_be_a_word() -> None:
    assert coerce("none", shape_of(int | None), text=False) is None
    assert coerce("none", shape_of(str | None), text=False) == "none"


def test_the_last_of_several_values_counts_where_one_is_wanted() -> None:
    assert coerce(["1", "2"], shape_of(int), text=True) == "2"


@pytest.mark.parametrize("annotation", [int, float])
def test_true_is_not_a_number(annotation: Any) -> None:
    with pytest.raises(ValueError, match="parsing"):
        TypeAdapter(annotation).validate_python(coerce(True, shape_of(annotation), text=False))
    with pytest.raises(ValueError, match="parsing"):
        TypeAdapter(list[annotation]).validate_python(
            coerce([1, True], shape_of(list[annotation]), text=False)
        )


def test_none_is_a_word_where_nothing_optional_is_asked() -> None:
    assert parse_text("none", shape_of(str)) == "none"
    assert parse_text("none", shape_of(str | None)) is None


def test_text_that_should_be_json_and_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="neither JSON nor YAML"):
        parse_text("{", shape_of(dict[str, int]))
