"""The copy of an encoder that is trained gives the encoder's latents, with gradients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
import transformers
from torch import nn
from transformers.pytorch_utils import Conv1D

from mezzanine_core.encoders import Latents, Tunable
from mezzanine_core.errors import DataError
from mezzanine_encoders_hf.causal import HFCausalLM
from mezzanine_encoders_hf.config import HFCausalLMConfig, HFLanguageConfig, Layer
from mezzanine_encoders_hf.language import HFLanguage
from mezzanine_encoders_hf.trainable import TrainableText

TEXTS = [
    "The dog runs after a ball in the park, and nobody was surprised.",
    "no",
    "Is the answer yes or no?",
    "One, two, three, four, five: 1 2 3 4 5 6 7 8 9 0. " * 4,
]
LANGUAGE = ("bert", "distilbert", "t5")
CAUSAL = ("gpt2", "llama")
KINDS = pytest.mark.parametrize("kind", [*LANGUAGE, *CAUSAL])

TextEncoder = HFLanguage | HFCausalLM
Make = Callable[..., TextEncoder]


@pytest.fixture(scope="session")
def encoder(checkpoint: Callable[[str], Path]) -> Make:
    """Makes the encoder of a family's tiny model: hf_language, or hf_causal_lm of causal ones."""

    def make(kind: str, **settings: Any) -> TextEncoder:
        name = str(checkpoint(kind))
        if kind in CAUSAL:
            return HFCausalLM(HFCausalLMConfig(model_name=name, **settings))
        return HFLanguage(HFLanguageConfig(model_name=name, **settings))

    return make


def features(copy: TrainableText, texts: list[str] = TEXTS) -> torch.Tensor:
    return copy.features(copy.prepare(texts))


def close(one: torch.Tensor, other: Latents | torch.Tensor) -> None:
    other = torch.as_tensor(other)
    assert one.dtype == torch.float32
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5 * float(other.abs().max()))


def backward(copy: TrainableText) -> dict[str, torch.Tensor]:
    """The gradients of a loss that weighs all features differently, of all that have one."""
    copy.module.zero_grad(set_to_none=True)
    latents = features(copy)
    (latents * torch.linspace(-1, 1, latents.numel()).view_as(latents)).sum().backward()  # type: ignore[no-untyped-call]
    return {name: one.grad for name, one in copy.module.named_parameters() if one.grad is not None}


def linear_layers(copy: TrainableText, blocks: int) -> list[str]:
    """Dotted names of the linear layers in the last blocks."""
    return [
        f"{block}.{name}"
        for block in copy.blocks[-blocks:]
        for name, layer in copy.module.get_submodule(block).named_modules()
        if isinstance(layer, nn.Linear | Conv1D)
    ]


def put_adapters(copy: TrainableText, blocks: int = 2, **settings: Any) -> None:
    """Adapters in the last blocks; the rest of the model is frozen by that."""
    fan = any(isinstance(layer, Conv1D) for layer in copy.module.modules())
    config = peft.LoraConfig(
        r=4, target_modules=linear_layers(copy, blocks), fan_in_fan_out=fan, **settings
    )
    peft.inject_adapter_in_model(config, copy.module)


def checkpoint_activations(module: Any) -> None:
    # The old name warns where there is a new one.
    enable = getattr(module, "activation_checkpointing_enable", None)
    (enable or module.gradient_checkpointing_enable)({"use_reentrant": False})


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@pytest.mark.parametrize("layer", [-1, 2, "final"])
@KINDS
def test_features_are_the_latents(encoder: Make, kind: str, layer: Layer) -> None:
    one = encoder(kind, embed_layer=layer)
    close(features(one.trainable()), one.encode(TEXTS))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("bert", {"pool": "cls"}),
        ("bert", {"pool": "last", "normalize": True, "max_length": 8}),
        ("gpt2", {"embed_mode": "mean"}),
        ("llama", {"embed_mode": "mean_std"}),
        ("gpt2", {"embed_mode": "mean_std", "padding_side": "left"}),
        ("llama", {"embed_mode": "mean", "padding_side": "left", "embed_layer": 3}),
    ],
)
def test_every_pooling_is_the_encoders_and_has_finite_gradients(
    encoder: Make, kind: str, settings: dict[str, Any]
) -> None:
    one = encoder(kind, **settings)
    copy = one.trainable()
    close(features(copy), one.encode(TEXTS))
    gradients = backward(copy)
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients.values())


