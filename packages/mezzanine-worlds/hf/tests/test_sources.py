from pathlib import Path

import pytest
from datasets import Dataset

from mezzanine_core.errors import ConfigError
from mezzanine_worlds_hf.config import HFDatasetConfig
from mezzanine_worlds_hf.errors import DatasetNotFoundError
from mezzanine_worlds_hf.sources import open_source


def _open(dataset: object, **settings: str):
    return open_source(HFDatasetConfig(dataset=str(dataset), **settings))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """What save_to_disk wrote."""
    Dataset.from_dict({"text": ["a"]}).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_relative_folder_that_exists_wins_over_the_hub(
    written, texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written("org/ag_news", train=texts(4))
    monkeypatch.chdir(folder.parents[1])
    assert _open("org/ag_news").describe()["kind"] == "files"


@pytest.mark.parametrize("name", ["/no/such/folder", "./none", "../none", "~/no such folder"])
def test_a_path_that_does_not_exist_is_not_looked_for_on_the_hub(name: str) -> None:
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        _open(name)


def test_a_local_data_set_has_no_revision(saved: Path) -> None:
    with pytest.raises(ConfigError, match="revision 'main' is of the hub"):
        _open(saved, revision="main")


def test_a_saved_data_set_has_no_subset(saved: Path) -> None:
    with pytest.raises(ConfigError, match="no subset 'a'"):
        _open(saved, subset="a")


def test_a_file_has_no_subset(written, texts) -> None:
    with pytest.raises(ConfigError, match="no subset 'a'"):
        _open(written(train=texts(4)) / "train.parquet", subset="a")
