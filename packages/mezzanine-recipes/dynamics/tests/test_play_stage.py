"""The playing part of the recipe: figures, refusals, the picture, whole runs."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from mezzanine_core.errors import ConfigError
from mezzanine_core.stats import wilson_interval
from mezzanine_recipes_dynamics.inputs import load_inputs
from mezzanine_recipes_dynamics.play_stage import PlayStage
from mezzanine_recipes_dynamics.randomness import run_streams

PLAYERS = ("action", "no_action", "random", "idle", "oracle")

STEERED = {"world": "steered", "do_mpc": True, "mpc_tasks": 12, "mpc_steps": 2, "hidden": 64}


def test_run_reports_what_every_player_solved(run):
    record, out = run(**STEERED, train_steps=1200)
    rates = {player: record.metrics[f"mpc_{player}"]["success"] for player in PLAYERS}
    assert rates["oracle"].value == 1
    assert rates["idle"].value == 0
    assert rates["action"].value > 0.6
    assert rates["action"].low > rates["random"].value
    assert rates["action"].low > rates["no_action"].value
    assert record.deltas["mpc_action_minus_random"]["success"].low > 0
    assert record.deltas["mpc_action_minus_no_action"]["distance"].low > 0
    assert len(rates["action"].per_seed) == 3
    report = record.diagnostics["mpc"]
    assert report["planner"] == "cem"
    assert report["n"] == report["families"] == 12
    assert report["world"] == {"tolerance": 0.02}
    assert report["seen_in_training"] == {"goals": 0, "starts": 0}
    solved = np.array(list(report["solved"]["action"].values()))
    assert solved.shape == (12, 3)
    assert solved.mean() == pytest.approx(rates["action"].value)
    assert "play" in record.timings
    assert "mpc.png" in record.artifacts
    with Image.open(out / "mpc.png") as picture:
        assert picture.width > 1000


def test_interval_of_a_rate_is_wilsons_over_families(run):
    record, _ = run(**STEERED, train_steps=20, **{"world.families": 4, "world.choices": True})
    rate = record.metrics["mpc_random"]["success"]
    expected = wilson_interval(4 * rate.value, 4)
    assert (rate.low, rate.high) == (expected.low, expected.high)
    assert record.diagnostics["mpc"]["families"] == 4
    assert record.diagnostics["mpc"]["planner"] == "random shooting"


def test_tasks_of_a_single_family_are_resampled_one_by_one(run):
    record, _ = run(**STEERED, train_steps=20, **{"world.families": 1})
    assert record.diagnostics["mpc"]["families"] == 12


def test_playing_is_repeatable_and_changes_nothing_of_the_verdict(run):
    bare, _ = run(out="bare", world="steered", train_steps=40)
    first, _ = run(out="first", **STEERED | {"hidden": 32}, train_steps=40)
    second, _ = run(out="second", **STEERED | {"hidden": 32}, train_steps=40)
    assert first.metrics == second.metrics
    assert first.diagnostics["mpc"] == second.diagnostics["mpc"]
    assert first.verdict == bare.verdict
    assert bare.diagnostics["mpc"] == {}
    assert "mpc.png" not in bare.artifacts


def test_world_that_cannot_be_acted_in_is_refused_before_encoding(run, tmp_path):
    with pytest.raises(ConfigError, match="'linear' cannot be acted in") as caught:
        run(do_mpc=True)
    assert "iphyre" in caught.value.hint
    assert "steered" in caught.value.hint
    assert "dot" not in caught.value.hint.split(".")[0]
    assert not (tmp_path / "cache").exists()


def test_models_that_take_a_state_are_refused(ctx, make_config):
    # Installed by a fixture, so not there when this module is imported.
    from dynamics_test_parts.encoders import IdentityConfig
    from dynamics_test_parts.worlds import SteeredConfig

    config = make_config(
        world=SteeredConfig(name="steered"), encoder=IdentityConfig(name="identity"), do_mpc=True
    )
    inputs = load_inputs(config, ctx)
    known = replace(
        inputs.train, state=np.zeros((len(inputs.train), 1), np.float32), state_names=("s",)
    )
    stage = PlayStage(config, run_streams(0), replace(inputs, train=known), ctx)
    with pytest.raises(ConfigError, match="take a state"):
        stage.check()


@pytest.mark.parametrize(
    "wrong", [{"mpc_tasks": 1}, {"mpc_steps": 0}, {"mpc_candidates": 1}, {"do_mpc": "perhaps"}]
)
def test_settings_out_of_range_are_refused(make_config, wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        make_config(**wrong)


@pytest.mark.slow
def test_games_are_played_in_the_simulator(run):
    record, _ = run(
        recipe="iphyre_latent_dynamics",
        **{"world": "iphyre", "encoder": "pixels", "n_train": 200, "n_test": 60},
        **{"world.games": ["support", "spring"], "world.action_scheme": "window"},
        **{"world.image_size": 64, "encoder.size": 16, "encoder.dim": 64},
        **{"train_steps": 100, "do_mpc": True, "mpc_tasks": 4, "mpc_candidates": 16},
    )
    assert record.metrics["mpc_oracle"]["success"].value == 1
    assert record.metrics["mpc_idle"]["success"].value == 0
    assert record.diagnostics["mpc"]["planner"] == "random shooting"
    assert record.diagnostics["mpc"]["families"] == 2
    assert "distance" not in record.metrics["mpc_action"]
    assert "mpc.png" in record.artifacts
