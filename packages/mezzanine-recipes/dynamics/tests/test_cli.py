"""The real command on the real simulator."""

import json
import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# Small, but enough for a verdict: a few hundred transitions, one thread, no worker processes.
SMALL = (
    *("--n-train=500", "--n-test=120", "--image-size=64", "--size=16", "--dim=64"),
    *("--train-steps=200", "--hidden=64", "--bootstrap=500", "--shuffles=2"),
    *("--workers=1", "--device=cpu"),
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache for all runs, as a user would have it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def start(tmp_path, cache, site):
    """Starts a command in an empty directory, with the test worlds installed."""

    def popen(*command):
        environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        environment |= {"OMP_NUM_THREADS": "1", "MEZZ_CACHE_DIR": str(cache)}
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(site)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return popen


@pytest.fixture
def mezz(start):
    """Runs ``mezz`` to its end: exit code, stdout and stderr."""

    def call(*arguments):
        process = start("-m", "mezzanine_core", *arguments)
        out, error = process.communicate()
        return process.returncode, out, error

    return call


def results(path):
    return json.loads((path / "results.json").read_text())


def test_clicks_matter_in_hole_and_seesaw(mezz, tmp_path):
    run = ("run", "iphyre_latent_dynamics", "--out", "out", "--games", "hole,seesaw", *SMALL)
    code, out, error = mezz(*run)
    assert code == 0, error
    assert "MAKE" in out
    found = results(tmp_path / "out")
    assert found["verdict"]["label"] == "MAKE"
    for comparison in ("action_minus_no_action", "action_minus_shuffled"):
        assert found["deltas"][comparison]["mean_rank"]["low"] > 0
        assert found["deltas"][comparison]["r@10"]["low"] > 0
    assert found["data"]["overlap"]["same_transition"] == 0
    assert found["cache"]["encoded"] > 0
    for name in ("diagnostics.png", "montage.png", "model.safetensors", "model.json"):
        assert (tmp_path / "out" / name).is_file()

    assert mezz(*run)[0] == 0
    again = results(tmp_path / "out")
    assert again["metrics"] == found["metrics"]
    assert (again["cache"]["encoded"], again["cache"]["materialised"]) == (0, 0)
    (earlier,) = (tmp_path / "out" / "previous").iterdir()
    assert results(earlier)["metrics"] == found["metrics"]


def test_noise_in_place_of_the_clicks_does_not_give_make(mezz, tmp_path):
    code, _, error = mezz(
        "run", "iphyre_latent_dynamics", "--out", "out", "--actions", "noise", *SMALL
    )
    assert code == 0, error
    assert results(tmp_path / "out")["verdict"]["label"] != "MAKE"


def test_test_split_too_small_to_rank_is_a_message_without_traceback(mezz):
    code, _, error = mezz("run", "iphyre_latent_dynamics", "--out", "out", "--n-test", "8")
    assert code == 1
    assert "too few to rank" in error
    assert "Raise n_test" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(("fault", "culprit"), [("nan", "NaN"), ("constant", "are the same")])
def test_broken_latents_are_a_message_without_traceback(mezz, fault, culprit):
    code, _, error = mezz(
        *("run", "latent_dynamics", "--out", "out", "--world", "linear"),
        *("--encoder", "identity", "--fault", fault),
    )
    assert code == 1
    assert culprit in error
    assert "Traceback" not in error


def test_interrupted_training_keeps_the_latents(start, mezz, tmp_path):
    run = ("run", "latent_dynamics", "--out", "out", "--world", "linear", "--encoder", "identity")
    process = start("-m", "mezzanine_core", *run, "--train-steps", "1000000")
    for line in process.stderr:
        if "train 2 models" in line:
            break
    process.send_signal(signal.SIGINT)
    _, error = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in error
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "interrupted"
    assert mezz(*run, "--train-steps", "2")[0] == 0
    assert results(tmp_path / "out")["cache"]["encoded"] == 0


def test_dry_run_needs_no_torch(start):
    script = (
        "import sys; from mezzanine_core.cli import main\n"
        "try:\n"
        "    main(['run', 'iphyre_latent_dynamics', '--dry-run', '--n-test', '20'])\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "assert 'torch' not in sys.modules\n"
    )
    process = start("-c", script)
    out, error = process.communicate()
    assert process.returncode == 0, error
    assert "train/next_obs" in out
