"""``mezz predict``, from the command line to the exit code."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from mezzanine_core.runs.state import RunState, write_state

POINTS = ["0 0 0", "1 1 1", "9 9 9"]


@pytest.fixture
def run(toy, call):
    """A finished run whose settings are not the defaults, in an empty working directory."""
    arguments = ["--out", "out", "--workers", "1", "--seeds", "3,5", "--games", "tower,hole"]
    code, _, err = call("run", "nearest", *arguments, "--encoder", "tiny", "--note", "none")
    assert (code, err) == (0, "")
    (toy / "new.txt").write_text("\n".join(POINTS))
    return toy / "out"


@pytest.fixture
def predicted(run, call):
    """Predicts new points and returns the objects, one for each line of stdout."""

    def predict(*arguments):
        code, out, _ = call("predict", str(run), *arguments)
        assert code == 0
        return [json.loads(line) for line in out.splitlines()]

    return predict


def nearest(run, points, seed):
    centres = np.array(json.loads((run / "centres.json").read_text())[str(seed)])
    found = []
    for point in points:
        distance = np.linalg.norm(np.float32(point.split())[:2] - centres, axis=1)
        label = ("tower", "hole")[int(distance.argmin())]
        found.append({"label": label, "distance": distance.tolist()})
    return found


def test_predictions_are_those_of_the_runs_model_in_the_order_of_the_input(run, predicted):
    found = predicted("--input", "new.txt")
    assert found == nearest(run, POINTS, 3)
    assert {one["label"] for one in found} == {"tower", "hole"}


def test_a_run_predicts_with_its_own_settings_whatever_the_environment_says(
    run, predicted, monkeypatch
):
    before = predicted("--input", "new.txt")
    for name, text in {
        "GAMES": "seesaw",
        "ENCODER": "plain",
        "PREDICTS": "nothing",
        "SEED": "9",
    }.items():
        monkeypatch.setenv(f"MEZZ_{name}", text)
    assert predicted("--input", "new.txt") == before


def test_the_repetition_and_the_model_can_be_chosen(run, predicted):
    assert predicted("--input", "new.txt", "--seed", "5") == nearest(run, POINTS, 5)
    first = predicted("--input", "new.txt", "--model", "first")
    assert {one["label"] for one in first} == {"tower"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("new.jsonl", '"0 0 0"\n{"text": "1 1 1", "more": [1]}\n{"text": "9 9 9"}\n'),
        ("new.csv", "id,text\r\n1,0 0 0\r\n2,1 1 1\r\n3,9 9 9\r\n"),
    ],
)
def test_every_format_gives_the_same_items(run, predicted, toy, name, text):
    (toy / name).write_text(text, newline="")
    assert predicted("-i", name) == predicted("-i", "new.txt")


def test_items_come_from_stdin_and_predictions_are_all_that_stdout_gets(run, mezz, predicted, toy):
    texts = mezz("predict", "out", "--input", "-", stdin="\n".join(POINTS), cwd=toy)
    lines = "\n".join(json.dumps(point) for point in POINTS)
    objects = mezz("predict", "out", "-i", "-", "--format", "jsonl", stdin=lines, cwd=toy)
    assert [texts.returncode, objects.returncode] == [0, 0]
    found = [json.loads(line) for line in texts.stdout.splitlines()]
    assert found == predicted("--input", "new.txt")
    assert texts.stdout == objects.stdout
    assert "a recipe that talks to stdout" in texts.stderr


def test_predictions_go_to_a_file_whole_and_an_earlier_one_is_replaced(run, call, toy, predicted):
    (toy / "found.jsonl").write_text("earlier")
    code, out, _ = call("predict", "out", "-i", "new.txt", "--out", "found.jsonl")
    assert (code, out) == (0, "")
    found = [json.loads(line) for line in (toy / "found.jsonl").read_text().splitlines()]
    assert found == predicted("-i", "new.txt")
    (toy / "bad.txt").write_text("0 0 0\nfar away\n")
    code, out, _ = call("predict", "out", "-i", "bad.txt", "--out", "found.jsonl")
    assert (code, out) == (1, "")
    assert len((toy / "found.jsonl").read_text().splitlines()) == 3
    assert not list(toy.glob(".found*"))


def test_predicting_leaves_the_run_as_it_was(run, predicted):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    predicted("--input", "new.txt")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_run_is_found_by_its_results_and_after_it_was_moved(run, predicted, call, toy):
    before = predicted("--input", "new.txt")
    shutil.move(run, toy / "elsewhere")
    code, out, _ = call("predict", "elsewhere/results.json", "--input", "new.txt")
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ["nowhere", "-i", "new.txt"],
            2,
            "there is no run in nowhere\nhint: That is no directory. `mezz runs ls` lists",
        ),
        ([".", "-i", "new.txt"], 2, "there is no run in .\n"),
        (
            ["failed", "-i", "new.txt"],
            1,
            "has left no results; it is failed: too few points\nhint: Only",
        ),
        (["out"], 2, "missing option '--input'"),
        (["out", "-i", "absent.txt"], 2, "--input: there is no file absent.txt"),
        (["out", "-i", "out"], 2, "--input: the name 'out' does not say what format"),
        (["out", "-i", "out", "--format", "txt"], 2, "--input: out is a directory"),
        (
            ["out", "-i", "new.txt", "--format", "yaml"],
            2,
            "--format: 'yaml' is not one of txt, jsonl",
        ),
        (["out", "-i", "empty.txt"], 1, "empty.txt holds no items"),
        (["out", "-i", "new.txt", "--format", "jsonl"], 1, "new.txt:1: is not JSON: "),
        (["out", "-i", "other.csv"], 1, "item 1 has no field 'text'; it has ['point']"),
        (
            ["out", "-i", "new.txt", "--seed", "4"],
            2,
            "--seed: the run has no repetition 4\nhint: There are 3, 5.",
        ),
        (["out", "-i", "new.txt", "--model", "best"], 2, "there is no model 'best'"),
        (["out", "-i", "new.txt", "--device", "gpu"], 2, "--device: 'gpu' is not a device"),
        (["out", "-i", "new.txt", "--cache-dir", "new.txt"], 2, "new.txt is not a directory"),
        (["out", "-i", "new.txt", "--out", "no/found"], 2, "there is no directory no"),
        (
            ["out", "-i", "new.txt", "--out", "out"],
            2,
            "--out: out cannot be written: is a directory",
        ),
        (["out", "-i", "new.txt", "--out", "./new.txt"], 2, "--out: is the file of --input"),
        (["out", "-i", "new.txt", "--out", "out/centres.json"], 2, "is a file of the run"),
        (["out", "-i", "new.txt", "--out", "out/results.json"], 2, "is a file of the run"),
    ],
)
def test_what_is_wrong_is_said_in_words_with_its_exit_code(run, toy, call, arguments, code, words):
    (toy / "empty.txt").touch()
    (toy / "other.csv").write_text("point\n0 0 0\n")
    (toy / "failed").mkdir()
    write_state(
        toy / "failed",
        RunState(
            recipe="nearest",
            fingerprint="ab" * 32,
            started="2026-01-03T03:04:05Z",
            status="failed",
            error="too few points",
            pid=1,
            command="mezz run nearest",
        ),
    )
    exit_code, out, err = call("predict", *arguments)
    assert (exit_code, out) == (code, "")
    assert words in err
    assert "Traceback" not in err


def test_a_recipe_that_predicts_nothing_says_so(toy, call):
    call("run", "blob_norms", "--out", "out", "--workers", "1")
    (toy / "new.txt").write_text("0 0 0")
    code, out, err = call("predict", "out", "--input", "new.txt")
    assert (code, out) == (2, "")
    assert "leave no model that predicts new items\nhint: `mezz predict` works on" in err


@pytest.mark.parametrize(
    ("predicts", "words"),
    [
        ("too few", "gave 1 predictions for 3 items"),
        ("nothing", "gave 0 predictions for 3 items"),
        ("numbers", "predicted a int, not a mapping"),
        ("objects", "predicted what is no JSON: <object"),
    ],
)
def test_a_recipe_that_breaks_its_contract_is_told_from_others(toy, call, predicts, words):
    call("run", "nearest", "--out", "out", "--workers", "1", "--predicts", predicts)
    (toy / "new.txt").write_text("\n".join(POINTS))
    code, out, err = call("predict", "out", "--input", "new.txt")
    assert (code, out) == (3, "")
    assert words in err
    assert "report this to its author" in err


def edited(run, **changes):
    document = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**document, **changes}))
    return document


def test_the_run_of_a_plugin_that_is_gone_is_answered_with_what_brings_it(run, call):
    versions = {"python": "3", "platform": "x", "numpy": "2", "mezz-gone": "1.0"}
    edited(run, recipe="gone", versions=versions)
    code, _, err = call("predict", "out", "--input", "new.txt")
    assert code == 3
    assert "of the recipe 'gone', which is not installed\nhint: pip install mezz-gone\n" in err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stepz": 1}, "results.json: stepz: there is no such setting"),
        ({"steps": 0}, "results.json: steps: 0 is out of range"),
    ],
)
def test_settings_of_another_version_are_refused(run, call, changes, words):
    config = json.loads((run / "results.json").read_text())["config"]
    edited(run, config={**config, **changes})
    code, _, err = call("predict", "out", "--input", "new.txt")
    assert code == 2
    assert f"{words}" in err
    assert "hint: The run was made by other versions of the plugins" in err


def test_help_and_a_wrong_file_import_nothing_heavy(run, toy):
    script = (
        "import sys\nfrom mezzanine_core.cli import main\ncode = main(sys.argv[1:])\n"
        "print(*sys.modules, file=sys.stderr)"
    )

    def imported(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", script, "predict", *arguments],
            capture_output=True,
            text=True,
            check=True,
            cwd=toy,
        )
        return set(done.stderr.splitlines()[-1].split())

    heavy = {"torch", "numpy", "zarr", "rich", "mezz_toy.parts"}
    assert imported("--help") & {"pydantic", *heavy} == set()
    assert imported("out", "--input", "absent.txt") & heavy == set()
