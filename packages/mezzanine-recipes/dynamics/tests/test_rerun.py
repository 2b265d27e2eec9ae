"""Real runs on the real simulator, run again by the real command."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.slow

SMALL = (
    *("--games=hole,seesaw", "--n-train=200", "--n-test=40", "--image-size=32", "--size=16"),
    *("--dim=64", "--train-steps=60", "--hidden=32", "--bootstrap=200", "--shuffles=2"),
    *("--workers=1", "--device=cpu", "--do-cem", "--cem-eval=8"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The working directory of all runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def mezz(place):
    """Runs ``mezz`` there, with a number of threads: exit code, stdout and stderr."""

    def call(*arguments, threads=1):
        environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        environment |= {"OMP_NUM_THREADS": str(threads), "MEZZ_CACHE_DIR": str(place / "cache")}
        done = subprocess.run(
            [sys.executable, "-m", "mezzanine_core", *arguments],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return call


def comparison(path):
    return json.loads((path / "comparison.json").read_text())


@pytest.fixture(scope="module")
def first(mezz, place):
    """A deterministic run, in the directory ``first``."""
    run = ("run", "iphyre_latent_dynamics", "--out=first", "--deterministic", "--log=jsonl")
    code, _, error = mezz(*run, *SMALL)
    assert code == 0, error
    return place / "first"


def test_the_training_curves_are_logged_at_their_steps(first):
    lines = [json.loads(line) for line in (first / "log.jsonl").read_text().splitlines()]
    *points, whole = [line for line in lines if line["event"] == "log"]
    curves = json.loads((first / "results.json").read_text())["diagnostics"]["curves"]
    assert [point["step"] for point in points] == curves["steps"]
    for kind, name in (("train", "loss"), ("held_out", "held_out")):
        for model in ("action", "no_action"):
            logged = [point["values"][f"train/{model}/{name}"] for point in points]
            assert logged == pytest.approx(np.mean(curves[kind][model], axis=0).tolist())
    assert whole["step"] is None
    assert "test/action/r@10" in whole["values"]


def test_a_deterministic_run_comes_out_the_same_bit_for_bit(first, mezz, place):
    # Encoded anew, and in an environment that asks for other threads.
    again = ("rerun", "first", "--out=second", "--workers=1", f"--cache-dir={place / 'empty'}")
    code, out, error = mezz(*again, threads=2)
    assert code == 0, error
    assert out.startswith("IDENTICAL")
    found = comparison(place / "second")
    assert (found["outcome"], found["drift"]) == ("identical", [])
    assert found["tolerance"] == {"relative": 0, "absolute": 0}
    assert set(found["files"].values()) == {"identical"}
    assert {"model.safetensors", "montage.png"} <= set(found["files"])
    assert json.loads((place / "second" / "results.json").read_text())["cache"]["encoded"] > 0


def test_drift_is_explained_and_other_results_exit_with_1(first, mezz, place):
    document = json.loads((first / "results.json").read_text())
    document["config"]["train_steps"] = 10
    document["versions"]["torch"] = "1.0"
    (place / "edited").mkdir()
    (place / "edited" / "results.json").write_text(json.dumps(document))
    code, out, error = mezz("rerun", "edited", "--out=third", "--workers=1")
    assert code == 1, error
    assert "torch was 1.0 and is " in error
    assert "This is another experiment" in error
    assert out.startswith("DRIFTED")
    paths = {one["path"] for one in comparison(place / "third")["differences"]}
    assert "metrics.action.cosine.value" in paths
    assert not any(path.startswith("metrics.persistence") for path in paths)