def test_minilm_gives_its_embeddings(minilm: Path) -> None:
    config = HFLanguageConfig(model_name=str(minilm), max_length=256, normalize=True)
    one = HFLanguage(config)
    close(features(one.trainable()), one.encode(TEXTS))


@KINDS
def test_a_text_has_the_same_features_alone_and_beside_longer_ones(
    encoder: Make, kind: str
) -> None:
    copy = encoder(kind).trainable()
    prepared = copy.prepare(TEXTS)
    alone = torch.cat([copy.features([one]) for one in prepared])
    close(copy.features(prepared), alone.detach())


def test_a_model_that_padding_disturbs_is_not_given_any(
    touchy: Callable[[str], Path],
) -> None:
    one = HFLanguage(HFLanguageConfig(model_name=str(touchy("ConvBert"))))
    copy = one.trainable()
    texts = [TEXTS[0], "no", TEXTS[2], "no", *TEXTS[1:]]
    close(features(copy, texts), one.encode(texts))


@pytest.mark.parametrize("layer", [2, 4])
@KINDS
def test_gradients_are_those_of_transformers_forward_pass(
    encoder: Make, checkpoint: Callable[[str], Path], kind: str, layer: int
) -> None:
    pooling = {"embed_mode": "mean"} if kind in CAUSAL else {}
    copy = encoder(kind, embed_layer=layer, **pooling).trainable()
    ours = backward(copy)
    theirs: Any = transformers.AutoModel.from_pretrained(checkpoint(kind), dtype=torch.float32)
    theirs = (theirs.get_encoder() if kind == "t5" else theirs).eval()
    latents = torch.stack(
        [
            theirs(input_ids=torch.from_numpy(tokens[:1]), output_hidden_states=True)
            .hidden_states[layer][0]
            .mean(dim=0)
            for tokens in copy.prepare(TEXTS)
        ]
    )
    (latents * torch.linspace(-1, 1, latents.numel()).view_as(latents)).sum().backward()  # type: ignore[no-untyped-call]
    expected = {
        name: one.grad
        for name, one in theirs.named_parameters()
        if one.grad is not None and one.grad.any()
    }
    assert expected
    assert set(ours) >= set(expected)
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in ours.items():
        other = expected.get(name, torch.zeros_like(gradient))
        torch.testing.assert_close(gradient, other, rtol=0, atol=1e-5 * largest, msg=name)


@KINDS
def test_blocks_are_named_in_order_as_far_as_the_layer_and_no_others_are_run(
    encoder: Make, kind: str
) -> None:
    whole = encoder(kind).trainable()
    assert len(whole.blocks) == 4
    copy = encoder(kind, embed_layer=2).trainable()
    assert list(copy.blocks) == list(whole.blocks)[:2]
    entered: list[str] = []
    for name in whole.blocks:
        copy.module.get_submodule(name).register_forward_hook(
            lambda *_, name=name: entered.append(name)
        )
    features(copy)
    assert entered == list(copy.blocks)


def test_there_are_no_blocks_before_the_embeddings(encoder: Make) -> None:
    assert list(encoder("bert", embed_layer=0).trainable().blocks) == []


@KINDS
def test_training_the_copy_leaves_the_encoder_as_it_is(encoder: Make, kind: str) -> None:
    one = encoder(kind, embed_layer=2)
    before = one.encode(TEXTS)
    copy = one.trainable()
    copy.module.train()
    backward(copy)
    torch.optim.SGD(copy.module.parameters(), lr=0.1).step()
    copy.module.eval()
    after = features(copy).detach()
    assert not np.allclose(after, before, atol=1e-3)
    assert (one.encode(TEXTS) == before).all()
    close(features(one.trainable()), before)
    assert not any(parameter.requires_grad for parameter in one.model.parameters())


@KINDS
def test_adapters_that_do_nothing_change_nothing_and_they_alone_learn(
    encoder: Make, kind: str
) -> None:
    one = encoder(kind)
    latents = one.encode(TEXTS)
    copy = one.trainable()
    put_adapters(copy)
    close(features(copy), latents)
    gradients = backward(copy)
    adapters = [name for name, _ in copy.module.named_parameters() if "lora_" in name]
    assert sorted(gradients) == sorted(adapters)
    assert all(name.startswith(tuple(copy.blocks[-2:])) for name in adapters)
    learning = [one for one in copy.module.parameters() if one.requires_grad]
    torch.optim.SGD(learning, lr=1.0).step()
    assert not np.allclose(features(copy).detach(), latents, atol=1e-3)
    assert (one.encode(TEXTS) == latents).all()


