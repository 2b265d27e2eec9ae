"""The real command on real environments."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mezzanine_core.config.resolve import resolve
from mezzanine_core.plugins import load_registry

SITE = Path(__file__).parent / "toy_site"

PLANS = ("planned", "rounded", "random")

SMALL = (
    *("--train-steps=150", "--hidden=64", "--bootstrap=500", "--shuffles=2", "--montage-rows=2"),
    *("--workers=1", "--device=cpu", "--out=out"),
)


@pytest.fixture
def mezz(tmp_path):
    """Runs `mezz run gymnasium_latent_dynamics` in an empty directory."""

    def call(*arguments):
        environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        environment |= {"OMP_NUM_THREADS": "1", "MEZZ_CACHE_DIR": str(tmp_path / "cache")}
        preset = ("run", "gymnasium_latent_dynamics")
        return subprocess.run(
            [sys.executable, "-m", "mezzanine_core", *preset, *arguments],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(SITE)},
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def _results(path: Path) -> dict:
    return json.loads((path / "out" / "results.json").read_text())


@pytest.mark.slow
def test_pushing_moves_the_car_in_the_pictures(mezz, tmp_path) -> None:
    run = (
        *(
            "--encoder=pixels",
            "--centre=255",
            "--size=16",
            "--dim=64",
            *SMALL,
            "--env-id=Pendulum-v1",
        ),
        *("--env-id=MountainCar-v0", "--delta-steps=32", "--repeat-action=32"),
        *("--n-train=600", "--n-test=150", "--frame-size=64", "--max-steps=100"),
    )
    result = mezz(*run)
    assert result.returncode == 0, result.stderr
    found = _results(tmp_path)
    assert found["verdict"]["label"] == "MAKE", found["verdict"]
    assert found["data"]["overlap"]["same_transition"] == 0
    assert found["data"]["world"]["env_id"] == "MountainCar-v0"
    assert found["cache"]["encoded"] > 0

    assert mezz(*run).returncode == 0
    again = _results(tmp_path)
    assert again["metrics"] == found["metrics"]
    assert (again["cache"]["encoded"], again["cache"]["materialised"]) == (0, 0)


@pytest.mark.slow
def test_vectors_are_encoded_by_the_encoder_of_vectors(mezz, tmp_path) -> None:
    result = mezz(
        *("--encoder=vector", "--encoder.dim=8", "--offset=-0.3,0", "--scale=0.4,0.02", *SMALL),
        *("--env-id=MountainCar-v0", "--observations=vector", "--repeat-action=16"),
        *("--delta-steps=16", "--n-train=600", "--n-test=150"),
        *("--do-planning", "--plan-candidates=3", "--do-cem", "--cem-eval=10"),
    )
    assert result.returncode == 0, result.stderr
    found = _results(tmp_path)
    assert found["verdict"]["label"] == "MAKE"
    assert found["deltas"]["retrieval_action_minus_random"]["mean_rank"]["low"] > 0
    # Pushes are one-hot, and planners look between them.
    assert found["diagnostics"]["planning"]["plan"]["relaxed"] is True
    assert "zeros and ones" in result.stderr
    energy = {way: found["metrics"][f"plan_{way}"]["energy"]["value"] for way in PLANS}
    assert energy["planned"] < energy["random"]
    assert energy["rounded"] < energy["random"]


def test_the_configuration_file_is_one_of_the_preset() -> None:
    file = Path(__file__).parents[4] / "configs" / "gymnasium.yml"
    config = resolve(load_registry(), "gymnasium_latent_dynamics", file=file).config
    assert config.world.env_id == "MountainCar-v0"
    assert (config.world.delta_steps, config.world.repeat_action) == (16, 16)
    assert (config.encoder.name, config.encoder.centre) == ("pixels", 255)


@pytest.mark.parametrize(
    ("arguments", "code", "culprits"),
    [
        (["--env-id=CartPol-v1"], 2, ["there is no environment 'CartPol-v1'", "CartPole-v1"]),
        (["--env-id=ALE/Pong-v5"], 3, ["ALE/Pong-v5", "pip install ale-py"]),
        (["--env-kwargs={'render_mode': 'human'}"], 2, ["render_mode is set by the world"]),
        (["--policy=gym_toys:always_right"], 1, ["actions of the training split are the same"]),
        (["--delta-steps=300"], 2, ["delta_steps=300 is longer than every episode"]),
        (["--delta-steps=150", "--max-episodes=300"], 1, ["longer than every episode"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_wrong_is_said_in_words_with_its_exit_code(mezz, arguments, code, culprits) -> None:
    result = mezz(*SMALL, *arguments)
    assert result.returncode == code, result.stderr
    for culprit in culprits:
        assert culprit in result.stderr
    assert "Traceback" not in result.stderr
