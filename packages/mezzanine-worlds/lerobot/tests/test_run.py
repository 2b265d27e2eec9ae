"""The real command, on real data and on play of a real simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mezzanine_core.config.resolve import resolve
from mezzanine_core.plugins import load_registry

SMALL = (
    *("--n_train=90", "--n_test=40", "--size=8", "--dim=32", "--train_steps=40", "--hidden=32"),
    *("--bootstrap=200", "--shuffles=2", "--montage_rows=2", "--workers=1", "--device=cpu"),
)


@pytest.fixture
def mezz(tmp_path):
    """Runs ``mezz`` to its end: exit code, stdout and stderr."""

    def call(*arguments):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "mezzanine_core", "run", "lerobot_latent_dynamics"),
                *("--encoder=pixels", "--out=out"),
                *(f"--cache-dir={tmp_path / 'cache'}", *arguments),
            ],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    return call


COMMANDS = {
    "lerobot_pusht": "--repo_id lerobot/pusht_image --camera_key observation.image "
    "--action_key action --n_train 4000 --n_test 2000 --delta_steps 1 --do_planning "
    "--plan_candidates 32 --plan_eval 512 --do_cem --cem_eval 128",
    "lerobot_aloha_sim": "--repo_id lerobot/aloha_sim_transfer_cube_scripted_image "
    "--camera_key observation.images.top --action_key action --n_train 4000 --n_test 2000 "
    "--delta_steps 1 --do_planning",
    "lerobot_libero": "--repo_id lerobot/libero_10_image_subtask "
    "--camera_key observation.images.image --action_key action --n_train 4000 --n_test 2000 "
    "--delta_steps 1 --do_planning",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_configuration_file_says_what_its_command_line_says(name):
    registry, recipe = load_registry(), "lerobot_latent_dynamics"
    file = Path(__file__).parents[4] / "configs" / f"{name}.yml"
    words = [part.partition(" ") for part in COMMANDS[name].removeprefix("--").split(" --")]
    flags = {flag: value or True for flag, _, value in words}
    typed = resolve(registry, recipe, flags=flags)
    read = resolve(registry, recipe, file=file)
    assert read.config.model_dump() == typed.config.model_dump()
    assert typed.config.world.repo_id.startswith("lerobot/")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "action"), [("g1", 26), ("pusht", 2)])
def test_latent_dynamics_run_on_frames_of_a_robot(request, mezz, name, action, tmp_path):
    found = request.getfixturevalue(name)
    root = found if name == "g1" else found.root
    code, _, error = mezz(
        *(f"--root={root}", "--delta_steps=2", "--state_key=observation.state", *SMALL),
        *("--do_planning", "--plan_candidates=8", "--do_cem", "--cem_eval=10"),
    )
    assert code == 0, error
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["verdict"]["label"] in {"MAKE", "BREAK", "INCONCLUSIVE"}
    data = results["data"]
    assert (data["n_train"], data["n_test"]) == (90, 40)
    assert len(data["action_names"]) == 2 * action
    card = json.loads((tmp_path / "out" / "model.json").read_text())
    assert len(card["state_names"]) == action
    assert data["overlap"]["same_transition"] == data["overlap"]["same_start"] == 0
    assert data["world"]["camera"]["decoder"]["name"] in {"pillow", "pyav", "torchcodec"}
    assert (tmp_path / "out" / "montage.png").is_file()
    metrics = results["metrics"]
    assert metrics["retrieval_random"]["mean_rank"]["value"] == 4.5
    assert 1 <= metrics["retrieval_action"]["mean_rank"]["value"] <= 8
    energy = {way: metrics[f"plan_{way}"]["energy"]["value"] for way in ("planned", "random")}
    assert energy["planned"] < energy["random"]
    assert results["diagnostics"]["planning"]["plan"]["n"] == 10
    assert results["diagnostics"]["planning"]["plan"]["relaxed"] is False
    assert (tmp_path / "out" / "planning.png").is_file()


@pytest.mark.slow
def test_actions_that_never_differ_are_refused(mezz, altered, pusht):
    def still(table):
        values = pa.array(np.ones((len(table), 2), np.float32).tolist(), pa.list_(pa.float32()))
        return table.set_column(table.column_names.index("action"), "action", values)

    code, _, error = mezz(f"--root={altered(pusht.root, still)}", *SMALL)
    assert code == 1
    assert "all 90 actions of the training split are the same" in error


@pytest.mark.slow
def test_a_data_set_that_is_not_to_be_had_ends_the_command_with_3(mezz):
    code, _, error = mezz("--repo_id=org/absent", *SMALL)
    assert code == 3
    assert "data set 'org/absent'" in error
    assert "Traceback" not in error