# peft 0.21 asks transformers 5.23 for what has another name there.
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_a_model_that_peft_has_wrapped_is_the_copys_own(encoder: Make, kind: str) -> None:
    one = encoder(kind)
    copy = one.trainable()
    config = peft.LoraConfig(target_modules=linear_layers(copy, 1), fan_in_fan_out=kind == "gpt2")
    wrapped = peft.get_peft_model(copy.module, config)
    close(features(copy), one.encode(TEXTS))
    backward(copy)
    learning = [one for one in wrapped.parameters() if one.requires_grad]
    assert all(one.grad is not None for one in learning)
    torch.optim.SGD(learning, lr=1.0).step()
    assert not np.allclose(features(copy).detach(), one.encode(TEXTS), atol=1e-3)


@pytest.mark.parametrize("layer", [3, -1])
@KINDS
def test_checkpointed_blocks_run_twice_and_have_the_same_gradients(
    encoder: Make, kind: str, layer: Layer
) -> None:
    copy = encoder(kind, embed_layer=layer).trainable()
    put_adapters(copy, lora_dropout=0.1)
    runs: Counter[str] = Counter()
    for name in copy.blocks:
        parts = copy.module.get_submodule(name).modules()
        inner = next(part for part in parts if list(part.parameters(recurse=False)))
        inner.register_forward_pre_hook(lambda *_, name=name: runs.update([name]))
    copy.module.train()
    with drawn_from(0):
        plain = backward(copy)
    assert set(runs.values()) == {1}
    checkpoint_activations(copy.module)
    runs.clear()
    with drawn_from(0):
        checkpointed = backward(copy)
    assert all(runs[name] == 2 for name in copy.blocks[-2:])
    assert sorted(checkpointed) == sorted(plain)
    for name, gradient in plain.items():
        torch.testing.assert_close(checkpointed[name], gradient)


def test_dropout_acts_in_training_mode_alone(encoder: Make) -> None:
    copy = encoder("bert").trainable()
    plain = features(copy)
    assert torch.equal(features(copy), plain)
    copy.module.train()
    with drawn_from(0):
        one, other = features(copy), features(copy)
    assert not torch.allclose(one, other, atol=1e-3)
    copy.module.eval()
    assert torch.equal(features(copy), plain)


def test_what_was_made_and_used_in_inference_mode_can_be_trained(encoder: Make) -> None:
    one = encoder("llama", embed_layer=3)
    with torch.inference_mode():
        latents = one.encode(TEXTS)
        copy = one.trainable()
    close(features(copy), latents)
    gradients = backward(copy)
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    torch.optim.SGD(copy.module.parameters(), lr=0.1).step()


@pytest.mark.parametrize(
    ("asked", "given"), [("auto", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_the_copy_computes_in_what_the_encoder_does(
    encoder: Make, asked: str, given: torch.dtype
) -> None:
    one = encoder("bert", dtype=asked)
    copy = one.trainable()
    assert {parameter.dtype for parameter in copy.module.parameters()} == {given}
    latents = one.encode(TEXTS)
    found = features(copy)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.detach(), latents, atol=0.05 * np.abs(latents).max())


@KINDS
def test_texts_are_cut_off_as_they_are_encoded_and_sizes_are_their_tokens(
    encoder: Make, kind: str
) -> None:
    one = encoder(kind, max_length=10)
    copy = one.trainable()
    sizes = copy.sizes(copy.prepare(TEXTS))
    assert sizes.dtype == np.int64
    assert (sizes == np.minimum(one.count_tokens(TEXTS), 10)).all()
    assert sizes.max() == 10


def test_a_text_that_is_no_token_is_refused(encoder: Make) -> None:
    with pytest.raises(DataError, match="item 1 of the batch"):
        encoder("gpt2").trainable().prepare(["Yes", ""])


@KINDS
def test_encoders_of_texts_are_tunable(encoder: Make, kind: str) -> None:
    assert isinstance(encoder(kind), Tunable)
