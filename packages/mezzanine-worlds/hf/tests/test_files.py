from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, Features, Value

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_hf.files import LocalFiles


def _write(path: Path, *texts: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_dict({"text": list(texts), "label": [0] * len(texts)}).to_csv(path, index=False)


def _splits(path: Path, subset: str | None = None) -> dict[str, list[str]]:
    source = LocalFiles("data", path, subset)
    return {split: source.read(split)["text"][:] for split in source.splits}


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (["train.csv", "test.csv"], {"test", "train"}),
        (["train.csv", "dev.csv", "validation.csv"], {"train", "dev", "validation"}),
        (["sst2_train.csv", "sst2.test.csv"], {"train", "test"}),
        (["Train.csv", "TEST.csv"], {"train", "test"}),
        (["good.csv", "bad.csv"], {"good", "bad"}),
        (["all.csv"], {"train"}),
        (["test.csv"], {"test"}),
        (["train/a.csv", "test/a.csv"], {"train", "test"}),
        (["plain_text/train.csv", "plain_text/test.csv"], {"train", "test"}),
        (["train_test.csv", "train.csv"], {"train_test", "train"}),
    ],
)
def test_the_name_of_a_file_says_its_split(tmp_path: Path, files, splits) -> None:
    for file in files:
        _write(tmp_path / file, file)
    (tmp_path / "SOURCE.txt").write_text("not data")
    assert set(_splits(tmp_path)) == splits


def test_shards_are_one_split_in_their_order(tmp_path: Path) -> None:
    for part in (1, 0):
        _write(tmp_path / f"train-0000{part}-of-00002.csv", f"part {part}")
    assert _splits(tmp_path) == {"train": ["part 0", "part 1"]}


@pytest.mark.parametrize("name", ["data-00000-of-00002.csv", "data-00001-of-00002.csv"])
def test_a_single_file_is_a_data_set(tmp_path: Path, name: str) -> None:
    _write(tmp_path / name, "a", "b")
    assert _splits(tmp_path / name) == {"train": ["a", "b"]}


def test_a_subset_is_a_subfolder(tmp_path: Path) -> None:
    for subset in ("cola", "sst2"):
        _write(tmp_path / subset / "train.csv", subset)
    assert _splits(tmp_path, "sst2") == {"train": ["sst2"]}
    with pytest.raises(ConfigError, match="several subsets: cola, sst2"):
        LocalFiles("data", tmp_path)
    with pytest.raises(ConfigError, match=r"no subset 'rte'.*subfolders cola, sst2"):
        LocalFiles("data", tmp_path, "rte")


def test_a_folder_without_data_files_is_answered_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"no data files \(\.parquet, .*entries notes\.txt"):
        LocalFiles("data", tmp_path)


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"no data file; known are \.parquet"):
        LocalFiles("data", tmp_path / "notes.txt")


def test_a_split_in_several_formats_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "train.csv", "a")
    Dataset.from_dict({"text": ["a"]}).to_parquet(tmp_path / "train.parquet")
    with pytest.raises(DataError, match=r"several formats: train\.csv, train\.parquet"):
        LocalFiles("data", tmp_path)


def test_shards_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    for part, value in enumerate((["a"], {"b": 1})):
        path = tmp_path / f"train-0000{part}-of-00002.parquet"
        Dataset.from_dict({"text": [value]}).to_parquet(path)
    with pytest.raises(DataError, match=r"train-00000-of-00002\.parquet.*do not fit together"):
        LocalFiles("data", tmp_path).read("train")


def test_features_are_those_that_datasets_wrote(tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})
    for part in (0, 1):
        rows = Dataset.from_dict({"text": ["a"], "label": [part]}, features=features)
        rows.to_parquet(tmp_path / f"train-0000{part}-of-00002.parquet")
    assert LocalFiles("data", tmp_path).read("train").features == features


def test_identity_follows_the_content_of_the_splits_that_are_read(tmp_path: Path) -> None:
    for split in ("train", "test"):
        _write(tmp_path / f"{split}.csv", split)
    source = LocalFiles("data", tmp_path)
    before = [source.identity([split]) for split in ("train", "test")]
    _write(tmp_path / "test.csv", "edited")
    after = [source.identity([split]) for split in ("train", "test")]
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert str(tmp_path) not in str(before)
