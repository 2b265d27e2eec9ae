"""Reading new items."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from mezzanine_core.errors import ConfigError, DataError, MissingDependencyError
from mezzanine_core.runs.new_items import FORMATS, format_of, items_of

LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])).filter(
    str.strip
)
FIELD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(LINE, min_size=1), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_line_of_a_text_is_an_item(lines: list[str], end: str, ended: bool) -> None:
    data = (end.join(lines) + end * ended).encode()

    assert items_of(data, "txt", "a.txt") == [{"text": line} for line in lines]


@given(
    st.lists(FIELD.filter(str.strip) | st.dictionaries(FIELD, FIELD | st.integers()), min_size=1),
    st.booleans(),
)
def test_json_lines_are_objects_or_texts(items: list[Any], ascii_only: bool) -> None:
    data = "\n".join(json.dumps(item, ensure_ascii=ascii_only) for item in items).encode()

    expected = [{"text": item} if isinstance(item, str) else item for item in items]
    assert items_of(data, "jsonl", "a.jsonl") == expected


@given(
    st.lists(FIELD.filter(bool), min_size=1, max_size=4, unique=True).flatmap(
        lambda fields: st.lists(st.fixed_dictionaries(dict.fromkeys(fields, FIELD)), min_size=1)
    )
)
def test_csv_rows_are_items_by_their_header(items: list[dict[str, str]]) -> None:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(items[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(items)

    assert items_of(file.getvalue().encode(), "csv", "a.csv") == items


def test_parquet_rows_are_items() -> None:
    items = [{"passage": "One.", "label": 1}, {"passage": "Two.", "label": None}]
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(items), file)

    assert items_of(file.getvalue(), "parquet", "a.parquet") == items
    with pytest.raises(DataError, match=r"^a\.parquet: is not Parquet: "):
        items_of(b"text", "parquet", "a.parquet")


def test_without_pyarrow_parquet_is_answered_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(
        MissingDependencyError, match=r"a\.parquet: reading Parquet needs"
    ) as caught:
        items_of(b"", "parquet", "a.parquet")
    assert caught.value.hint == "pip install pyarrow"


def test_a_byte_order_mark_is_no_part_of_the_first_item() -> None:
    assert items_of("\ufeffOne".encode(), "txt", "a") == [{"text": "One"}]


@pytest.mark.parametrize(
    ("file_format", "data", "words"),
    [
        ("txt", b"", "a holds no items"),
        ("jsonl", b"", "a holds no items"),
        ("csv", b"", "a holds no items"),
        ("csv", b"text\n", "a holds no items"),
        ("txt", b"One\n\nTwo\n", "a:2: the line is blank"),
        ("txt", b"\n", "a:1: the line is blank"),
        ("txt", b"One\nTw\xf6\n", r"a:2: is not UTF-8 text \(byte 0xf6\)"),
        ("jsonl", b'{"text": "a"}\n{"text": }\n', "a:2: is not JSON: Expecting value"),
        ("jsonl", b'"a"\n  \n', "a:2: the line is blank"),
        ("jsonl", b"[" * 100_000, "a:1: is not JSON: "),
        ("jsonl", b"[1]\n", r"a:1: holds neither an object nor a text, but '\[1\]'"),
        (
            "csv",
            b"text,label\nOne,1\nTwo\n",
            "a:3: has 1 fields where the header has 2: text, label",
        ),
        ("csv", b'text\n"One', "a:2: is not CSV: unexpected end of data"),
        ("csv", b"text,text\nOne,1\n", "a:1: the header .* has a field without a name of its own"),
        ("csv", b"text,\nOne,1\n", "a:1: the header .* has a field without a name of its own"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(file_format: str, data: bytes, words: str) -> None:
    with pytest.raises(DataError, match=f"^{words}"):
        items_of(data, file_format, "a")


@pytest.mark.parametrize("name", [*FORMATS, *map(str.upper, FORMATS)])
def test_the_ending_of_a_name_says_the_format(name: str) -> None:
    assert format_of(Path(f"new.items.{name}")) == name.lower()


@pytest.mark.parametrize("name", ["items", "items.tsv", ".txt"])
def test_an_ending_that_says_no_format_asks_for_one(name: str) -> None:
    with pytest.raises(ConfigError, match="does not say what format") as caught:
        format_of(Path(name))
    assert caught.value.hint == "Say it with --format; there are txt, jsonl, csv, parquet."
