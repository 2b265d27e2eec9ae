"""``mezz tune`` and ``--autotune``, from the command line to the exit code."""

import json
import re
import subprocess
import sys

import pytest

SITE = "toy_site"
TUNE = (
    *("tune", "hill", "--space", "x=2:4:1", "--baseline", "flat.score"),
    *("--range", "0.05:0.6", "--effect", "hill_minus_flat.score"),
)

WITHOUT_OPTUNA = """
import importlib.machinery as machinery
find = machinery.PathFinder.find_spec
def find_spec(cls, name, path=None, target=None):
    return None if name.partition(".")[0] == "optuna" else find(name, path, target)
machinery.PathFinder.find_spec = classmethod(find_spec)
"""


@pytest.fixture
def hills(toy, monkeypatch, request):
    """An empty working directory, in which the hills are the only plugin besides core."""
    site = str(request.path.parents[1] / "tuning" / "toy_site")
    monkeypatch.setenv("MEZZ_PLUGINS", "toy-tuning")
    monkeypatch.setenv("MEZZ_CACHE_DIR", str(toy / "cache"))
    monkeypatch.setenv("PYTHONPATH", site)
    monkeypatch.syspath_prepend(site)
    yield toy
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy_tuning"]:
        del sys.modules[name]


def test_the_help_of_a_recipe_has_the_flags_of_tuning_and_its_settings(hills, call):
    code, out, err = call("tune", "hill", "--help")
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    for part in (
        "--space NAME=RANGE A setting to search: NAME=LOW:HIGH",
        "--range LOW:HIGH",
        "[default: 20]",
        "--x FLOAT How far along the way",
        "--workers INT Trials that run at once",
    ):
        assert part in text


@pytest.mark.parametrize(
    "arguments", [["tune", "--help"], ["tune", "hill", "--help"], [*TUNE, "--dry-run"]]
)
def test_neither_help_nor_a_dry_run_imports_optuna(hills, arguments):
    script = (
        "import sys\nfrom mezzanine_core.cli import main\ncode = main(sys.argv[1:])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    imported = set(done.stderr.splitlines()[-1].split())
    assert imported & {"optuna", "matplotlib", "torch", "sqlalchemy"} == set()


def test_without_optuna_the_command_that_brings_it_is_said(hills, plugin_site, mezz):
    plugin_site.write("sitecustomize.py", WITHOUT_OPTUNA)
    path = f"{plugin_site.root}:{SITE}"
    import os

    env = {"MEZZ_PLUGINS": "toy-tuning", "PYTHONPATH": f"{path}:{os.environ['PYTHONPATH']}"}
    done = mezz(*TUNE, env=env)
    assert (done.returncode, done.stdout) == (3, "")
    assert "tuning needs optuna" in done.stderr
    assert 'pip install "mezzanine-core[tune]"' in done.stderr
    assert mezz("run", "hill", env=env).returncode == 0


def test_a_tuning_prints_its_outcome_and_the_command_that_runs_the_choice(hills, call):
    code, out, err = call(*TUNE, "--out", "out")
    assert code == 0
    text = " ".join(out.split())
    assert "qualifies 3" in text
    assert "outcome: Chosen: x=4" in text
    command = re.search(r"run it: mezz (run hill --config \S+tuned\.yml)", text)[1]
    assert call(*command.split())[0] == 0
    assert "the same command with --out" in err


def test_nothing_that_qualifies_is_a_result_and_no_failure(hills, call):
    code, out, _ = call(*TUNE, "--out", "out", "--range", "0.7:0.9")
    assert code == 0
    assert "Nothing qualifies, of 3 tried: 3 dead" in " ".join(out.split())


def test_with_json_stdout_is_the_record_alone(hills, mezz, call):
    code, out, _ = call(*TUNE, "--out", "out", "--json")
    assert code == 0
    assert json.loads(out) == json.loads((hills / "out" / "tuning.json").read_text())


def test_a_dry_run_says_what_would_be_done_and_leaves_nothing_behind(hills, call):
    code, out, err = call(*TUNE, "--pilot", "n=10", "--rungs", "3", "--out", "out", "--dry-run")
    assert (code, err) == (0, "")
    assert list(hills.iterdir()) == []
    rows = [line.split() for line in out.splitlines()]
    assert ["Searched:", "3", "points"] in rows
    assert ["1", "n=100"] in rows
    code, out, _ = call(*TUNE, "--dry-run", "--json")
    assert json.loads(out)["points"] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["tune", "nobody"], 2, "there is no recipe 'nobody'"),
        (["tune", "hill"], 2, "missing: --space, --baseline, --range, --effect"),
        ([*TUNE[:4]], 2, "missing: --baseline, --range, --effect"),
        ([*TUNE, "--range", "5"], 2, "--range 5: is not of the form LOW:HIGH"),
        ([*TUNE, "--trials", "0"], 2, "--trials 0"),
        ([*TUNE, "--trials", "x"], 2, "invalid value for '--trials'"),
        ([*TUNE, "--space", "y=1:2"], 2, "--space y=1:2: there is no setting 'y'"),
        ([*TUNE, "--n", "0"], 2, "--n: 0 is out of range"),
        ([*TUNE, "--bogus", "1"], 2, "--bogus: there is no such flag"),
        ([*TUNE, "--out", "taken"], 2, "taken holds something else than a tuning"),
        ([*TUNE, "--out", "file"], 2, "file is not a directory"),
        ([*TUNE, "--effect", "hill.scor"], 2, "have no figure 'hill.scor'"),
        ([*TUNE, "--cliff", "1"], 1, "every trial failed"),
        (["run", "hill", "--autotune"], 2, "hill does not say by itself what to tune"),
    ],
)
def test_what_is_wrong_is_said_in_words_with_its_exit_code(hills, call, arguments, code, words):
    (hills / "taken").mkdir()
    (hills / "taken" / "thesis.tex").write_text("not ours")
    (hills / "file").touch()
    exit_code, out, err = call(*arguments)
    assert (exit_code, out) == (code, "")
    assert words in err
    assert "Traceback" not in err


def test_autotune_searches_the_space_of_the_recipe(hills, call):
    code, out, _ = call("run", "own_hill", "--autotune", "--out", "out", "--side", "north")
    assert code == 0
    assert "Chosen: x=4" in " ".join(out.split())
    record = json.loads((hills / "out" / "tuning.json").read_text())
    assert record["space"] == {"x": "0:10:1"}
    assert record["rungs"] == [{"n": "10", "seeds": "0"}, {}]


def test_flags_say_more_than_the_recipe_does(hills, call):
    arguments = ("--range", "0.1:0.2", "--pilot", "none", "--dry-run", "--json")
    code, out, _ = call("tune", "own_hill", *arguments)
    assert code == 0
    document = json.loads(out)
    assert document["range"] == [0.1, 0.2]
    assert document["rungs"] == [{}]
    assert document["points"] == 22


def test_a_tuning_goes_below_tunings_unless_told_otherwise(hills, call):
    call(*TUNE)
    [directory] = (hills / "tunings" / "hill").iterdir()
    assert (directory / "tuning.json").exists()
    assert call("runs", "ls")[1].startswith("There are no runs")
