"""Reading configuration files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.config.files import load_config_file, locate, parse_value, plain
from mezzanine_core.errors import ConfigError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def write(tmp_path: Path, text: str | bytes, name: str = "config.yml") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def values(tmp_path: Path, text: str, name: str = "config.yml") -> dict[str, object]:
    file = load_config_file(write(tmp_path, text, name))
    return {key: plain(located) for key, located in file.values.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        (".5", 0.5),
        ("2.", 2.0),
        ("-.inf", float("-inf")),
        ("012", 12),
        ("0o14", 12),
        ("0xff", 255),
        ("+7", 7),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("no", "no"),
        ("off", "off"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("TRUE", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("2020-01-01", "2020-01-01"),
        ("=", "="),
        ("'1'", "1"),
        ("nan", "nan"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(
    tmp_path: Path, text: str, expected: object
) -> None:
    value = values(tmp_path, f"key: {text}\n")["key"]

    assert value == expected
    assert type(value) is type(expected)


@given(VALUES)
def test_a_value_given_as_json_is_read_as_itself(value: object) -> None:
    assert parse_value(json.dumps(value)) == value


def test_a_json_file_is_read_like_json(tmp_path: Path) -> None:
    document = {"a": 1e400, "b": [True, None, "\U0001f600 é \\ / \t"], "c": {"d": -0.0}}
    document["a"] = 1.5e300

    for text in (
        json.dumps(document),
        json.dumps(document, indent="\t"),
        json.dumps(document, ensure_ascii=False),
    ):
        assert values(tmp_path, text, "config.json") == document


def test_every_key_has_its_line(tmp_path: Path) -> None:
    text = "# comment\na: 1\nworld:\n  name: x\n\n  games:\n    - hole\nb: {c: 1,\n  d: 2}\n"

    file = load_config_file(write(tmp_path, text))

    lines = {key: located.line for key, located in file.values.items()}
    assert lines == {"a": 2, "world": 3, "b": 8}
    assert {key: item.line for key, item in file.values["world"].value.items()} == {
        "name": 4,
        "games": 6,
    }
    assert {key: item.line for key, item in file.values["b"].value.items()} == {"c": 8, "d": 9}


def test_keys_of_json_files_have_their_lines_too(tmp_path: Path) -> None:
    file = load_config_file(write(tmp_path, '{\n\t"a": 1,\n\t"b": {\n\t\t"c": 2}}', "c.json"))

    assert file.values["a"].line == 2
    assert file.values["b"].value["c"].line == 4


def test_merge_keys_and_aliases_bring_values_that_may_be_overridden(tmp_path: Path) -> None:
    text = "base: &base {x: 1, y: 2}\nfirst: {<<: *base, y: 3}\nsecond: *base\n"

    assert values(tmp_path, text) == {
        "base": {"x": 1, "y": 2},
        "first": {"x": 1, "y": 3},
        "second": {"x": 1, "y": 2},
    }


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff", "~"])
def test_an_empty_file_is_an_empty_mapping(tmp_path: Path, text: str) -> None:
    assert values(tmp_path, text) == {}
    assert values(tmp_path, "", "config.json") == {}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "expected ',' or ']'"),
        ("a: 1\n\tb: 2\n", 2, "tab"),
        ("a: 1\nb: 'open\n", 3, "end of stream"),
        ("a: 1\n b: 2\n", 2, "mapping values"),
        ("a: 1\n---\nb: 2\n", 2, "single document"),
        ("a: *nobody\n", 1, "undefined alias"),
        ("a: !!python/object:os.system x\n", 1, "could not determine a constructor"),
        ("a: !mine x\n", 1, "could not determine a constructor"),
        ("x: 1\na: \x07\n", 2, "not allowed"),
        ("a: 1\nb: 2\na: 3\n", 3, "given twice, first in line 1"),
        ("w:\n  a: 1\n  a: 2\n", 3, "given twice, first in line 2"),
        ("l:\n  - {a: 1,\n     a: 2}\n", 3, "given twice, first in line 2"),
        ("a: 1\n5: x\n", 2, "not text"),
        ("a: 1\n? [1]\n: x\n", 2, "not text"),
        ("a: &a [1, *a]\n", 1, "refers to itself"),
        ("- a\n- b\n", 1, "a list"),
        ("just words\n", 1, "'just words'"),
        ("a: 1\nb: " + "9" * 5000 + "\n", 2, "whole number"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_file_and_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    path = write(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        load_config_file(path)

    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_a_json_file_that_is_not_json_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 1,\n "b": no}', "config.json")

    with pytest.raises(ConfigError, match=r"config\.json:2: is not JSON"):
        load_config_file(path)


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, b"a: 1\nname: M\xfcller\n")

    with pytest.raises(ConfigError, match=r"config\.yml:2: is not UTF-8 text \(byte 0xfc\)"):
        load_config_file(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yml: there is no such") as caught:
        load_config_file(tmp_path / "absent.yml")
    assert caught.value.exit_code == 2


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory"):
        load_config_file(tmp_path)


def test_a_path_through_a_file_is_named_with_the_cause(tmp_path: Path) -> None:
    path = write(tmp_path, "a: 1\n")

    with pytest.raises(ConfigError, match="cannot be read: Not a directory"):
        load_config_file(path / "below.yml")


def test_a_file_nested_beyond_reason_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a: " + "[" * 5000 + "]" * 5000)

    with pytest.raises(ConfigError, match="nested too deeply"):
        load_config_file(path)


def test_text_that_is_no_value_says_why() -> None:
    with pytest.raises(ValueError, match="neither JSON nor YAML: expected"):
        parse_value("{a: 1")


@given(VALUES)
def test_locating_a_value_loses_nothing(value: object) -> None:
    assert plain(locate(value)) == value
