import shutil

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, RwkvConfig, RwkvForCausalLM

from mezzanine_core.errors import DataError
from mezzanine_encoders_hf.causal import HFCausalLM
from mezzanine_encoders_hf.config import HFCausalLMConfig
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.products import blas_is_slow, quicken

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "It rained",
    "Stocks fell sharply on Monday as investors worried about rising oil prices.",
    "No",
]
KINDS = pytest.mark.parametrize("kind", ["gpt2", "llama"])
SIDES = pytest.mark.parametrize("padding_side", ["left", "right"])


@pytest.fixture
def encoder(checkpoint):
    def make(kind, **settings):
        return HFCausalLM(HFCausalLMConfig(model_name=str(checkpoint(kind)), **settings))

    return make


@pytest.fixture
def hidden_state(checkpoint):
    """Hidden states by transformers, one text at a time: float32 [S, D].

    With the matrix products that the encoder has on this machine: all else is to be as it was.
    """
    loaded = {}

    def run(kind, layer, text):
        if kind not in loaded:
            model = AutoModelForCausalLM.from_pretrained(checkpoint(kind)).eval()
            if blas_is_slow():
                quicken(model)
            loaded[kind] = model, AutoTokenizer.from_pretrained(checkpoint(kind))
        model, tokenizer = loaded[kind]
        with torch.inference_mode():
            output = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
        return output.hidden_states[layer][0]

    return run


POOLED = {
    "last": lambda tokens: tokens[-1],
    "mean": lambda tokens: tokens.mean(dim=0),
    "mean_std": lambda tokens: torch.cat([tokens.mean(dim=0), tokens.std(dim=0, correction=0)]),
}


@KINDS
@pytest.mark.parametrize("layer", [0, 2, -2, -1])
def test_the_hidden_state_of_one_text_is_bit_for_bit_that_of_transformers(
    encoder, hidden_state, kind, layer
):
    one = encoder(kind, embed_layer=layer)
    for text in TEXTS:
        expected = hidden_state(kind, layer, text)[-1]
        assert np.array_equal(one.encode([text])[0], expected.numpy())


@KINDS
def test_final_is_the_last_hidden_state(encoder, kind):
    final = encoder(kind, embed_layer="final").encode(TEXTS)
    assert np.array_equal(final, encoder(kind, embed_layer=-1).encode(TEXTS))


@KINDS
@SIDES
@pytest.mark.parametrize("mode", POOLED)
def test_pooled_hidden_states_of_a_padded_batch_are_those_of_transformers(
    encoder, hidden_state, kind, padding_side, mode
):
    latents = encoder(kind, embed_mode=mode, embed_layer=-2, padding_side=padding_side).encode(
        TEXTS
    )
    expected = [POOLED[mode](hidden_state(kind, -2, text)).numpy() for text in TEXTS]
    np.testing.assert_allclose(latents, expected, rtol=1e-5, atol=1e-5)


