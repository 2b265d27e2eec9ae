"""Whole runs with these encoders, as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Mezz = Callable[..., "subprocess.CompletedProcess[str]"]

SMALL = (
    *("--games=hole,seesaw", "--n_train=40", "--n_test=20", "--max_steps=250"),
    *("--train_steps=5", "--seeds=0", "--montage_rows=0"),
)


@pytest.fixture
def mezz(tmp_path: Path) -> Mezz:
    """Runs ``mezz``, offline, with a cache of latents and a hub cache of its own."""
    environ = {
        **os.environ,
        "MEZZ_CACHE_DIR": str(tmp_path / "latents"),
        "HF_HOME": str(tmp_path / "hub"),
        "HF_HUB_OFFLINE": "1",
    }

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mezzanine_core", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environ,
        )

    return run


def results(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return document


@pytest.mark.slow
def test_settings_of_hf_vision_select_it_and_a_second_run_encodes_nothing(
    mezz: Mezz, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    flags = [*SMALL, "--embed_mode", "mean_std", "--embed_layer", "-4"]
    flags += ["--model-name", str(checkpoint("ijepa"))]
    plan = mezz("run", "iphyre_latent_dynamics", "--dry-run", "--json", *flags)
    first = mezz("run", "iphyre_latent_dynamics", "--out", "one", *flags)
    assert first.returncode == 0, first.stderr
    second = mezz("run", "iphyre_latent_dynamics", "--out", "two", *flags)
    assert second.returncode == 0, second.stderr
    one, two = results(tmp_path / "one"), results(tmp_path / "two")
    assert one["config"]["encoder"]["name"] == "hf_vision"
    assert one["cache"]["encoded"] == json.loads(plan.stdout)["total"]["to_encode"] > 0
    assert two["cache"]["encoded"] == two["cache"]["materialised"] == 0
    assert two["metrics"] == one["metrics"]
    (report,) = one["encoders"].values()
    assert (report["device"], report["dtype"]) == ("cpu", "float32")


def test_a_model_that_is_nowhere_is_answered_with_what_to_do(mezz: Mezz, tmp_path: Path) -> None:
    done = mezz("run", "iphyre_latent_dynamics", *SMALL, "--embed_mode", "mean_std")
    assert done.returncode == 3
    assert "facebook/ijepa_vith14_1k" in done.stderr
    assert str(tmp_path / "hub") in done.stderr
    assert "--model-name" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_counts_what_would_be_encoded(
    mezz: Mezz, checkpoint: Callable[[str], Path]
) -> None:
    done = mezz(
        "run", "iphyre_latent_dynamics", *SMALL, "--dry-run", "--json",
        "--model-name", checkpoint("vit"), "--embed_layer", "2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["total"] == {
        "items": 120,
        "unique": 81,
        "cached": 0,
        "to_encode": 81,
    }


@pytest.mark.parametrize("encoder", ["hf_language", "hf_causal_lm"])
def test_an_encoder_of_texts_is_refused_for_a_world_of_images(
    mezz: Mezz, checkpoint: Callable[[str], Path], encoder: str
) -> None:
    done = mezz(
        "run", "iphyre_latent_dynamics", *SMALL,
        "--encoder", encoder, "--model-name", checkpoint("gpt2"),
    )  # fmt: skip
    assert done.returncode == 2
    assert "takes text items" in done.stderr
