import json
from pathlib import Path

import pytest
from datasets import Dataset

from mezzanine_core.errors import DataError
from mezzanine_worlds_hf.readers import read_table

ROWS = {
    "text": ["plain", "with, comma", 'with "quotes"', "two\nlines", "NA", "é 漢"],
    "label": [0, 1, 0, 1, 0, 1],
}


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_what_datasets_writes_is_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"data.{suffix}"
    rows = Dataset.from_dict(ROWS)
    {"parquet": rows.to_parquet, "csv": rows.to_csv, "jsonl": rows.to_json}[suffix](path)
    assert read_table(path).to_pydict() == ROWS


def test_tab_separated_values_are_read(tmp_path: Path) -> None:
    path = tmp_path / "data.tsv"
    path.write_text("text\tlabel\na, b\t0\nc\t1\n", encoding="utf-8")
    assert read_table(path).to_pydict() == {"text": ["a, b", "c"], "label": [0, 1]}


def test_a_json_array_of_objects_is_read(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text(json.dumps([{"text": "a", "label": 0}, {"text": "b", "label": 1}], indent=1))
    assert read_table(path).to_pydict() == {"text": ["a", "b"], "label": [0, 1]}


def test_types_are_inferred_from_the_whole_file(tmp_path: Path) -> None:
    """Arrow infers them from the first block, of a mebibyte, unless told otherwise."""
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "1,0\n" * 300_000 + "two,1\n")
    assert read_table(path)["text"][-1].as_py() == "two"


def test_an_empty_cell_of_texts_is_an_empty_text(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\n,0\nb,1\n")
    assert read_table(path)["text"].to_pylist() == ["", "b"]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "json"])
def test_a_broken_file_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"data.{suffix}"
    path.write_bytes(b'[{"text": "a,\n\x00\xff"b,c,d\n' if suffix != "csv" else b"a,b\n1,2,3\n")
    with pytest.raises(DataError, match=rf"data\.{suffix} cannot be read as {suffix}"):
        read_table(path)


def test_a_parquet_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    Dataset.from_dict(ROWS).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"data\.parquet cannot be read as parquet"):
        read_table(path)
