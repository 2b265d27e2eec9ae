import json
import logging

import numpy as np
import pytest
from PIL import Image

from mezzanine_core.config.resolve import resolve
from mezzanine_core.errors import ConfigError, DataError, LatentError
from mezzanine_core.plugins import load_registry
from mezzanine_core.runs.planning import plan
from mezzanine_core.runs.settings import RunSettings
from mezzanine_recipes_dynamics.checkpoint import load_predictors

DOTS = {"world": "dot", "encoder": "pixels", "encoder.dim": 64, "encoder.centre": 255}


def test_world_in_which_the_action_matters_gives_make(run):
    record, _ = run()
    assert record.verdict.label == "MAKE"
    assert [criterion.outcome for criterion in record.verdict.criteria] == ["met", "met"]
    for comparison in ("action_minus_no_action", "action_minus_shuffled"):
        assert record.deltas[comparison]["mean_rank"].low > 0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_world_in_which_the_action_does_nothing_never_gives_make(run, seed):
    record, _ = run(effect=0.0, seed=seed)
    assert record.verdict.label != "MAKE"
    assert record.metrics["action"]["r@10"].value > 0.5, "the dynamics itself is learnt"


def test_noise_in_place_of_the_actions_never_gives_make(run):
    record, _ = run(actions="noise")
    assert record.verdict.label != "MAKE"
    assert record.data["actions"] == "noise"


def test_run_is_reproducible_and_reads_its_latents_back(run):
    first, _ = run(out="first", train_steps=40)
    second, _ = run(out="second", train_steps=40)
    assert second.metrics == first.metrics
    assert second.deltas == first.deltas
    assert second.verdict == first.verdict
    assert second.diagnostics["curves"] == first.diagnostics["curves"]
    assert first.cache.encoded == first.cache.unique == 1600
    assert (second.cache.encoded, second.cache.materialised) == (0, 0)


def test_each_repetition_is_that_of_its_seed(run):
    among, _ = run(out="among", train_steps=40, seeds="0,1")
    alone, _ = run(out="alone", train_steps=40, seeds="1")
    assert alone.metrics["action"]["cosine"].value == pytest.approx(
        among.metrics["action"]["cosine"].per_seed[1], abs=1e-5
    )


def test_leaking_splits_are_said(run):
    record, _ = run(train_steps=40, leak=30)
    assert record.data["overlap"]["same_transition"] == 30
    assert any("splits leak: 30 of 200" in warning for warning in record.verdict.warnings)
    without = record.diagnostics["without_twins"]
    assert without["n"] == 170
    assert without["summary"] in record.verdict.warnings
    assert without["deltas"].keys() == record.deltas.keys()


def test_splits_apart_have_nothing_to_say(run):
    record, _ = run(train_steps=40)
    assert record.verdict.warnings == ()
    assert record.diagnostics["without_twins"] is None
    assert set(record.data["overlap"].values()) == {0}


def test_too_few_samples_without_a_twin_are_said_to_be_too_few(run):
    record, _ = run(train_steps=40, n_test=40, leak=30)
    assert "too few to judge by" in record.diagnostics["without_twins"]["summary"]


def test_collapsed_latents_are_inconclusive(run):
    record, _ = run(train_steps=40, **{"encoder.fault": "line"})
    assert record.verdict.label == "INCONCLUSIVE"
    assert record.diagnostics["spread"]["collapsed"] is True
    assert any("collapsed" in warning for warning in record.verdict.warnings)


@pytest.mark.parametrize(("fault", "culprit"), [("nan", "NaN"), ("constant", "the same")])
def test_broken_latents_end_the_run_before_training(run, fault, culprit, tmp_path):
    with pytest.raises(LatentError, match=culprit):
        run(**{"encoder.fault": fault})
    assert not (tmp_path / "out" / "model.safetensors").exists()
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "failed"


def test_test_split_too_small_to_rank_is_refused_before_encoding(run, tmp_path):
    with pytest.raises(DataError, match="too few to rank"):
        run(n_test=10)
    assert not (tmp_path / "cache").exists()


