"""``mezz run``, from the command line to the exit code."""

import json
import os
import re
import subprocess
import sys

import pytest

HEAVY = {"torch", "numpy", "zarr", "zarrs", "rich", "matplotlib", "mezz_toy.parts"}


@pytest.fixture
def planned(toy, call):
    """Resolves a run by ``--dry-run --json`` and returns the document."""

    def run(*arguments):
        code, out, err = call("run", *arguments, "--dry-run", "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return run


def test_the_recipes_are_listed_with_their_summaries(toy, call):
    code, out, _ = call("run", "--help")
    assert code == 0
    assert re.search(r"^  blob_norms +The toy recipe blob_norms$", out, re.MULTILINE)
    assert call("run")[1] == out


def test_listing_recipes_imports_no_settings_and_help_imports_no_implementation(toy, mezz):
    script = (
        "import sys\nfrom mezzanine_core.cli import main\ncode = main(sys.argv[1:])\n"
        "print(*sys.modules, file=sys.stderr)\nsys.exit(code)"
    )

    def imported(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", script, "run", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return set(done.stderr.splitlines()[-1].split())

    assert imported("--help") & {"mezz_toy.config", "pydantic", "yaml", *HEAVY} == set()
    helped = imported("blob_norms", "--help")
    assert "mezz_toy.config" in helped
    assert helped & HEAVY == set()


def test_help_shows_each_setting_with_type_range_and_default_by_component(toy, call):
    code, out, err = call("run", "blob_norms", "--help")
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    for part in (
        "The toy recipe blob_norms Mean norm of latents. Longer words about it.",
        "Recipe blob_norms: --seed INT",
        "--steps INT Training steps [x >= 1; default: 800]",
        "--resume, --go-on / --no-resume, --no-go-on [default: false]",
        "--note, --world.note, --remark, --world.remark TEXT",
        "--lr, --optim.lr FLOAT Learning rate [x > 0; default: 0.5]",
        "World blobs: --world, --world.name NAME Which world: blobs, robot "
        "[default: blobs (preset blob_norms)]",
        "--games, --world.games hole|seesaw|tower,... Which games [at least 1 item; "
        "default: hole,seesaw (preset blob_norms)]",
        "--world.seed INT Seed of sampling and splits; the recipe's by default [x >= 0]",
        "--overlap, --world.overlap drop|keep|fail [default: drop]",
        "--window, --world.window FLOAT,FLOAT [default: 0.0,1.0]",
        "Encoder plain: --encoder, --encoder.name NAME Which encoder:",
        "--extra JSON",
        "Run: --out PATH",
        "-c, --config FILE",
        "-h, --help",
    ):
        assert part in text


def test_help_shows_the_settings_of_the_components_that_are_chosen(toy, call):
    _, out, _ = call("run", "blob_norms", "--world", "robot", "--help")
    assert "--repo-id" in out
    assert "--games" not in out


def test_help_shows_what_is_in_force_and_where_it_comes_from(toy, call, monkeypatch):
    (toy / "mine.yml").write_text("n_train: 7\n")
    monkeypatch.setenv("MEZZ_N_TEST", "8")
    _, out, _ = call("run", "blob_norms", "-c", "mine.yml", "--steps", "9", "--help")
    text = " ".join(out.split())
    assert "default: 7 (mine.yml:1)" in text
    assert "default: 8 (environment MEZZ_N_TEST)" in text
    assert "default: 9 (flag --steps)" in text


def test_help_of_a_recipe_without_its_component_says_what_is_missing(toy, call):
    code, out, _ = call("run", "norms", "--help")
    assert code == 0
    assert (
        "Note: the recipe needs a world. Give --world NAME; installed: blobs, robot."
        in " ".join(out.split())
    )
    _, out, _ = call("run", "norms", "--world", "blbs", "--help")
    assert "Note: --world: there is no world 'blbs'. Did you mean 'blobs'?" in " ".join(out.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--n-train", "9", "--delta-seconds", "2.0"],
        ["--n_train", "9", "--delta_seconds", "2.0"],
        ["--world.n-train", "9", "--world.delta_seconds=2.0"],
        ["--n-train", "3", "--n_train=9", "--delta-seconds", "2"],
    ],
)
def test_a_flag_may_be_spelled_with_dashes_underscores_or_its_component(planned, arguments):
    world = planned("blob_norms", *arguments)["config"]["world"]
    assert (world["n_train"], world["delta_seconds"]) == (9, 2.0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--games", "hole,tower"],
        ["--games", "hole", "--games", "tower"],
        ["--games", "hole", "--world.games", "tower"],
        ["--games=hole, tower"],
        ["--games", '["hole", "tower"]'],
    ],
)
def test_a_list_is_given_with_commas_or_by_repetition(planned, arguments):
    assert planned("blob_norms", *arguments)["config"]["world"]["games"] == ["hole", "tower"]


