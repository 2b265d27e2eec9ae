import json
from pathlib import Path

import platformdirs
import pytest

from mezzanine_core.cache import default_cache_dir
from mezzanine_core.cache.layout import (
    CardRecord,
    CommitRecord,
    encoder_directory,
    expand,
    read_commit,
    view_path,
    write_json,
)
from mezzanine_core.errors import CacheError, ConfigError, CorruptSegmentError, PluginError

RECORD = {
    "format": 1,
    "rows": 5,
    "dim": 3,
    "dtype": "float32",
    "block_rows": 2,
    "latents_crc32c": "0000000100000002ffffffff",
    "keys_crc32c": "00000000",
    "created": "2024-01-01T00:00:00+00:00",
}


def test_the_environment_says_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("MEZZ_CACHE_DIR", str(tmp_path))
    assert default_cache_dir() == tmp_path


def test_a_tilde_is_the_home_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MEZZ_CACHE_DIR", "~/latents")
    assert default_cache_dir() == tmp_path / "latents"
    assert expand(Path("~/x")) == tmp_path / "x"


@pytest.mark.parametrize("value", [None, ""])
def test_the_default_is_in_the_users_cache_directory(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("MEZZ_CACHE_DIR", raising=False)
    else:
        monkeypatch.setenv("MEZZ_CACHE_DIR", value)
    users = Path(platformdirs.user_cache_dir("mezzanine", appauthor=False))
    assert default_cache_dir() == users / "latents"


def test_the_home_of_nobody_is_a_config_error():
    with pytest.raises(ConfigError, match="cannot expand the cache directory '~nobody-of-that"):
        expand("~nobody-of-that-name/cache")


@pytest.mark.parametrize("name", ["", "..", "../other", "a/b", ".hidden", "x" * 129, "a b"])
def test_a_fingerprint_that_names_no_directory_is_the_plugins_fault(tmp_path, name):
    with pytest.raises(PluginError, match="cannot name"):
        encoder_directory(tmp_path, name)
    with pytest.raises(PluginError, match="cannot name"):
        view_path(tmp_path, name)


def test_digests_are_read_as_they_are_written():
    assert CommitRecord.model_validate(RECORD).digests().tolist() == [1, 2, 0xFFFFFFFF]


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("rows", 0, "rows"),
        ("rows", 7, "3 digests for 4 blocks"),
        ("dtype", "float64", "dtype"),
        ("latents_crc32c", "xyz", "latents_crc32c"),
        ("keys_crc32c", None, "keys_crc32c"),
        ("surplus", 1, "surplus"),
    ],
)
def test_a_record_that_makes_no_sense_is_corrupt_and_says_where(tmp_path, field, value, what):
    (tmp_path / "commit.json").write_text(json.dumps({**RECORD, field: value}))
    with pytest.raises(CorruptSegmentError, match=what):
        read_commit(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"rows": 5}', "\ufffd"])
def test_a_record_that_is_no_record_is_corrupt(tmp_path, text):
    (tmp_path / "commit.json").write_text(text)
    with pytest.raises(CorruptSegmentError, match=r"commit\.json"):
        read_commit(tmp_path)


def test_a_record_of_a_later_layout_is_not_called_corrupt(tmp_path):
    (tmp_path / "commit.json").write_text(json.dumps({"format": 2, "new": "field"}))
    with pytest.raises(CacheError, match="has format 2, not 1") as caught:
        read_commit(tmp_path)
    assert not isinstance(caught.value, CorruptSegmentError)
    assert "Upgrade mezzanine-core" in str(caught.value)


def test_a_directory_without_a_record_is_no_segment(tmp_path):
    assert read_commit(tmp_path) is None
    assert read_commit(tmp_path / "absent") is None


def test_a_record_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    record = CardRecord(dim=1, dtype="float32", created="now", encoder={})
    (tmp_path / "card.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_json(tmp_path / "card.json", record)
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]
