import errno
import os
from pathlib import Path, PurePosixPath

import pytest

from mezzanine_core.errors import OutputDirectoryError
from mezzanine_core.scaffold import check_folder, write_package

FILES = {PurePosixPath("a.txt"): "été\n", PurePosixPath("b/c/d.txt"): "one\ntwo\n"}


def everything(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_files_are_written_as_they_are(tmp_path):
    write_package(tmp_path / "x" / "y", FILES)
    found = everything(tmp_path / "x" / "y")
    assert found == {"a.txt": "été\n".encode(), "b": None, "b/c": None, "b/c/d.txt": b"one\ntwo\n"}


@pytest.mark.parametrize("there", [[], [".git"]])
def test_an_empty_directory_is_used(tmp_path, there):
    for name in there:
        (tmp_path / name).mkdir()
    write_package(tmp_path, FILES)
    assert {"a.txt", "b/c/d.txt"} <= set(everything(tmp_path))


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine too")
    before = everything(tmp_path)
    with pytest.raises(OutputDirectoryError, match=r"is not empty: it holds mine\.txt and 1 more"):
        write_package(tmp_path, FILES)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_place_that_is_no_directory_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(OutputDirectoryError, match="cannot be written to"):
        write_package(tmp_path / place, FILES)
    assert everything(tmp_path) == {"file": b"a file"}


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="the system has no /proc")
def test_a_place_that_cannot_be_written_is_refused():
    with pytest.raises(OutputDirectoryError, match="cannot be written to /proc/package") as caught:
        write_package(Path("/proc/package"), FILES)
    assert "--dir" in caught.value.hint


def test_what_was_written_before_a_failure_is_taken_away(tmp_path):
    longer_than_any_name = PurePosixPath("b") / ("x" * 300)
    with pytest.raises(OutputDirectoryError, match=os.strerror(errno.ENAMETOOLONG)):
        write_package(tmp_path / "new" / "package", {**FILES, longer_than_any_name: ""})
    assert everything(tmp_path) == {}


def test_a_directory_that_does_not_exist_is_fine_and_is_not_made_by_looking(tmp_path):
    check_folder(tmp_path / "new")
    assert everything(tmp_path) == {}
