"""``hf_clip``: CLIP's image embedding, or its hidden states."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import transformers
from pydantic import ValidationError

from mezzanine_encoders_hf.clip import HFClip
from mezzanine_encoders_hf.config import HFClipConfig, HFVisionConfig
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.loading import load_image_processor
from mezzanine_encoders_hf.sources import ModelSource
from mezzanine_encoders_hf.vision import HFVision

Checkpoint = Callable[[str], Path]


def images(count: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 40, 3), dtype=np.uint8)


def encoder(folder: Path, **config: Any) -> HFClip:
    return HFClip(HFClipConfig(model_name=str(folder), **config))


def close(one: Any, other: Any) -> bool:
    return bool(np.abs(one - other).max() <= 1e-5 * np.abs(other).max())


@torch.inference_mode()
def embeddings(folder: Path, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The image embeddings of the whole model, normalised, as it compares them with texts."""
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    processor = load_image_processor(ModelSource("clip", folder))
    pixels = processor(images=list(batch), return_tensors="pt")["pixel_values"]
    ids = torch.tensor([[298, 5, 6, 299]])
    output = model(input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels)
    array: npt.NDArray[np.float32] = output.image_embeds.numpy()
    return array


def test_the_projection_is_what_clip_compares_with_texts(checkpoint: Checkpoint) -> None:
    batch = images(5)
    made = encoder(checkpoint("clip"), batch_size=2)
    latents = made.encode(batch)
    assert latents.dtype == np.float32
    assert latents.shape == (5, made.dim) == (5, 16)
    lengths = np.linalg.norm(latents, axis=1, keepdims=True)
    assert close(latents / lengths, embeddings(checkpoint("clip"), batch))


def test_the_length_of_the_embedding_is_that_of_the_whole_checkpoint(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    """Some checkpoints leave their towers' projection_dim at a default that is not theirs."""
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint("clip"), folder)
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["projection_dim"] = 99
    (folder / "config.json").write_text(json.dumps(config))
    made = encoder(folder)
    assert made.dim == 16
    assert (made.encode(images(3)) == encoder(checkpoint("clip")).encode(images(3))).all()


def test_a_checkpoint_of_the_projected_tower_alone_is_taken(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    tower = transformers.CLIPVisionModelWithProjection.from_pretrained(checkpoint("clip"))
    tower.save_pretrained(tmp_path)
    shutil.copy(checkpoint("clip") / "preprocessor_config.json", tmp_path)
    latents = encoder(tmp_path).encode(images(3))
    assert (latents == encoder(checkpoint("clip")).encode(images(3))).all()


@pytest.mark.parametrize("config", [{}, {"embed_mode": "cls"}, {"embed_layer": "final"}])
def test_hidden_states_are_those_of_hf_vision(
    checkpoint: Checkpoint, config: dict[str, Any]
) -> None:
    for kind in ("clip", "clip_vision"):
        made = encoder(checkpoint(kind), projection=False, **config)
        same = {"embed_mode": "mean", "embed_layer": -2, **config}
        vision = HFVision(HFVisionConfig(model_name=str(checkpoint(kind)), **same))
        assert made.dim == vision.dim == 32
        assert (made.encode(images(4)) == vision.encode(images(4))).all()


@pytest.mark.parametrize("kind", ["siglip", "clip_vision", "vit"])
def test_a_projection_is_refused_where_there_is_none(checkpoint: Checkpoint, kind: str) -> None:
    made = encoder(checkpoint(kind))
    for use in (lambda: made.dim, made.fingerprint, lambda: made.encode(images(1))):
        with pytest.raises(UnsuitableModelError, match="no projection of CLIP") as caught:
            use()
        assert "hf_vision" in (caught.value.hint or "")


def test_a_text_model_is_refused(checkpoint: Checkpoint) -> None:
    for projection in (True, False):
        with pytest.raises(UnsuitableModelError, match=r"language model \(bert\), hf_clip"):
            encoder(checkpoint("bert"), projection=projection).fingerprint()


def test_dimension_and_fingerprint_load_no_weights(checkpoint: Checkpoint) -> None:
    for projection in (True, False):
        made = encoder(checkpoint("clip"), projection=projection)
        assert made.dim
        assert made.fingerprint()
        assert "model" not in vars(made)


def test_the_fingerprint_tells_features_apart(checkpoint: Checkpoint) -> None:
    hidden: dict[str, Any] = {"projection": False}
    configs = [
        {},
        {"dtype": "bfloat16"},
        hidden,
        {**hidden, "embed_layer": -1},
        {**hidden, "embed_mode": "cls"},
    ]
    names = {encoder(checkpoint("clip"), **config).fingerprint() for config in configs}
    assert len(names) == len(configs)
    said = {**hidden, "embed_layer": 3, "embed_mode": "mean", "batch_size": 7}
    assert encoder(checkpoint("clip"), **said).fingerprint() in names


@pytest.mark.parametrize("features", [{"embed_mode": "cls"}, {"embed_layer": -1}])
def test_a_choice_of_hidden_features_does_not_go_with_the_projection(
    features: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError, match="projection=false"):
        HFClipConfig(**features)
