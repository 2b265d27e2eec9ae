"""Files that appear whole or not at all."""

import errno
import os

import pytest

from mezzanine_core.files import write_atomically


def test_a_file_is_written_whole(tmp_path):
    write_atomically(tmp_path / "a.json", "ä\n")
    assert (tmp_path / "a.json").read_bytes() == "ä\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_what_is_left_of_a_killed_writer_does_not_matter(tmp_path):
    (tmp_path / ".a.json.tmp").write_text("half")
    write_atomically(tmp_path / "a.json", "whole")
    assert (tmp_path / "a.json").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_failed_write_leaves_the_earlier_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_atomically(path, "earlier")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "later")
    assert path.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
