"""``mezz rerun``, from the command line to the exit code."""

import json

import pytest


@pytest.fixture
def done(toy, call):
    """A finished run in ``out`` of an empty working directory."""
    code, _, err = call("run", "blob_norms", "--out", "out", "--workers", "1", "--games", "tower")
    assert code == 0, err
    return toy / "out"


def drift(done):
    """Pretend that the run found something else."""
    document = json.loads((done / "results.json").read_text())
    owner, figures = next(iter(document["metrics"].items()))
    name = next(iter(figures))
    for part in ("value", "low", "high"):
        document["metrics"][owner][name][part] += 1.0
    (done / "results.json").write_text(json.dumps(document))
    return f"metrics.{owner}.{name}.value"


def test_an_unchanged_run_is_identical(done, call):
    code, out, err = call("rerun", "out", "--out", "again", "--workers", "1")
    assert code == 0
    assert out.startswith("IDENTICAL: all ")
    assert "tolerance: 0.001 relative, 0.0001 absolute" in out
    assert "Nothing has changed since" in err


def test_a_run_that_drifted_exits_with_1_and_says_where(done, call):
    path = drift(done)
    code, out, _ = call("rerun", "out/results.json", "--out", "again", "--workers", "1")
    assert code == 1
    assert out.startswith("DRIFTED: 3 of ")
    assert f"{path}: " in out
    assert call("rerun", "out", "--out", "wide", "--workers", "1", "--atol", "2")[0] == 0


def test_json_is_the_document_that_is_written(done, call, toy):
    drift(done)
    code, out, _ = call("rerun", "out", "--out", "again", "--workers", "1", "--json")
    assert code == 1
    assert json.loads(out) == json.loads((toy / "again" / "comparison.json").read_text())


def test_a_dry_run_says_what_has_changed_and_runs_nothing(done, call, toy):
    document = json.loads((done / "results.json").read_text())
    document["versions"]["numpy"] = "1.0"
    (done / "results.json").write_text(json.dumps(document))
    code, out, err = call("rerun", "out", "--out", "again", "--dry-run")
    assert code == 0, err
    assert out.startswith("1 thing changed since the run:\n  - numpy was 1.0 and is ")
    assert not (toy / "again").exists()
    found = json.loads(call("rerun", "out", "--dry-run", "--json")[1])
    assert [each["subject"] for each in found["drift"]] == ["numpy"]


def test_the_command_is_recorded(done, call, toy):
    call("rerun", "out", "--out", "again", "--workers", "1", "--log", "jsonl,none")
    record = json.loads((toy / "again" / "results.json").read_text())
    assert record["settings"]["command"] == (
        "mezz rerun out --out again --workers 1 --log jsonl,none"
    )
    assert (toy / "again" / "log.jsonl").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere"], 2, "there is no run in nowhere"),
        (["out", "--out", "out"], 2, "--out: is the directory of the run itself"),
        (["out", "--rtol", "-1"], 2, "--rtol: -1.0 is out of range"),
        (["out", "--atol", "nan"], 2, "--atol: nan is out of range"),
        (["out", "--device", "gpu"], 2, "--device: 'gpu' is not a device"),
        (["out", "--workers", "none"], 0, ""),
        (["out", "--workers", "x"], 2, "--workers: "),
        (["out", "--log", "nobody"], 2, "--log: there is no tracker 'nobody'"),
        (["out", "--bogus"], 2, "--bogus"),
    ],
)
def test_what_is_wrong_is_said_in_words_with_its_exit_code(done, call, arguments, code, words):
    found, _, err = call("rerun", *arguments)
    assert found == code
    assert words in err
    assert "Traceback" not in err