def test_actions_that_never_differ_are_refused_before_encoding(run, tmp_path):
    with pytest.raises(DataError, match="cannot be asked"):
        run(**DOTS, static=1.0)
    assert not (tmp_path / "cache").exists()


def test_single_seed_is_said(run):
    record, _ = run(train_steps=40, seeds="1")
    assert any("only one seed" in warning for warning in record.verdict.warnings)


def test_encoder_of_another_kind_is_refused_by_name(run):
    with pytest.raises(ConfigError, match=r"'pixels' takes image items.*'linear' holds vector"):
        run(encoder="pixels")


def test_missing_device_is_refused(run):
    with pytest.raises(ConfigError, match="cuda:99"):
        run(device="cuda:99")


def test_results_say_what_was_done(run):
    record, out = run(train_steps=40, seeds="0,1")
    assert record.data["n_train"] == 600
    assert record.data["n_fit"] + record.data["n_held_out"] == 600
    assert record.data["n_held_out"] == pytest.approx(60, abs=4)
    assert record.data["candidates"] == {"count": 200, "distinct": 200}
    assert record.data["episodes"] == {"train": 150, "test": 50}
    assert record.data["world"] == {"truth": "the action matters"}
    assert record.diagnostics["shuffles"] == {"count": 2, "unchanged_share": 0.0}
    assert record.diagnostics["spread"]["effective_rank"] > 4
    assert np.shape(record.diagnostics["curves"]["train"]["action"]) == (2, 40)
    assert record.settings["device"] == "cpu"
    assert {"import", "load", "encode", "train", "evaluate", "draw"} <= record.timings.keys()
    pictures = [one.file for one in record.presentation.pictures]
    assert len(pictures) == 3
    written = {"model.safetensors", "model.json", "diagnostics.png", *pictures}
    assert set(record.artifacts) == written
    assert all((out / name).is_file() for name in record.artifacts)


def test_world_of_vectors_has_no_montage_and_says_so(run, caplog):
    with caplog.at_level(logging.INFO):
        record, out = run(train_steps=40)
    assert record.diagnostics["montage"] == {"skipped": "the observations are vector items"}
    assert not (out / "montage.png").exists()
    assert "no montage" in caplog.text


def test_images_get_a_montage_from_the_cache(run):
    settings = {**DOTS, "train_steps": 40, "montage_rows": 3}
    first, out = run(out="first", **settings)
    second, _ = run(out="second", **settings)
    assert "montage.png" in first.artifacts
    with Image.open(out / "montage.png") as picture:
        assert picture.width > 800
    assert len(first.diagnostics["montage"]["test_rows"]) == 3
    assert second.diagnostics["montage"] == first.diagnostics["montage"]
    assert first.cache.materialised > 0
    assert (second.cache.materialised, second.cache.encoded) == (0, 0)


def test_dots_that_the_action_moves_give_make(run):
    record, _ = run(**DOTS, montage_rows=0)
    assert record.verdict.label == "MAKE"
    assert record.diagnostics["montage"] == {"skipped": "montage_rows is 0"}


def test_predictors_of_the_run_load_by_one_call(run):
    record, out = run(train_steps=40, seeds="4")
    predictors = load_predictors(out)
    card = json.loads((out / "model.json").read_text())
    assert predictors.seeds == (4,)
    assert card["action_names"] == ["push_0", "push_1"]
    assert card["encoder"]["fingerprint"] == record.components["encoder"].fingerprint
    assert card["world"]["fingerprint"] == record.components["world"].fingerprint


def test_plan_counts_what_a_run_encodes(tmp_path):
    registry = load_registry()
    flags = {"world": "linear", "encoder": "identity"}
    resolved = resolve(registry, "latent_dynamics", flags=flags)
    settings = RunSettings(out=None, cache_dir=tmp_path / "cache", device="cpu", workers=1)
    planned = plan(resolved, settings, registry)
    assert [latents.label for latents in planned.latents] == [
        "train/obs",
        "train/next_obs",
        "test/obs",
        "test/next_obs",
    ]
    assert planned.total.to_encode == 1600