@KINDS
@SIDES
@pytest.mark.parametrize("mode", POOLED)
def test_a_text_has_the_same_latent_in_every_batch(encoder, kind, padding_side, mode):
    one = encoder(kind, embed_mode=mode, padding_side=padding_side)
    together = one.encode(TEXTS)
    apart = np.concatenate([one.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, apart, rtol=1e-5, atol=1e-5)


def test_a_model_that_takes_no_notice_of_the_mask_is_padded_on_the_right(
    checkpoint, tmp_path, caplog
):
    folder = shutil.copytree(checkpoint("gpt2"), tmp_path / "rwkv")
    torch.manual_seed(0)
    config = RwkvConfig(hidden_size=32, num_hidden_layers=2, vocab_size=400, context_length=64)
    RwkvForCausalLM(config).save_pretrained(folder)
    right, left = (
        HFCausalLM(HFCausalLMConfig(model_name=str(folder), embed_mode="mean", padding_side=side))
        for side in ("right", "left")
    )
    assert np.array_equal(left.encode(TEXTS), right.encode(TEXTS))
    apart = np.concatenate([left.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(left.encode(TEXTS), apart, rtol=1e-5, atol=1e-5)
    choices = [" yes", " the dog runs"]
    assert np.array_equal(
        left.choice_log_probs(TEXTS, choices), right.choice_log_probs(TEXTS, choices)
    )
    assert caplog.text.count("padded on the right") == 1


@pytest.mark.parametrize("mode", POOLED)
def test_dim_is_the_length_of_a_latent_and_needs_no_weights(encoder, mode):
    one = encoder("llama", embed_mode=mode)
    assert one.dim == (64 if mode == "mean_std" else 32)
    one.fingerprint()
    assert "model" not in vars(one)
    assert one.encode(TEXTS).shape == (4, one.dim)


def test_the_fingerprint_names_layer_pooling_and_limit_but_not_padding(encoder):
    fingerprint = encoder("gpt2").fingerprint()
    for other in ({"embed_mode": "mean"}, {"embed_layer": 2}, {"max_length": 20}):
        assert encoder("gpt2", **other).fingerprint() != fingerprint
    for same in ({"padding_side": "left"}, {"batch_tokens": 7}, {"embed_layer": 4}):
        assert encoder("gpt2", **same).fingerprint() == fingerprint
    assert encoder("llama").fingerprint() != fingerprint


def test_hidden_states_do_not_run_the_output_layer(encoder):
    llama = encoder("llama")
    calls = []
    llama.model.lm_head.register_forward_hook(lambda *_: calls.append(1))
    llama.encode(TEXTS)
    assert not calls


def test_one_loaded_model_serves_hidden_states_and_choices(encoder, monkeypatch):
    loads = []
    load = HFCausalLM._load
    monkeypatch.setattr(HFCausalLM, "_load", lambda self: loads.append(self) or load(self))
    gpt2 = encoder("gpt2")
    before = gpt2.encode(TEXTS)
    gpt2.choice_probs(TEXTS, [" yes", " no"])
    assert np.array_equal(gpt2.encode(TEXTS), before)
    assert len(loads) == 1
    tensors = {id(one) for one in gpt2.model.parameters()}
    assert {id(one) for one in gpt2.model.base_model.parameters()} <= tensors


@KINDS
@pytest.mark.parametrize("per", [None, "token", "character"])
def test_probabilities_are_the_softmax_of_the_scores_and_sum_to_one(encoder, kind, per):
    one = encoder(kind)
    choices = [" yes", " no", " the dog runs"]
    scores = one.choice_log_probs(TEXTS, choices, per)
    probabilities = one.choice_probs(TEXTS, choices, per)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4)


def test_bfloat16_scores_are_near_those_of_float32(encoder):
    narrow = encoder("llama", dtype="bfloat16").choice_log_probs(TEXTS, [" yes", " no"])
    wide = encoder("llama").choice_log_probs(TEXTS, [" yes", " no"])
    np.testing.assert_allclose(narrow, wide, rtol=0.05)


@pytest.mark.parametrize(
    ("kind", "message", "instead"),
    [
        ("bert", "no causal language model", "hf_language"),
        ("distilbert", "no causal language model", "hf_language"),
        ("roberta", "no causal language model", "hf_language"),
        ("t5", "an encoder with a decoder", "hf_language"),
        ("vit", "a model of images", "hf_vision"),
        ("clip", "a model of images", "hf_clip"),
    ],
)
def test_other_models_are_refused_before_weights_are_read(encoder, kind, message, instead):
    for use in (
        lambda one: one.dim,
        lambda one: one.fingerprint(),
        lambda one: one.encode(TEXTS),
        lambda one: one.choice_probs(TEXTS, [" yes", " no"]),
    ):
        one = encoder(kind)
        with pytest.raises(UnsuitableModelError, match=message) as raised:
            use(one)
        assert instead in raised.value.hint
        assert "model" not in vars(one)


def test_a_decoder_without_a_model_of_its_own_is_refused(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("gpt2"), tmp_path / "trocr")
    (folder / "config.json").write_text('{"model_type": "trocr"}')
    one = HFCausalLM(HFCausalLMConfig(model_name=str(folder)))
    for use in (lambda: one.dim, one.fingerprint, lambda: one.encode(TEXTS)):
        with pytest.raises(UnsuitableModelError, match="no model that transformers' AutoModel"):
            use()


@KINDS
def test_bfloat16_does_not_keep_a_model_from_padding_on_the_left(encoder, kind, caplog):
    one = encoder(kind, dtype="bfloat16", padding_side="left")
    one.encode(TEXTS)
    assert "padded on the right" not in caplog.text


def test_minilm_is_refused(minilm):
    with pytest.raises(UnsuitableModelError, match="no causal language model"):
        HFCausalLM(HFCausalLMConfig(model_name=str(minilm))).choice_probs(TEXTS, [" yes", " no"])


def test_the_empty_text_is_an_error_where_it_is_no_token(encoder):
    with pytest.raises(DataError, match="item 1 of the batch"):
        encoder("gpt2").encode(["Yes", ""])
    assert encoder("llama").encode(["Yes", ""]).shape == (2, 32)
