"""The hub as far as it is cached: its files as ``hf download`` lays them, or prepared rows."""

import json
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
import pytest
from datasets import Dataset, load_dataset

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_hf.errors import DatasetNotFoundError
from mezzanine_worlds_hf.hub import open_hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "org/TinyTexts"


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty caches of the hub and of ``datasets``, in offline mode."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    return tmp_path


def _refer(caches: Path, revision: str = "main") -> Path:
    """The folder of a repository in the hub's cache, in which a revision refers to the commit."""
    folder = caches / "hub" / "datasets--org--TinyTexts"
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / revision).write_text(COMMIT)
    return folder


def _download(caches: Path, **files: list[str]) -> None:
    snapshot = _refer(caches) / "snapshots" / COMMIT
    for name, texts in files.items():
        (snapshot / "data").mkdir(parents=True, exist_ok=True)
        rows = Dataset.from_dict({"text": texts})
        rows.to_parquet(snapshot / "data" / f"{name}-00000-of-00001.parquet")


def _prepare(caches: Path, subset: str = "default", **splits: list[str]) -> None:
    """Prepared rows, where ``datasets`` looks for those of a data set of the hub."""
    files = {}
    for split, texts in splits.items():
        files[split] = str(caches / f"{split}.parquet")
        Dataset.from_dict({"text": texts}).to_parquet(files[split])
    load_dataset("parquet", data_files=files, cache_dir=str(caches / "elsewhere"))
    (info,) = (caches / "elsewhere").glob("*/*/*/*/dataset_info.json")
    target = caches / "datasets" / "org___tiny_texts" / subset / "0.0.0" / COMMIT
    target.parent.mkdir(parents=True)
    info.parent.rename(target)


def _rows(source: Any) -> dict[str, list[str]]:
    return {split: source.read(split)["text"][:] for split in source.splits}


def test_what_was_downloaded_is_used_offline(caches: Path) -> None:
    _download(caches, train=["a", "b"], validation=["c"])
    source = open_hub(NAME, None, None)
    assert _rows(source) == {"train": ["a", "b"], "validation": ["c"]}
    assert source.identity(["train"]) == {"commit": COMMIT, "subset": "default"}


def test_what_was_prepared_is_used_offline(caches: Path) -> None:
    _refer(caches)
    _prepare(caches, train=["a", "b"], test=["c"])
    source = open_hub(NAME, None, None)
    assert _rows(source) == {"train": ["a", "b"], "test": ["c"]}
    assert source.identity(["train"]) == {"commit": COMMIT, "subset": "default"}


def test_a_commit_that_was_prepared_is_used_without_asking_the_hub(
    caches: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _prepare(caches, train=["a"])
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert _rows(open_hub(NAME, COMMIT, None)) == {"train": ["a"]}
    assert caplog.text == ""


def test_the_only_subset_that_was_prepared_needs_no_name(caches: Path) -> None:
    _prepare(caches, "plain_text", train=["a"])
    source = open_hub(NAME, COMMIT, None)
    assert source.describe() == {
        "dataset": NAME,
        "kind": "hub",
        "revision": COMMIT,
        "subset": "plain_text",
    }
    with pytest.raises(DatasetNotFoundError):
        open_hub(NAME, COMMIT, "other")


def test_subsets_of_a_repository_are_listed_where_one_has_to_be_named(caches: Path) -> None:
    _download(caches, train=["a"], test=["b"])
    card = {
        "configs": [
            {"config_name": name, "data_files": f"data/{name}-*"} for name in ("train", "test")
        ]
    }
    folder = caches / "hub" / "datasets--org--TinyTexts" / "snapshots" / COMMIT
    (folder / "README.md").write_text(f"---\n{json.dumps(card)}\n---\n")
    with pytest.raises(ConfigError, match=r"subsets named.*train.*test") as caught:
        open_hub(NAME, None, None)
    assert "--subset" in str(caught.value.hint)
    assert _rows(open_hub(NAME, None, "test")) == {"train": ["b"]}
    with pytest.raises(ConfigError, match=r"not 'extra'.*train.*test"):
        open_hub(NAME, None, "extra")


def test_a_repository_of_scripts_is_refused_with_a_way_out(caches: Path) -> None:
    folder = _refer(caches) / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    (folder / f"{COMMIT}.py").write_text("raise AssertionError")
    (folder / "train.bin").write_text("x")
    with pytest.raises(DataError, match="scripts are no longer supported") as caught:
        open_hub(NAME, None, None)
    assert "refs/convert/parquet" in str(caught.value.hint)


def test_a_repository_without_rows_is_refused(caches: Path) -> None:
    folder = _refer(caches) / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    (folder / "train.bin").write_text("x")
    with pytest.raises(DataError, match="cannot load data set 'org/TinyTexts'"):
        open_hub(NAME, None, None)


def test_a_broken_file_of_a_repository_is_an_error_of_the_data(caches: Path) -> None:
    _download(caches, train=["a"])
    (path,) = (caches / "hub").rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="cannot load data set 'org/TinyTexts'"):
        open_hub(NAME, None, None)


@pytest.mark.parametrize("revision", [None, "v2", COMMIT])
def test_what_is_not_cached_is_answered_with_where_it_was_looked_for(
    caches: Path, revision: str | None
) -> None:
    with pytest.raises(DatasetNotFoundError) as caught:
        open_hub(NAME, revision, None)
    assert caught.value.exit_code == 3
    for part in (NAME, str(caches / "hub"), str(caches / "datasets"), "HF_HUB_OFFLINE"):
        assert part in caught.value.message
    assert f"hf download --repo-type dataset {NAME}" in str(caught.value.hint)
    assert (revision is None) == ("--revision" not in str(caught.value.hint))


def test_a_hub_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DatasetNotFoundError, match=r"http://127\.0\.0\.1:9\) cannot be reached"):
        open_hub(NAME, None, None)


def test_what_is_cached_is_used_where_the_hub_cannot_be_reached(
    caches: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _refer(caches)
    _prepare(caches, train=["a"])
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert _rows(open_hub(NAME, None, None)) == {"train": ["a"]}
    assert f"using the cached commit {COMMIT}" in caplog.text


@pytest.mark.parametrize("name", ["a/b/c", "no spaces", "org/name@main", ""])
def test_what_is_no_hub_id_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="neither a path that exists nor a hub id"):
        open_hub(name, None, None)