def test_a_value_that_looks_like_a_flag_is_given_with_an_equals_sign(planned):
    assert planned("blob_norms", "--note=--n-train")["config"]["world"]["note"] == "--n-train"
    assert planned("blob_norms", "--note", "--what")["config"]["world"]["note"] == "--what"


def test_a_switch_can_be_turned_off_again(planned, toy):
    (toy / "c.yml").write_text("resume: yes\n")
    on = planned("blob_norms", "-c", "c.yml")
    off = planned("blob_norms", "-c", "c.yml", "--no-resume")
    assert (on["config"]["resume"], on["origins"]["resume"]) == (True, "c.yml:1")
    assert (off["config"]["resume"], off["origins"]["resume"]) == (False, "flag --resume")


def test_what_nobody_typed_does_not_overwrite_the_file(planned, toy):
    (toy / "c.yml").write_text("steps: 3\nresume: true\nseeds: [5]\ncache_dir: there\n")
    config = planned("blob_norms", "--config", "c.yml")
    assert config["config"]["steps"] == 3
    assert config["config"]["resume"] is True
    assert config["config"]["seeds"] == [5]
    assert config["options"]["cache_dir"] == "there"


def test_the_origin_of_a_flag_is_spelled_as_it_was_typed(planned):
    origins = planned("blob_norms", "--n_train", "3", "--world.n_test", "4", "--seed=5")["origins"]
    assert origins["world.n_train"] == "flag --n-train"
    assert origins["world.n_test"] == "flag --world.n-test"
    assert origins["seed"] == "flag --seed"


@pytest.mark.parametrize(
    ("arguments", "name", "value", "origin"),
    [
        (["--remark", "x"], "world.note", "x", "flag --remark"),
        (["--world.remark=x"], "world.note", "x", "flag --world.remark"),
        (["--go_on"], "resume", True, "flag --go-on"),
        (["--no-go-on"], "resume", False, "flag --go-on"),
    ],
)
def test_an_alias_is_a_flag_and_the_origin_says_that_it_was_typed(
    planned, arguments, name, value, origin
):
    document = planned("blob_norms", *arguments)
    config = {**document["config"], "world.note": document["config"]["world"]["note"]}
    assert (config[name], document["origins"][name]) == (value, origin)


@pytest.mark.parametrize(
    "arguments",
    [["--note", "a", "--remark", "b"], ["--remark=a", "--world.note=b"], ["--go-on", "--resume"]],
)
def test_a_flag_and_its_alias_together_are_refused(toy, call, arguments):
    code, out, err = call("run", "blob_norms", *arguments)
    assert (code, out) == (2, "")
    assert "is given twice, first by --" in err


def test_the_environment_is_between_the_file_and_the_flags(planned, toy, monkeypatch):
    (toy / "c.yml").write_text("n_train: 3\nn_test: 3\nlevel: 3\n")
    monkeypatch.setenv("MEZZ_N_TEST", "4")
    monkeypatch.setenv("MEZZ_WORLD__LEVEL", "2")
    world = planned("blob_norms", "-c", "c.yml", "--level", "1")["config"]["world"]
    assert (world["n_train"], world["n_test"], world["level"]) == (3, 4, 1)


