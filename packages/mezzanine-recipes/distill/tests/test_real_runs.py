"""Whole runs by the command line on real data, and on images."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from mezzanine_core.cli.app import app


@pytest.fixture
def mezz(tmp_path):
    """Calls the command in this process; gives results.json of a run, or what was printed."""

    def call(*words):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        return done.stdout

    def run(recipe, out, *flags):
        call("run", recipe, "--out", tmp_path / out, "--cache-dir", tmp_path / "cache", *flags)
        return json.loads((tmp_path / out / "results.json").read_text())

    run.call = call
    return run


@pytest.mark.slow
def test_text_recipe_runs_on_real_reviews_with_a_real_encoder(mezz, real_data, minilm, tmp_path):
    flags = ["--dataset", real_data("imdb"), "--n_train", 60, "--n_test", 40]
    flags += ["--model_name", minilm, "--max_length", 32, "--k_train", 3, "--k_test", 4]
    flags += ["--seeds", "0", "--bootstrap", 100, "--edits", "sentiment"]
    first = mezz("hf_text_order_distill", "first", *flags)
    assert first["metrics"]["base"]["accuracy"]["value"] > 0.5
    assert 0 < first["metrics"]["base"]["gap"]["value"] < 0.5
    assert first["cache"]["encoded"] > 200
    assert first["data"]["splits"]["test"]["truncated_share"] > 0.5
    again = mezz("hf_text_order_distill", "again", *flags)
    assert again["cache"]["encoded"] == 0
    assert again["metrics"] == first["metrics"]
    new = tmp_path / "new.jsonl"
    new.write_text(json.dumps({"text": "A wonderful film. I loved every minute."}))
    said = json.loads(mezz.call("predict", tmp_path / "first", "--input", new))
    assert set(said["probabilities"]) == {"0", "1"}


def test_language_model_recipe_runs_on_real_questions(mezz, real_data, tiny_lm, monkeypatch):
    from mezzanine_encoders_hf import causal

    loaded, load = [], causal.load_model
    monkeypatch.setattr(
        causal, "load_model", lambda *args, **kw: loaded.append(args) or load(*args, **kw)
    )
    flags = ["--dataset", real_data("boolq"), "--n_train", 40, "--n_test", 24]
    flags += ["--lm_name", tiny_lm, "--embed_layer", -1, "--embed_mode", "last"]
    flags += ["--k_train", 3, "--k_test", 4, "--seeds", "0,1", "--bootstrap", 100]
    flags += ["--max_length", 128]
    record = mezz("hf_llm_hiddenstate_order_distill", "out", *flags)
    assert len(loaded) == 1, "states and choices are of one loaded model"
    assert record["data"]["choices"] == [" no", " yes"]
    assert list(record["metrics"]) == ["base", "teacher", "head", "head_control"]
    assert len(record["encoders"]) == 2
    assert len(record["metrics"]["base"]["gap"]["per_seed"]) == 1
    assert record["cache"]["encoded"] == record["cache"]["unique"]


def test_images_and_their_views_are_distilled_too(mezz, tmp_path):
    """Squares in the upper or the lower half; crops and flips do not tell them apart."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Image

    rng = np.random.default_rng(0)
    features = Features({"image": Image(), "label": ClassLabel(names=["upper", "lower"])})

    def split(count):
        images, labels = rng.integers(0, 90, (count, 32, 32, 3), dtype=np.uint8), []
        for number, image in enumerate(images):
            labels.append(number % 2)
            top, left = 3 + 16 * labels[-1] + rng.integers(0, 5), rng.integers(2, 22)
            image[top : top + 8, left : left + 8] = 255
        return Dataset.from_dict({"image": list(images), "label": labels}, features=features)

    DatasetDict(train=split(80), test=split(40)).save_to_disk(str(tmp_path / "squares"))
    flags = ["--world", "hf_dataset", "--dataset", tmp_path / "squares", "--symmetry", "view"]
    flags += ["--encoder", "pixels", "--encoder.dim", 48, "--k_train", 4, "--k_test", 5]
    flags += ["--students", "head,projection", "--seeds", "0,1", "--bootstrap", 100]
    record = mezz("symmetry_distill", "out", *flags)
    assert record["metrics"]["base"]["accuracy"]["value"] > 0.8
    assert record["metrics"]["base"]["gap"]["value"] > 0
    assert record["data"]["splits"]["test"]["exact_orbit_share"] == 0
    assert record["data"]["splits"]["test"]["truncated_share"] is None
    assert record["data"]["label_names"] == ["upper", "lower"]
    assert record["cache"]["materialised"] == record["cache"]["encoded"] == 80 * 4 + 40 * 5
