import json
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict

from mezzanine_core.errors import DataError
from mezzanine_worlds_hf.saved import Saved, was_saved


def _rows(*texts: str) -> Dataset:
    return Dataset.from_dict({"text": list(texts)})


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Two splits."""
    DatasetDict(train=_rows("a", "b"), test=_rows("c")).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_splits_are_read_back(several: Path) -> None:
    assert was_saved(several)
    source = Saved("saved", several)
    assert {split: source.read(split)["text"][:] for split in source.splits} == {
        "train": ["a", "b"],
        "test": ["c"],
    }


def test_a_single_data_set_is_the_training_split(tmp_path: Path) -> None:
    _rows("a", "b").select([1]).save_to_disk(tmp_path)
    source = Saved("saved", tmp_path)
    assert source.splits == ("train",)
    assert source.read("train")["text"][:] == ["b"]


def test_another_folder_is_not_taken_for_one(tmp_path: Path) -> None:
    assert not was_saved(tmp_path)


def test_identity_is_that_of_the_rows(several: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    DatasetDict(train=_rows("a", "b"), test=_rows("other")).save_to_disk(again)
    one, other = Saved("saved", several), Saved("again", again)
    assert one.identity(["train"]) == other.identity(["train"])
    assert one.identity(["test"]) != other.identity(["test"])


def test_a_broken_folder_is_named(several: Path) -> None:
    (several / "train" / "dataset_info.json").unlink()
    for file in (several / "train").glob("*.arrow"):
        file.write_bytes(b"broken")
    with pytest.raises(DataError, match="train cannot be read as save_to_disk writes it"):
        Saved("saved", several).read("train")


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_broken_list_of_splits_is_named(several: Path, content: str) -> None:
    (several / "dataset_dict.json").write_text(content)
    with pytest.raises(DataError, match=r"dataset_dict\.json"):
        Saved("saved", several)


def test_a_data_file_that_is_gone_is_named(several: Path) -> None:
    state = json.loads((several / "test" / "state.json").read_text())
    name = state["_data_files"][0]["filename"]
    (several / "test" / name).unlink()
    with pytest.raises(DataError, match=name):
        Saved("saved", several).identity(["test"])