def test_a_flag_can_choose_the_component_that_has_it(planned, call, toy):
    code, _, err = call("run", "full_norms", "--embed-layer", "3", "--help")
    assert (code, err) == (0, "")
    code, _, err = call("run", "full_norms", "--model-name", "x")
    assert code == 3
    assert "mezzanine-encoders-hf" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["blobnorms"], 2, "there is no recipe 'blobnorms'\nhint: Did you mean 'blob_norms'"),
        (["norms"], 2, "the recipe needs a world\nhint: Give --world NAME"),
        (["norms", "--world", "blbs"], 2, "--world: there is no world 'blbs'\nhint: Did you mean"),
        (["blob_norms", "--n-train", "0"], 2, "--n-train: 0 is out of range; permitted: 1 <= x"),
        (["blob_norms", "--n_train=x"], 2, "--n-train: 'x' is not valid: a whole number"),
        (
            ["blob_norms", "--gmaes", "hole"],
            2,
            "--gmaes: there is no such flag\nhint: Did you mean",
        ),
        (["blob_norms", "--games", "hole", "tower"], 2, "unexpected argument 'tower'"),
        (["blob_norms", "-n", "3"], 2, "unexpected argument '-n'"),
        (["blob_norms", "--n-train"], 2, "option '--n-train' requires an argument"),
        (["blob_norms", "--world"], 2, "option '--world' requires an argument"),
        (["blob_norms", "--note", "--n_train", "3"], 2, "--note: the value is missing; the flag"),
        (["blob_norms", "--config=~nobody-at-all/c.yml"], 2, "there is no such configuration file"),
        (["blob_norms", "--config"], 2, "option '--config' requires an argument"),
        (["blob_norms", "-c", "no.yml"], 2, "no.yml: there is no such configuration file"),
        (["blob_norms", "-c", "bad.yml"], 2, "bad.yml:2: cannot be parsed"),
        (
            ["blob_norms", "-cwrong.yml"],
            2,
            "wrong.yml:1: stepz: there is no such setting\nhint: Did",
        ),
        (["blob_norms", "--config=wrong.yml", "--help"], 0, ""),
        (["blob_norms", "-c", "bad.yml", "--help"], 2, "bad.yml:2: cannot be parsed"),
        (["blob_norms", "--log", "nobody"], 2, "--log: there is no tracker 'nobody'"),
        (["blob_norms", "--log", "jsonl,wandb"], 3, "mezzanine-trackers-wandb"),
        (["blob_norms", "--executor", "nobody"], 2, "--executor: there is no executor 'nobody'"),
        (["blob_norms", "--device", "gpu"], 2, "--device: 'gpu' is not a device"),
        (["clash"], 3, "settings whose names every run has for itself: dry_run, out"),
        (["blob_norms", "--encoder", "hf_vision"], 3, "pip install mezzanine-encoders-hf"),
        (["blob_norms", "--note", "fail"], 1, "the toy world has run out of points\nhint: Ask"),
        (["blob_norms", "--note", "bug"], 1, "the run failed: ZeroDivisionError"),
        (["blob_norms", "--out", "taken"], 2, "taken"),
    ],
)
def test_what_is_wrong_is_said_in_words_with_its_exit_code(toy, call, arguments, code, words):
    (toy / "bad.yml").write_text("a: 1\nb: ]\n")
    (toy / "wrong.yml").write_text("stepz: 1\n")
    (toy / "taken").mkdir()
    (toy / "taken" / "thesis.tex").write_text("not ours")
    exit_code, out, err = call("run", *arguments)
    assert exit_code == code
    assert words in err
    assert "Traceback" not in err
    if code:
        assert out == ""
        assert err.startswith("error: ")


def test_everything_that_is_wrong_is_said_at_once(toy, mezz):
    done = mezz("run", "blob_norms", "--n-train", "0", "--gmaes", "x", "--level", "9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: 3 settings of blob_norms are wrong:",
        "  --gmaes: there is no such flag. Did you mean --games?",
        "  --n-train: 0 is out of range; permitted: 1 <= x <= 100000",
        "  --level: 9 is not one of 1, 2, 3",
    ]


def test_a_run_prints_figures_verdict_and_outputs_and_a_break_is_no_failure(toy, mezz):
    done = mezz("run", "blob_norms", "--out", "out", "--workers", "1", cwd=toy)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Metrics, with 95% intervals"
    assert lines[1].split() == ["train", "test"]
    assert re.fullmatch(r"  norm( +[\d.]+ \[[\d.]+, [\d.]+\]){2} *", lines[2])
    assert any(line.startswith("BREAK: Training points are longer by ") for line in lines)
    assert "  warning: the points are toys" in lines
    assert "latents: 60 asked for, 60 distinct: 0 from the cache, 60 encoded" in lines
    words = " ".join(done.stdout.split())
    assert f"report: {toy / 'out' / 'report.html'}" in words
    assert words.endswith(f"outputs: {toy / 'out'}: results.json, norms.txt")
    assert (toy / "out" / "norms.txt").exists()


