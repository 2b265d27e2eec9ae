"""What lies in a run directory: other people's files are refused, earlier runs moved aside."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import DataError, OutputDirectoryError
from mezzanine_core.runs import previous
from mezzanine_core.runs.directory import check_out
from mezzanine_core.runs.state import (
    read_state,
    timestamp,
)

ONE = datetime(2026, 7, 31, 13, 0, 0, tzinfo=UTC)
NOON = datetime(2026, 7, 31, 12, 0, 0, 250_000, tzinfo=UTC)
NOON_STAMP = "2026-07-31T12-00-00Z"
FINGERPRINT = "0123456789abcdef" * 4
RUN = ["results.json", "run.json"]


def names(path):
    return sorted(child.name for child in path.iterdir())


# Other people's files


def test_other_peoples_files_are_refused_and_not_touched(tmp_path, claim):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputDirectoryError, match=r"thesis\.tex") as caught:
        claim(tmp_path)
    assert caught.value.exit_code == 2
    assert names(tmp_path) == ["thesis.tex"]


def test_files_beside_a_run_are_refused_and_the_run_stays(tmp_path, claim, complete, tree):
    complete(tmp_path)
    (tmp_path / "notes.md").write_text("my notes")
    before = tree(tmp_path)
    with pytest.raises(OutputDirectoryError, match=r"notes\.md"):
        claim(tmp_path, ONE)
    assert tree(tmp_path) == before
    assert read_state(tmp_path).status == "finished"


def test_files_within_a_folder_of_a_run_are_refused(tmp_path, claim, complete):
    complete(tmp_path, files=("figures/a.png",))
    (tmp_path / "figures" / "mine.png").write_text("")
    with pytest.raises(OutputDirectoryError, match=r"figures/mine\.png"):
        claim(tmp_path, ONE)


def test_an_empty_folder_of_somebody_is_refused(tmp_path, claim):
    (tmp_path / "drafts").mkdir()
    with pytest.raises(OutputDirectoryError, match="drafts/"):
        claim(tmp_path)


@pytest.mark.parametrize("name", ["run.json", "results.json"])
@pytest.mark.parametrize(
    "text", ["{}", "[]", "nonsense", '{"schema_version": 1, "runs": []}', '{"format": "other"}']
)
def test_documents_of_other_programs_are_other_peoples_files(tmp_path, name, text, claim):
    (tmp_path / name).write_text(text)
    with pytest.raises(OutputDirectoryError, match=name):
        claim(tmp_path)
    assert (tmp_path / name).read_text() == text


def test_somebodys_folder_named_previous_is_refused(tmp_path, claim):
    (tmp_path / "previous").mkdir()
    (tmp_path / "previous" / "thesis.tex").write_text("")
    with pytest.raises(OutputDirectoryError, match="previous"):
        claim(tmp_path)


def test_few_of_many_files_are_named(tmp_path, claim):
    for number in range(100):
        (tmp_path / f"file{number:03}").write_text("")
    with pytest.raises(OutputDirectoryError) as caught:
        claim(tmp_path)
    assert "file002, …" in caught.value.message
    assert "file003" not in caught.value.message


def test_a_check_finds_the_same_without_touching_anything(tmp_path):
    check_out(None)
    check_out(tmp_path / "absent")
    assert names(tmp_path) == []
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(OutputDirectoryError, match=r"thesis\.tex"):
        check_out(tmp_path)
    with pytest.raises(OutputDirectoryError, match="cannot be used"):
        check_out(tmp_path / "thesis.tex")


# An earlier run


def test_an_earlier_run_is_moved_aside_whole(tmp_path, caplog, complete, tree):
    complete(tmp_path, files=("plot.png", "figures/deep/a.png"))
    with caplog.at_level("INFO"):
        second = complete(tmp_path, ONE)
    moved = tmp_path / "previous" / NOON_STAMP
    assert second.moved == moved
    assert tree(moved) == ["figures/deep/a.png", "plot.png", *RUN]
    assert tree(tmp_path) == [
        "plot.png",
        *[f"previous/{NOON_STAMP}/{name}" for name in tree(moved)],
        *RUN,
    ]
    assert not (tmp_path / "figures").exists()
    assert (moved / "plot.png").read_text() == "plot.png"
    assert read_state(moved).started == timestamp(NOON)
    [line] = caplog.messages
    assert line == f"moved the earlier run in {tmp_path} to previous/{NOON_STAMP}"


def test_runs_pile_up_in_previous(tmp_path, complete):
    for hour in range(5):
        complete(tmp_path, NOON.replace(hour=hour))
    assert len(names(tmp_path / "previous")) == 4
    assert read_state(tmp_path).started == timestamp(NOON.replace(hour=4))


def test_runs_that_started_in_the_same_second_get_names_of_their_own(tmp_path, complete, tree):
    for _ in range(3):
        complete(tmp_path)
    assert names(tmp_path / "previous") == [NOON_STAMP, f"{NOON_STAMP}-2"]
    assert tree(tmp_path / "previous" / NOON_STAMP) == ["plot.png", *RUN]
    assert tree(tmp_path / "previous" / f"{NOON_STAMP}-2") == ["plot.png", *RUN]


def test_a_failed_run_is_moved_with_files_that_it_never_announced(tmp_path, claim, complete, tree):
    def fail_halfway():
        with claim(tmp_path):
            (tmp_path / "half.png").write_text("")
            raise DataError("no data")

    with pytest.raises(DataError):
        fail_halfway()
    moved = complete(tmp_path, ONE).moved
    assert tree(moved) == ["error.log", "half.png", "run.json"]


def test_a_run_without_its_run_json_is_known_by_its_results(tmp_path, complete, tree):
    complete(tmp_path)
    (tmp_path / "run.json").unlink()
    assert tree(complete(tmp_path, ONE).moved) == ["plot.png", "results.json"]


def test_a_list_of_files_that_leads_outside_is_not_followed(tmp_path, complete, tree):
    out = tmp_path / "out"
    complete(out)
    (tmp_path / "thesis.tex").write_text("years of work")
    state = json.loads((out / "run.json").read_text())
    state["files"] += ["../thesis.tex"]
    (out / "run.json").write_text(json.dumps(state))
    assert tree(complete(out, ONE).moved) == ["plot.png", *RUN]
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_state_of_a_later_version_is_still_a_run(tmp_path, complete, tree):
    complete(tmp_path)
    state = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**state, "schema_version": 7, "mood": "good"}))
    assert tree(complete(tmp_path, ONE).moved) == ["plot.png", *RUN]


@pytest.mark.parametrize("survivors", range(1, 5))
def test_a_move_that_was_interrupted_is_finished_by_the_next_run(
    tmp_path, monkeypatch, survivors, claim, complete, tree
):
    complete(tmp_path, files=("a.png", "b/c.png"))
    before = tree(tmp_path)
    real, moves = previous._move, []

    def move(*arguments):
        if len(moves) == len(before) - survivors:
            raise KeyboardInterrupt
        moves.append(arguments)
        real(*arguments)

    monkeypatch.setattr(previous, "_move", move)
    with pytest.raises(KeyboardInterrupt):
        claim(tmp_path, ONE)
    monkeypatch.undo()
    complete(tmp_path, ONE)
    assert names(tmp_path / "previous") == [NOON_STAMP]
    assert tree(tmp_path / "previous" / NOON_STAMP) == before


@settings(deadline=None, max_examples=25)
@given(
    artifacts=st.sets(
        st.lists(
            st.text("abé .-_", min_size=1, max_size=4).filter(lambda part: part.strip(" .")),
            min_size=1,
            max_size=3,
        ).map("/".join),
        max_size=6,
    )
)
def test_moving_loses_no_file_and_changes_none(claim, complete, artifacts):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        with claim(out) as directory:
            written = {}
            for name in artifacts:
                try:
                    path = directory.announce(name)
                    path.write_text(name)
                except (OSError, OutputDirectoryError):
                    continue  # a file and a folder of the same name
                written[path.relative_to(out)] = name
        moved = complete(out, ONE).moved
        assert {path.relative_to(moved) for path in moved.rglob("*") if path.is_file()} == {
            *written,
            Path("run.json"),
        }
        assert all((moved / path).read_text() == text for path, text in written.items())
