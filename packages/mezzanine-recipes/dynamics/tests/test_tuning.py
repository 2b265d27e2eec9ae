"""What ``--autotune`` searches, and a tuning of real runs on the real simulator."""

import json

import pytest

from mezzanine_core.cli import main
from mezzanine_core.tuning.figures import find_figure
from mezzanine_recipes_dynamics.recipe import LatentDynamics

CHEAP = (
    *("--n-test=60", "--n-train=120", "--image-size=16", "--size=8", "--dim=16", "--seeds=0,1"),
    *("--train-steps=60", "--hidden=16", "--bootstrap=100", "--shuffles=1", "--montage-rows=0"),
    *("--games=hole,seesaw", "--workers=1", "--device=cpu"),
)


@pytest.fixture
def work(tmp_path, monkeypatch):
    """An empty working directory with a cache of its own."""
    monkeypatch.setenv("MEZZ_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def call(capsys):
    """Runs the command and returns its exit code and what it printed."""

    def run(*arguments):
        code = main(arguments)
        return code, capsys.readouterr().out

    return run


def test_the_preset_searches_the_time_between_frames_and_the_way_of_acting(work, call):
    code, out = call("run", "iphyre_latent_dynamics", "--autotune", "--dry-run", "--json")
    assert code == 0
    plan = json.loads(out)
    assert plan["space"] == {"world.delta_seconds": "1:8:1", "world.action_scheme": "single|window"}
    assert plan["rungs"] == [{"train_steps": "200", "seeds": "0", "world.n_train": "750"}, {}]
    assert plan["points"] == 16


def test_pilots_leave_the_number_of_ranked_candidates_alone(work, call):
    _, out = call(
        "run", "iphyre_latent_dynamics", "--autotune", "--dry-run", "--json", "--n-train=2"
    )
    [pilot, _] = json.loads(out)["rungs"]
    assert "world.n_test" not in pilot
    assert pilot["world.n_train"] == "1"


def test_a_world_without_such_settings_is_left_to_the_user(make_config):
    assert LatentDynamics(make_config()).tunable() is None


def test_the_figures_are_those_of_a_run(run):
    record, _ = run(seeds="0", train_steps=5)
    for name in ("no_action.r@10", "action_minus_no_action.r@10"):
        assert find_figure(record, name).per_seed


@pytest.mark.slow
def test_a_tuning_of_real_runs_shares_their_latents_and_gives_settings_that_run(work, call):
    tune = (
        *("tune", "iphyre_latent_dynamics", "--space", "delta_seconds=1|2", "--range", "0.01:0.99"),
        *("--pilot", "train_steps=20", "--disagreement", "100", "--out", "tuned"),
    )
    code, _ = call(*tune, *CHEAP)
    assert code == 0
    record = json.loads((work / "tuned" / "tuning.json").read_text())
    assert len(record["trials"]) == 2
    full = [trial for trial in record["trials"] if len(trial["runs"]) == 2]
    assert full
    assert all(trial["runs"][1]["encoded"] == 0 for trial in full)
    assert record["confirmation"]["run"]["encoded"] > 0

    chosen = next(each for each in record["trials"] if each["number"] == record["chosen"])
    code, _ = call("run", "iphyre_latent_dynamics", "-c", "tuned/tuned.yml", "--out", "again")
    assert code == 0
    again, trial = (
        json.loads((work / path / "results.json").read_text())
        for path in ("again", f"tuned/{chosen['runs'][-1]['directory']}")
    )
    assert again["fingerprint"] == trial["fingerprint"]
    assert again["metrics"] == trial["metrics"]