def test_a_second_run_encodes_nothing(toy, call):
    call("run", "blob_norms", "--out", "out")
    _, out, err = call("run", "blob_norms", "--out", "out")
    assert "60 from the cache, 0 encoded" in out
    assert "moved the earlier run" in err


def test_with_json_stdout_is_the_results_alone(toy, mezz):
    done = mezz("run", "blob_norms", "--out", "out", "--note", "print", "--json", cwd=toy)
    assert done.returncode == 0
    assert json.loads(done.stdout) == json.loads((toy / "out" / "results.json").read_text())
    assert "a simulator that talks to stdout" in done.stderr


def test_the_results_say_where_each_setting_came_from_and_what_was_typed(toy, call):
    (toy / "c.yml").write_text("steps: 3\n")
    call("run", "blob_norms", "-c", "c.yml", "--out", "out", "--n_train", "50", "--games=hole")
    results = json.loads((toy / "out" / "results.json").read_text())
    assert results["origins"]["steps"] == "c.yml:1"
    assert results["origins"]["world.n_train"] == "flag --n-train"
    assert results["config"]["world"]["n_train"] == 50
    assert results["settings"]["command"] == (
        "mezz run blob_norms -c c.yml --out out --n_train 50 --games=hole"
    )


def test_a_dry_run_shows_every_setting_and_counts_latents_and_leaves_nothing_behind(
    toy, call, tmp_path
):
    before = sorted(tmp_path.rglob("*"))
    code, out, err = call("run", "blob_norms", "--out", "out", "--n-train", "50", "--dry-run")
    assert (code, err) == (0, "")
    assert sorted(tmp_path.rglob("*")) == before
    rows = [line.split() for line in out.splitlines()]
    assert ["world.n_train", "flag", "--n-train", "50"] in rows
    assert ["world.games", "preset", "blob_norms", "hole,seesaw"] in rows
    assert ["out", "flag", "--out", "out"] in rows
    assert "70 items, 70 distinct: 0 cached, 70 to encode" in out
    call("run", "blob_norms", "--out", "out")
    _, out, _ = call("run", "blob_norms", "--n-train", "50", "--dry-run")
    assert "70 items, 70 distinct: 60 cached, 10 to encode" in out


def test_a_dry_run_gives_the_fingerprints_of_the_run(toy, planned, call):
    document = planned("blob_norms")
    call("run", "blob_norms", "--out", "out")
    results = json.loads((toy / "out" / "results.json").read_text())
    assert document["fingerprint"] == results["fingerprint"]
    assert document["components"] == results["components"]
    assert document["config"] == results["config"]
    assert document["origins"].keys() == results["origins"].keys()
    assert document["total"] == {"items": 60, "unique": 60, "cached": 0, "to_encode": 60}


def test_interruption_ends_with_130(toy, tmp_path):
    script = (
        "import sys\nfrom mezz_toy import parts\n"
        "def interrupted(self): raise KeyboardInterrupt\n"
        "parts.Blobs.load = interrupted\n"
        "from mezzanine_core.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "run", "blob_norms", "--out", "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr
    assert "the same command goes on from there" in done.stderr
    assert str(toy / "out" / "report.html") in done.stderr.replace("\n", "")


def complete(words):
    """What bash would offer for the last of the words."""
    done = subprocess.run(
        [sys.executable, "-m", "mezzanine_core"],
        env={
            **os.environ,
            "_MEZZ_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["run", "blob"], ["blob_norms"]),
        (["run", "blob_norms", "--ov"], ["--overlap"]),
        (["run", "blob_norms", "--rem"], ["--remark"]),
        (["run", "blob_norms", "--world.ov"], ["--world.overlap"]),
        (["run", "blob_norms", "--world", "robot", "--rep"], ["--repo-id"]),
        (["run", "blob_norms", "--overlap", "k"], ["keep"]),
        (["run", "blob_norms", "--games", "s"], ["seesaw"]),
        (["run", "blob_norms", "--games", "hole,s"], ["hole,seesaw"]),
        (["run", "blob_norms", "--world", "b"], ["blobs"]),
        (["run", "blob_norms", "--device", "m"], ["mps"]),
        (["run", "nobody", "--ov"], []),
        (["run", "blob_norms", "-c", "absent.yml", "--ov"], []),
        (["run", "norms", "--world", "absent", "--ste"], ["--steps"]),
    ],
    ids=lambda words: " ".join(words),
)
def test_the_shell_completes_recipes_flags_and_values(toy, words, offered):
    assert complete(["mezz", *words]) == offered
