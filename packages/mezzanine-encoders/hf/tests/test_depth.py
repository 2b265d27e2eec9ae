"""A hidden state without the blocks after it is what transformers gives with all of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from mezzanine_encoders_hf.config import Layer
from mezzanine_encoders_hf.depth import HiddenStates, resolve_layer
from mezzanine_encoders_hf.errors import UnsuitableModelError

VISION = {
    "vit": "AutoModel",
    "ijepa": "AutoModel",
    "dinov2": "AutoModel",
    "dinov2_registers": "AutoModel",
    "dinov3": "AutoModel",
    "clip": "CLIPVisionModel",
    "siglip": "SiglipVisionModel",
    "mae": "ViTMAEModel",
    "deit": "AutoModel",
    "swin": "AutoModel",
    "convnext": "AutoModel",
}
TEXT = dict.fromkeys(["bert", "distilbert", "roberta", "gpt2", "llama"], "AutoModel")
TEXT["t5"] = "T5EncoderModel"

STATES = {"swin": 3, "convnext": 4}
"""How many hidden states there are, where it is not 5."""


def load(checkpoint: Callable[[str], Path], kind: str) -> nn.Module:
    settings = {"mask_ratio": 0.0} if kind == "mae" else {}
    model_class = getattr(transformers, {**VISION, **TEXT}[kind])
    model: nn.Module = model_class.from_pretrained(checkpoint(kind), **settings).eval()
    return model


def inputs(kind: str, items: int, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    if kind in TEXT:
        ids = torch.randint(5, 60, (items, 7), generator=generator)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    pixels = torch.randn(items, 3, 32, 32, generator=generator)
    if kind == "mae":  # which draws the order of the patches otherwise
        return {"pixel_values": pixels, "noise": torch.arange(16.0).expand(items, -1)}
    return {"pixel_values": pixels}


def layers(count: int) -> list[Layer]:
    return [*range(-count, count), "final"]


@torch.inference_mode()
def by_transformers(model: nn.Module, layer: Layer, given: dict[str, torch.Tensor]) -> torch.Tensor:
    output = model(**given, output_hidden_states=True)
    state: torch.Tensor = (
        output.last_hidden_state if layer == "final" else output.hidden_states[layer]
    )
    return state


@pytest.mark.parametrize("kind", [*VISION, *TEXT])
def test_every_layer_is_bit_for_bit_that_of_transformers(
    checkpoint: Callable[[str], Path], kind: str
) -> None:
    model = load(checkpoint, kind)
    given = inputs(kind, items=3, seed=1)
    count = STATES.get(kind, 5)
    for layer in layers(count):
        states = HiddenStates(model, layer, inputs(kind, items=2), kind)
        assert states.count == count
        assert states.layer == (layer if layer == "final" else layer % count)
        assert torch.equal(states(**given), by_transformers(model, layer, given)), layer


@pytest.mark.parametrize("kind", [kind for kind in [*VISION, *TEXT] if kind not in STATES])
def test_blocks_past_the_layer_are_not_run(checkpoint: Callable[[str], Path], kind: str) -> None:
    model = load(checkpoint, kind)
    (blocks,) = (m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == 4)
    calls = [0] * len(blocks)

    def counts(index: int) -> Callable[..., None]:
        def count(*_: Any) -> None:
            calls[index] += 1

        return count

    all_states = {layer: HiddenStates(model, layer, inputs(kind, 2), kind) for layer in layers(5)}
    for index, block in enumerate(blocks):
        block.register_forward_hook(counts(index))
    for layer, states in all_states.items():
        calls[:] = [0] * len(blocks)
        states(**inputs(kind, items=3))
        # The state after the last block is left in that block's own hook, which may come first.
        run = len(blocks) if layer == "final" else layer % 5
        surely = max(0, run - 1)
        assert calls[:surely] == [1] * surely, layer
        assert calls[run:] == [0] * (len(blocks) - run), layer
        assert states.blocks_run == run, layer


@pytest.mark.parametrize("kind", [*VISION, *TEXT])
def test_a_layer_in_the_middle_runs_as_many_blocks_as_come_before_it(
    checkpoint: Callable[[str], Path], kind: str
) -> None:
    states = HiddenStates(load(checkpoint, kind), 1, inputs(kind, items=2), kind)
    assert states.blocks_run == 1


def test_a_model_that_runs_one_block_several_times_is_run_whole() -> None:
    """ALBERT's blocks share their weights: one module is the whole list."""
    config = transformers.AlbertConfig(
        vocab_size=60,
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
    )
    model = transformers.AlbertModel(config).eval()
    given = inputs("bert", items=3)
    for layer in layers(5):
        states = HiddenStates(model, layer, inputs("bert", items=2), "albert")
        assert states.blocks_run is None
        assert torch.equal(states(**given), by_transformers(model, layer, given))


@pytest.mark.parametrize("kind", ["vit", "bert"])
@pytest.mark.parametrize("layer", [5, -6, 1000])
def test_a_layer_that_does_not_exist_is_refused_with_those_that_do(
    checkpoint: Callable[[str], Path], kind: str, layer: int
) -> None:
    with pytest.raises(
        UnsuitableModelError, match=f"embed_layer={layer}, but .* 5 hidden"
    ) as caught:
        HiddenStates(load(checkpoint, kind), layer, inputs(kind, items=2), kind)
    assert "from -5 to 4" in (caught.value.hint or "")


def test_a_model_whose_hidden_states_are_read_runs_whole_for_everybody_else(
    checkpoint: Callable[[str], Path],
) -> None:
    model = load(checkpoint, "vit")
    whole = by_transformers(model, -1, inputs("vit", items=1))
    for layer in layers(5):
        HiddenStates(model, layer, inputs("vit", items=2), "vit")(**inputs("vit", items=1))
        assert torch.equal(by_transformers(model, -1, inputs("vit", items=1)), whole)


def test_a_model_runs_whole_after_a_pass_that_failed(checkpoint: Callable[[str], Path]) -> None:
    model = load(checkpoint, "vit")
    whole = by_transformers(model, -1, inputs("vit", items=1))
    states = HiddenStates(model, 2, inputs("vit", items=2), "vit")
    with pytest.raises(ValueError, match="doesn't match model"):
        states(pixel_values=torch.zeros(1, 3, 16, 16))
    assert torch.equal(by_transformers(model, -1, inputs("vit", items=1)), whole)


@pytest.mark.parametrize("layer", [0, 2, -1])
def test_passes_side_by_side_get_their_own_hidden_states(
    checkpoint: Callable[[str], Path], layer: Layer
) -> None:
    states = HiddenStates(load(checkpoint, "bert"), layer, inputs("bert", items=2), "bert")
    batches = [inputs("bert", items=1 + seed % 3, seed=seed) for seed in range(60)]
    alone = [states(**batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: states(**batch), batches))
    assert all(torch.allclose(*pair, atol=1e-5) for pair in zip(alone, together, strict=True))


@pytest.mark.parametrize(
    ("layer", "count", "resolved"),
    [(-4, 13, 9), (9, 13, 9), (0, 13, 0), (-13, 13, 0), ("final", 13, "final"), (-4, None, -4)],
)
def test_layers_are_counted_from_the_front(
    layer: Layer, count: int | None, resolved: Layer
) -> None:
    assert resolve_layer(layer, count, "some model") == resolved
