"""Which tokens are patches, measured on models of each family and on some that are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from mezzanine_core.errors import LatentError
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.layout import TokenLayout, measure_layout

# What is known of each family, for images of 32 pixels in patches of 8 (Swin, ConvNeXt: of 4).
KNOWN = {
    "vit": TokenLayout(prefix=1, patches=16, class_token=True),
    "ijepa": TokenLayout(prefix=0, patches=16, class_token=False),
    "dinov2": TokenLayout(prefix=1, patches=16, class_token=True),
    "dinov2_registers": TokenLayout(prefix=5, patches=16, class_token=True),
    "dinov3": TokenLayout(prefix=5, patches=16, class_token=True),
    "clip_vision": TokenLayout(prefix=1, patches=16, class_token=True),
    "siglip_vision": TokenLayout(prefix=0, patches=16, class_token=False),
    "deit": TokenLayout(prefix=2, patches=16, class_token=True),
    "swin": TokenLayout(prefix=0, patches=64, class_token=False),
    "convnext": TokenLayout(prefix=0, patches=64, class_token=False, maps=True),
}


def two_images(side: int = 32) -> dict[str, torch.Tensor]:
    return {
        "pixel_values": torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    }


@pytest.mark.parametrize("kind", KNOWN)
def test_the_layout_of_each_family_is_what_is_known_of_it(
    checkpoint: Callable[[str], Path], kind: str
) -> None:
    model = transformers.AutoModel.from_pretrained(checkpoint(kind)).eval()
    assert measure_layout(model, two_images(), kind) == KNOWN[kind]


@pytest.mark.parametrize("kind", ["dinov2_registers", "swin", "convnext"])
def test_measuring_in_half_precision_gives_the_same_layout(
    checkpoint: Callable[[str], Path], kind: str
) -> None:
    model = transformers.AutoModel.from_pretrained(checkpoint(kind)).eval().bfloat16()
    inputs = {"pixel_values": two_images()["pixel_values"].bfloat16()}
    assert measure_layout(model, inputs, kind) == KNOWN[kind]


def test_the_model_is_left_without_hooks(checkpoint: Callable[[str], Path]) -> None:
    model = transformers.AutoModel.from_pretrained(checkpoint("vit")).eval()
    # Since version 5, transformers leaves hooks of its own on the blocks.
    model(**two_images(), output_hidden_states=True)
    before = sum(len(module._forward_hooks) for module in model.modules())
    measure_layout(model, two_images(), "vit")
    assert sum(len(module._forward_hooks) for module in model.modules()) == before


def test_patch_tokens_of_a_feature_map_are_its_places_row_by_row() -> None:
    state = torch.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    tokens = TokenLayout(prefix=0, patches=20, class_token=False, maps=True).patch_tokens(state)
    assert tokens.shape == (2, 20, 3)
    assert torch.equal(tokens[:, 7], state[:, :, 1, 2])


def test_a_model_with_its_features_last_is_refused() -> None:
    config = transformers.SamVisionConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
        output_channels=8,
        mlp_dim=32,
        window_size=2,
        global_attn_indexes=[0],
    )
    model = transformers.SamVisionModel(config).eval()
    with pytest.raises(UnsuitableModelError, match=r"features last \(\[2, 4, 4, 32\]\)"):
        measure_layout(model, two_images(), "sam")


def test_a_model_that_puts_all_images_into_one_row_is_refused() -> None:
    sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.PixtralVisionConfig(**sizes, intermediate_size=64, patch_size=8)
    model = transformers.PixtralVisionModel(config).eval()
    with pytest.raises(UnsuitableModelError, match=r"shape \[1, 32, 32\] for 2 images"):
        measure_layout(model, two_images(), "pixtral")


def test_broken_embeddings_are_called_so(checkpoint: Callable[[str], Path]) -> None:
    model = transformers.AutoModel.from_pretrained(checkpoint("vit")).eval()
    model.embeddings.patch_embeddings.projection.bias.data[3] = float("nan")
    with pytest.raises(LatentError, match="embeddings of vit are NaN or infinite"):
        measure_layout(model, two_images(), "vit")


class Unusual(nn.Module):
    """Patches of 8 pixels, with tokens of the model's own where ``arrange`` puts them."""

    def __init__(self, arrange: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.cut = nn.Conv2d(3, 6, 8, 8)
        self.own = nn.Parameter(torch.ones(1, 1, 6))
        self.arrange = arrange

    def forward(self, pixel_values: torch.Tensor, output_hidden_states: bool) -> SimpleNamespace:
        patches = self.cut(pixel_values).flatten(2).transpose(1, 2)
        state = self.arrange(patches, self.own.expand(len(patches), -1, -1))
        return SimpleNamespace(hidden_states=(state,))


@pytest.mark.parametrize(
    "arrange",
    [
        lambda patches, own: torch.cat([patches, own], dim=1),
        lambda patches, own: torch.cat([own, patches[:, :8], own, patches[:, 8:]], dim=1),
        lambda patches, own: own,
    ],
    ids=["after", "between", "alone"],
)
def test_a_model_whose_patches_do_not_all_follow_a_prefix_is_refused(
    arrange: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    with pytest.raises(UnsuitableModelError, match="not all tokens after a prefix"):
        measure_layout(Unusual(arrange).eval(), two_images(), "unusual")


def test_a_model_whose_own_tokens_know_the_image_already_is_refused() -> None:
    model = Unusual(lambda patches, own: torch.cat([own + patches.mean(1, True), patches], dim=1))
    with pytest.raises(UnsuitableModelError, match="16 patches, but 17 of its 17 tokens"):
        measure_layout(model.eval(), two_images(), "unusual")
