import json
import os
from pathlib import Path

import pytest

from mezzanine_core.errors import DataError, UnknownNameError
from mezzanine_core.results import SCHEMA_VERSION, RunRecord, Verdict
from mezzanine_core.runs.history import find_runs, read_results, read_run
from mezzanine_core.runs.state import RunState, run_lock, write_state


def record(started: str = "2026-01-02T03:04:05.000Z", label: str | None = "MAKE") -> RunRecord:
    return RunRecord(
        recipe="toy",
        fingerprint="ab" * 32,
        started=started,
        verdict=None if label is None else Verdict(label=label, sentence="It helps."),
        metrics={},
        config={},
        origins={},
        components={},
        versions={},
        settings={},
        cache={},
        timings={"total": 1.5},
    )


def write_run(directory: Path, found: RunRecord) -> Path:
    directory.mkdir(parents=True)
    (directory / "results.json").write_text(found.model_dump_json())
    return directory


def state(status: str, error: str | None = None) -> RunState:
    return RunState(
        recipe="toy",
        fingerprint="cd" * 32,
        started="2026-01-02T03:04:05Z",
        status=status,
        error=error,
        pid=os.getpid(),
        command="mezz run toy",
    )


def test_results_are_read_as_they_were_written(tmp_path):
    found = record()
    assert read_results(write_run(tmp_path / "r", found) / "results.json") == found


def test_runs_are_found_at_any_depth_and_sorted_by_time(tmp_path):
    late = write_run(tmp_path / "a", record("2026-03-01T00:00:00.000Z"))
    early = write_run(late / "previous" / "x", record("2026-01-01T00:00:00.000Z"))
    middle = write_run(tmp_path / "b" / "c" / "d", record("2026-02-01T00:00:00.000Z"))
    assert [run.directory for run in find_runs([tmp_path])] == [early, middle, late]


def test_a_run_below_two_of_the_directories_is_found_once(tmp_path):
    write_run(tmp_path / "a", record())
    assert len(find_runs([tmp_path, tmp_path / "a"])) == 1


@pytest.mark.parametrize(("label", "outcome"), [("BREAK", "BREAK"), (None, "finished")])
def test_the_outcome_of_a_finished_run_is_its_verdict(tmp_path, label, outcome):
    run = read_run(write_run(tmp_path / "r", record(label=label)))
    assert (run.outcome, run.recipe, run.problem) == (outcome, "toy", None)
    assert run.record is not None


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_run_that_did_not_finish_says_how_it_ended(tmp_path, status):
    write_state(tmp_path, state(status, error="out of memory"))
    run = read_run(tmp_path)
    assert (run.outcome, run.problem, run.record) == (status, "out of memory", None)


def test_a_run_is_running_while_it_holds_its_lock_and_killed_when_nobody_does(tmp_path):
    write_state(tmp_path, state("running"))
    assert read_run(tmp_path).outcome == "killed"
    with run_lock(tmp_path):
        assert read_run(tmp_path).outcome == "running"
    assert read_run(tmp_path).outcome == "killed"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1, 2]", "is not the results of a Mezzanine run"),
        ('{"accuracy": 0.9}', "is not the results of a Mezzanine run"),
        ('{"schema_version": "one"}', "is not the results of a Mezzanine run"),
        (json.dumps({"schema_version": SCHEMA_VERSION, "recipe": 3}), "is damaged: "),
    ],
)
def test_results_that_are_not_of_a_run_are_told_apart(tmp_path, text, said):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_results(path)
    assert caught.value.message.startswith(f"{path} {said}")
    assert read_run(tmp_path).outcome == "unreadable"


def test_results_of_a_later_layout_ask_for_an_upgrade(tmp_path):
    document = json.loads(record().model_dump_json())
    document |= {"schema_version": SCHEMA_VERSION + 1, "novelty": True}
    (tmp_path / "results.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=f"has layout {SCHEMA_VERSION + 1}; this version") as caught:
        read_results(tmp_path / "results.json")
    assert caught.value.hint == "pip install --upgrade mezzanine-core"


def test_bytes_that_are_no_text_are_not_json(tmp_path):
    (tmp_path / "results.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(DataError, match="is not JSON"):
        read_results(tmp_path / "results.json")


def test_a_results_document_that_is_a_directory_cannot_be_read(tmp_path):
    (tmp_path / "results.json").mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_results(tmp_path / "results.json")
    assert read_run(tmp_path).outcome == "unreadable"


def test_a_directory_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UnknownNameError, match=r"there is no directory .*gone"):
        find_runs([tmp_path / "gone"])
