import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.cli.output import count, minute, print_columns, print_json, size, wrapped

WORDS = st.lists(st.text("abc-/.[]", min_size=1, max_size=30), max_size=20)


@given(WORDS, st.integers(20, 100))
def test_wrapping_keeps_every_word_whole_and_every_line_short(words, columns):
    lines = wrapped(" ".join(words), columns)
    assert " ".join(lines).split() == words
    assert lines
    for line in lines:
        assert len(line) <= columns or len(line.split()) == 1


@given(st.lists(st.tuples(st.text("xyz", max_size=9), st.text("xyz", min_size=1, max_size=9))))
def test_the_last_column_starts_at_one_place(rows):
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("typer.echo", lambda text="": lines.append(text))
        print_columns(rows, indent=3)
    start = 3 + max((len(first) for first, _ in rows), default=0) + 2
    assert [(line[3:start].strip(), line[start:]) for line in lines] == rows


def test_json_is_ascii_and_refuses_what_json_does_not_have(capsys):
    print_json({"Δ": [1.5, None]})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"Δ": [1.5, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json(float("nan"))


def test_numbers_are_written_for_people():
    assert [count(n, "plugin") for n in (0, 1, 1234)] == ["0 plugins", "1 plugin", "1,234 plugins"]
    assert count(2, "symmetry", "symmetries") == "2 symmetries"
    assert [size(n) for n in (0, 999, 1500, 3_070_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.5 kB",
        "3.1 GB",
    ]
    assert minute("2026-01-02T03:04:05.000Z") == "2026-01-02 03:04"
    assert minute(None) == "-"
