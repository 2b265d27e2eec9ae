import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mezzanine_core.errors import DataError, OutputDirectoryError
from mezzanine_recipes_dynamics.checkpoint import load_card, load_predictors, save_predictors
from mezzanine_recipes_dynamics.predictors import MODELS
from mezzanine_recipes_dynamics.randomness import repetition_streams
from mezzanine_recipes_dynamics.training import Trainer

NAMES = ("push_0", "push_1")

FULL = Path("/dev/full")


@pytest.fixture
def trained(make_config, make_samples):
    config = make_config(seeds=(2, 0))
    streams = [repetition_streams(0, seed) for seed in config.seeds]
    trainer = Trainer(make_samples(60), None, config, streams, torch.device("cpu"))
    for _ in trainer.run():
        pass
    return trainer.predictors


def save(folder, predictors):
    return save_predictors(
        folder,
        predictors,
        action_names=NAMES,
        encoder={"config": {"name": "identity"}, "fingerprint": "e"},
        world={"config": {"name": "linear"}, "fingerprint": "w"},
    )


@pytest.fixture
def saved(tmp_path, trained):
    assert save(tmp_path, trained) == ("model.safetensors", "model.json")
    return trained, tmp_path


def test_loaded_predictors_predict_bit_for_bit_the_same(saved, make_samples):
    predictors, folder = saved
    loaded = load_predictors(folder)
    test = make_samples(50, seed=1)
    assert loaded.seeds == (2, 0)
    for model in MODELS:
        for seed in loaded.seeds:
            first, second = (
                one.predict(model, seed, test.latents, test.actions) for one in (predictors, loaded)
            )
            assert (first == second).all()
            assert not (first == test.latents).all()


def test_predictors_that_take_a_state_are_loaded_with_it(tmp_path, make_config, make_samples):
    samples = make_samples(60, states=3)
    config = make_config(seeds=(0,))
    streams = [repetition_streams(0, 0)]
    trainer = Trainer(samples, None, config, streams, torch.device("cpu"))
    for _ in trainer.run():
        pass
    names = ("x", "y", "z")
    save_predictors(
        tmp_path, trainer.predictors, action_names=NAMES, encoder={}, world={}, state_names=names
    )
    given = (samples.latents, samples.actions, samples.state)
    loaded = load_predictors(tmp_path)
    assert load_card(tmp_path).state_names == names
    assert (
        loaded.predict("action", 0, *given) == trainer.predictors.predict("action", 0, *given)
    ).all()


def test_card_says_what_the_predictors_take(saved):
    predictors, folder = saved
    card = load_card(folder)
    assert card.action_names == NAMES
    assert (card.dim, card.hidden, card.depth, card.seeds) == (6, 16, 2, (2, 0))
    assert card.encoder["fingerprint"] == "e"
    assert card.world["config"] == {"name": "linear"}
    # 8 inputs, two hidden layers of 16, 6 outputs, and biases.
    assert card.parameters == 8 * 16 + 16 * 16 + 16 * 6 + 16 + 16 + 6
    assert predictors.dim == 6


def test_missing_card_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no model\.json"):
        load_predictors(tmp_path)


def test_missing_weights_are_named(saved):
    (saved[1] / "model.safetensors").unlink()
    with pytest.raises(DataError, match=r"no model\.safetensors"):
        load_predictors(saved[1])


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2}'])
def test_damaged_card_is_named(saved, text):
    (saved[1] / "model.json").write_text(text)
    with pytest.raises(DataError, match=r"model\.json is no model card"):
        load_card(saved[1])


def test_damaged_weights_are_named(saved):
    path = saved[1] / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match=r"model\.safetensors does not hold"):
        load_predictors(saved[1])


def test_weights_of_other_predictors_are_refused(saved):
    path = saved[1] / "model.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, "hidden": 17}))
    with pytest.raises(DataError, match="does not hold what its card says"):
        load_predictors(saved[1])


def test_weights_without_a_tensor_are_refused(saved):
    path = saved[1] / "model.safetensors"
    tensors = load_file(path)
    del tensors["latent_mean"]
    save_file(tensors, path)
    with pytest.raises(DataError, match="latent_mean"):
        load_predictors(saved[1])


def test_weights_file_holds_nothing_but_finite_numbers(saved):
    tensors = load_file(saved[1] / "model.safetensors")
    assert all(np.isfinite(value.numpy()).all() for value in tensors.values())


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_full_disk_is_told_by_file_and_reason(tmp_path, trained, name):
    (tmp_path / name).symlink_to(FULL)
    with pytest.raises(OutputDirectoryError, match=rf"{name}.*No space left on device"):
        save(tmp_path, trained)


def test_weights_are_as_readable_as_other_files(saved):
    modes = {path.stat().st_mode for path in saved[1].iterdir()}
    assert len(modes) == 1
