"""``mezz report`` and ``mezz runs ls --html``."""

import json

import pytest

from mezzanine_core.results import Estimate, RunRecord, Verdict
from mezzanine_core.runs.state import RunState, run_lock, write_state

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
STATE = RunState(
    recipe="toy",
    fingerprint="cd" * 32,
    started="2026-01-03T03:04:05Z",
    status="failed",
    error="DataError: too few",
    pid=1,
    command="mezz run toy",
)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A working directory with two runs that finished and one that failed."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(RECORD.model_dump_json())
    (tmp_path / "bad").mkdir()
    write_state(tmp_path / "bad", STATE)
    (tmp_path / "bad" / "error.log").write_text("mezz run toy\n\nTraceback: somewhere\n")
    return tmp_path


def test_the_report_of_a_run_goes_into_its_directory(runs, call):
    assert call("report", "one") == (0, "one/report.html\n", "")
    first = (runs / "one" / "report.html").read_text("utf-8")
    assert "The action helps." in first
    assert call("report", "one/results.json")[0] == 0
    assert (runs / "one" / "report.html").read_text("utf-8") == first


def test_a_failed_run_has_a_report(runs, call):
    assert call("report", "bad", "--out", "x.html") == (0, "x.html\n", "")
    assert "Traceback: somewhere" in (runs / "x.html").read_text("utf-8")


def test_several_runs_are_compared(runs, call):
    assert call("report", "one", "two", "bad") == (0, "comparison.html\n", "")
    page = (runs / "comparison.html").read_text("utf-8")
    assert "Comparison of 3 runs" in page
    assert "DataError: too few" in page


def test_an_index_of_runs_is_written(runs, call):
    call("report", "one")
    assert call("runs", "ls", ".", "--html", "index.html") == (0, "index.html\n", "")
    assert 'href="./one/report.html"' in (runs / "index.html").read_text("utf-8")


def test_a_report_is_a_file_of_the_run(runs, call):
    """So that the next run with the same --out moves it along, instead of being refused."""
    from mezzanine_core.runs.previous import refuse_others

    call("report", "one")
    refuse_others(runs / "one")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["report", "nowhere"], 2, "there is no run in nowhere"),
        (["report"], 2, "RUN"),
        (["report", "one", "--out", "no/such/x.html"], 2, "there is no directory no/such"),
        (["report", "one", "--out", "two"], 2, "it is a directory"),
        (["report", "one", "--out", "notes.html"], 2, "is no report"),
        (["report", "one", "--out", "one/results.json"], 2, "is no report"),
        (["report", "strange"], 1, "not the results of a Mezzanine run"),
        (["runs", "ls", "--html", "notes.html"], 2, "--html: notes.html is there already"),
        (["runs", "ls", "--html", "x.html", "--json"], 2, "exclude each other"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_touched(runs, call, arguments, code, said):
    (runs / "notes.html").write_text("<p>mine</p>")
    (runs / "strange").mkdir()
    (runs / "strange" / "results.json").write_text('{"loss": 1}')
    found, out, err = call(*arguments)
    assert (found, out) == (code, "")
    assert said in err
    assert (runs / "notes.html").read_text() == "<p>mine</p>"
    assert json.loads((runs / "one" / "results.json").read_text())["recipe"] == "toy"


def test_a_run_that_has_not_ended_is_left_alone(runs, call):
    write_state(runs / "bad", STATE.model_copy(update={"status": "running", "error": None}))
    with run_lock(runs / "bad"):
        code, _, err = call("report", "bad")
    assert code == 2
    assert "has not ended yet" in err
