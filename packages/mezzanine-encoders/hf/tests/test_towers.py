"""Which part of a checkpoint sees images."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.towers import vision_tower

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
PATCHES = {**SMALL, "image_size": 32, "patch_size": 8}
SWIN = {
    "image_size": 64,
    "patch_size": 4,
    "embed_dim": 16,
    "depths": [1, 1, 1],
    "num_heads": [2, 2, 2],
    "window_size": 4,
}
STAGES = {"image_size": 64, "hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}

CONFIGS = {
    "ViTConfig": PATCHES,
    "ViTMSNConfig": PATCHES,
    "BeitConfig": PATCHES,
    "Dinov2Config": PATCHES,
    "Aimv2VisionConfig": PATCHES,
    "SiglipVisionConfig": PATCHES,
    "SwinConfig": SWIN,
    "Swinv2Config": SWIN,
    "ConvNextConfig": STAGES,
    "ConvNextV2Config": STAGES,
    "DINOv3ConvNextConfig": STAGES,
    "EfficientNetConfig": {"image_size": 64},
}
"""Families whose configurations say how many hidden states there are, or are not taken at it."""


@pytest.mark.parametrize("name", CONFIGS)
def test_what_a_configuration_is_taken_to_say_is_what_the_model_gives(name: str) -> None:
    config = getattr(transformers, name)(**CONFIGS[name])
    tower = vision_tower(config, "some model", "hf_vision")
    side = tower.image_size[0]
    with torch.inference_mode():
        output = tower.model_class(config).eval()(
            pixel_values=torch.zeros(1, 3, side, side), output_hidden_states=True
        )
    states = output.hidden_states
    assert tower.states in (None, len(states))
    for layer in range(-len(states), len(states)):
        state = states[layer]
        assert tower.width(layer) in (None, state.shape[1 if state.ndim == 4 else 2])
        assert tower.resolve(layer) == layer or tower.resolve(layer) == layer % len(states)
    last = output.last_hidden_state
    assert tower.width("final") in (None, last.shape[1 if last.ndim == 4 else 2])


def test_the_configurations_of_the_common_families_are_enough() -> None:
    for name in ("ViTConfig", "Dinov2Config", "SwinConfig", "ConvNextConfig"):
        tower = vision_tower(getattr(transformers, name)(**CONFIGS[name]), "m", "hf_vision")
        assert tower.states is not None
        assert tower.width(1) is not None


def test_the_tower_of_a_model_of_images_and_texts_is_its_vision_model() -> None:
    config = transformers.CLIPConfig(vision_config={**PATCHES, "hidden_size": 48})
    tower = vision_tower(config, "clip", "hf_vision")
    assert tower.model_class is transformers.CLIPVisionModel
    assert tower.width(-1) == 48


@pytest.mark.parametrize(
    ("config", "what"),
    [
        (transformers.BertConfig(**SMALL), r"is a language model \(bert\)"),
        (transformers.Wav2Vec2Config(**SMALL), "takes input_values"),
        (transformers.VisionEncoderDecoderConfig, "no part that transformers loads"),
        (
            transformers.Siglip2VisionConfig(**SMALL),
            "takes pixel_attention_mask, spatial_shapes besides",
        ),
        (transformers.ViTConfig(**PATCHES, num_channels=1), "images of 1 channels"),
    ],
    ids=["text", "sound", "pair", "naflex", "grey"],
)
def test_a_model_of_something_else_than_single_rgb_images_is_refused(
    config: Any, what: str
) -> None:
    if isinstance(config, type):
        config = config.from_encoder_decoder_configs(
            transformers.ViTConfig(**PATCHES), transformers.GPT2Config()
        )
    with pytest.raises(UnsuitableModelError, match=what):
        vision_tower(config, "some model", "hf_vision")


@pytest.mark.parametrize(("size", "expected"), [(96, (96, 96)), ([64, 48], (64, 48))])
def test_the_image_size_is_that_of_the_configuration(size: Any, expected: tuple[int, int]) -> None:
    config = transformers.ViTConfig(**{**PATCHES, "image_size": size})
    assert vision_tower(config, "some model", "hf_vision").image_size == expected
