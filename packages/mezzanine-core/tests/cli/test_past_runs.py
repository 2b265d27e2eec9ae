import json

import pytest

from mezzanine_core.results import Estimate, RunRecord, Verdict
from mezzanine_core.runs.state import RunState, write_state

RECORD = RunRecord(
    recipe="toy",
    fingerprint="ab" * 32,
    started="2026-01-02T03:04:05.000Z",
    verdict=Verdict(label="MAKE", sentence="The action helps."),
    metrics={"action": {"r@10": Estimate(value=0.5, low=0.4, high=0.6)}},
    config={"seed": 0},
    origins={"seed": "default"},
    components={},
    versions={},
    settings={},
    cache={},
    timings={"total": 1.5},
)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A working directory with a run that finished, one that failed, and a stranger's file."""
    monkeypatch.chdir(tmp_path)
    for name in ("done", "failed", "foreign"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "runs" / "done" / "results.json").write_text(RECORD.model_dump_json())
    (tmp_path / "runs" / "foreign" / "results.json").write_text('{"loss": 1}')
    state = RunState(
        recipe="toy",
        fingerprint="cd" * 32,
        started="2026-01-03T03:04:05Z",
        status="failed",
        error="DataError: too few [samples]",
        pid=1,
        command="mezz run toy",
    )
    write_state(tmp_path / "runs" / "failed", state)


def test_runs_are_listed_with_their_outcome_the_latest_last(runs, call):
    code, out, err = call("runs", "ls")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "-  unreadable    -  runs/foreign",
        "    because: runs/foreign/results.json is not the results of a Mezzanine run",
        "2026-01-02 03:04  MAKE          toy  runs/done",
        "2026-01-03 03:04  failed        toy  runs/failed",
        "    because: DataError: too few [samples]",
    ]


def test_json_has_every_run(runs, call):
    code, out, _ = call("runs", "ls", "--json")
    assert code == 0
    rows = json.loads(out)
    assert [row["outcome"] for row in rows] == ["unreadable", "MAKE", "failed"]
    assert rows[1]["directory"] == "runs/done"
    assert rows[1]["fingerprint"] == "ab" * 32


def test_directories_may_be_named(runs, call):
    rows = json.loads(call("runs", "ls", "runs/done", "runs/failed", "--json")[1])
    assert [row["directory"] for row in rows] == ["runs/done", "runs/failed"]


def test_no_runs_at_all_is_no_error(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("runs", "ls") == (
        0,
        "There are no runs in runs or directly in the folders here.\n",
        "",
    )
    assert call("runs", "ls", "--json") == (0, "[]\n", "")


def test_a_directory_that_is_not_there_is_a_usage_error(call, tmp_path):
    code, out, err = call("runs", "ls", str(tmp_path / "gone"))
    assert (code, out) == (2, "")
    assert "error: there is no directory " in err


@pytest.mark.parametrize("path", ["runs/done", "runs/done/results.json"])
def test_a_finished_run_is_shown_with_verdict_and_metrics(runs, call, path):
    code, out, _ = call("runs", "show", path)
    assert code == 0
    assert "MAKE" in out
    assert "The action helps." in out
    assert "r@10" in out


def test_a_finished_run_is_shown_as_the_document_that_it_wrote(runs, call):
    code, out, _ = call("runs", "show", "runs/done", "--json")
    assert code == 0
    assert RunRecord.model_validate(json.loads(out)) == RECORD


def test_a_run_that_failed_is_shown_with_its_cause(runs, call):
    code, out, _ = call("runs", "show", "runs/failed")
    assert code == 0
    assert "outcome: failed\n" in out
    assert "problem: DataError: too few [samples]\n" in out
    assert json.loads(call("runs", "show", "runs/failed", "--json")[1])["outcome"] == "failed"


def test_a_document_that_cannot_be_read_is_an_error_that_names_it(runs, call):
    code, out, err = call("runs", "show", "runs/foreign")
    assert (code, out) == (1, "")
    assert "error: runs/foreign/results.json is not the results of a Mezzanine run\n" in err


def test_a_directory_without_a_run_points_to_the_listing(runs, call):
    code, _, err = call("runs", "show", "runs")
    assert code == 2
    assert "error: there is no run in runs\nhint: `mezz runs ls runs` lists those below.\n" in err


def test_runs_of_the_working_directory_are_found_and_other_folders_left_alone(runs, call, tmp_path):
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "failed").rename(tmp_path / "out_toy")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "run.json").write_text('{"loss": 1}')
    rows = json.loads(call("runs", "ls", "--json")[1])
    assert [row["directory"] for row in rows] == ["out_toy"]
