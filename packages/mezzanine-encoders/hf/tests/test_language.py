import json
import shutil

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

from mezzanine_core.errors import ConfigError, LatentError
from mezzanine_encoders_hf.config import HFLanguageConfig
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.language import HFLanguage
from mezzanine_encoders_hf.products import blas_is_slow, quicken

KINDS = ("bert", "distilbert", "roberta", "gpt2", "llama", "t5")
TEXTS = [
    "The dog runs after a ball in the park, and nobody was surprised.",
    "Stocks fell sharply on Monday as investors worried about oil prices.",
    "The film was far too long, but the actors were wonderful, weren't they?",
]
MIXED = [*TEXTS, "Short.", "A longer text. " * 100, "", "Is it? 😀 Ünïcode, 北京."]


def language(folder, **settings):
    return HFLanguage(HFLanguageConfig(name="hf_language", model_name=str(folder), **settings))


def reference(folder, layer, texts, length):
    """transformers' own hidden state of texts that all have this many tokens.

    With the matrix products that the encoder has on this machine: all else is to be as it was.
    """
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(texts, truncation=True, max_length=length, return_tensors="pt")
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    if blas_is_slow():
        quicken(model)
    taken = {name: value for name, value in inputs.items() if name != "token_type_ids"}
    with torch.inference_mode():
        return model(**taken, output_hidden_states=True).hidden_states[layer]


@pytest.mark.parametrize("layer", [0, 2, -2, -1])
@pytest.mark.parametrize("kind", KINDS)
def test_an_unpadded_batch_gives_transformers_hidden_states_bit_for_bit(checkpoint, kind, layer):
    folder = checkpoint(kind)
    hidden = reference(folder, layer, TEXTS, 8)
    settings = {"embed_layer": layer, "max_length": 8}
    last = language(folder, pool="last", **settings).encode(TEXTS)
    assert (last == hidden[:, -1].numpy()).all()
    mean = language(folder, pool="mean", **settings).encode(TEXTS)
    assert (mean == (hidden.sum(dim=1) / 8).numpy()).all()


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta"])
def test_cls_is_the_first_token(checkpoint, kind):
    folder = checkpoint(kind)
    latents = language(folder, pool="cls", max_length=8).encode(TEXTS)
    assert (latents == reference(folder, -1, TEXTS, 8)[:, 0].numpy()).all()


@pytest.mark.parametrize("kind", ["gpt2", "llama", "t5"])
def test_cls_is_refused_where_the_tokenizer_puts_no_class_token_first(checkpoint, kind):
    encoder = language(checkpoint(kind), pool="cls")
    with pytest.raises(UnsuitableModelError, match="class token"):
        encoder.fingerprint()
    with pytest.raises(UnsuitableModelError, match="class token"):
        encoder.encode(["A text."])


def test_cls_is_refused_where_the_tokenizer_has_a_class_token_but_does_not_put_it_first(
    checkpoint, tmp_path
):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "bert")
    content = json.loads((folder / "tokenizer.json").read_text())
    content["post_processor"] = None
    (folder / "tokenizer.json").write_text(json.dumps(content))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "vocab.txt").unlink()
    with pytest.raises(UnsuitableModelError, match="class token"):
        language(folder, pool="cls").fingerprint()


def test_the_final_layer_is_the_output_of_the_model(checkpoint):
    folder = checkpoint("llama")
    final = language(folder, embed_layer="final", pool="last", max_length=8).encode(TEXTS)
    assert (final == reference(folder, -1, TEXTS, 8)[:, -1].numpy()).all()


def test_minilm_gives_the_embeddings_of_sentence_transformers(minilm):
    theirs = SentenceTransformer(str(minilm), device="cpu")
    assert theirs.max_seq_length == 256
    ours = language(minilm, max_length=256, normalize=True)
    np.testing.assert_allclose(ours.encode(MIXED), theirs.encode(MIXED), rtol=0, atol=1e-5)


def test_normalised_latents_have_length_one(checkpoint):
    plain = language(checkpoint("bert")).encode(TEXTS)
    normal = language(checkpoint("bert"), normalize=True).encode(TEXTS)
    lengths = np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(normal, plain / lengths, rtol=0, atol=1e-6)


def test_bfloat16_is_within_the_documented_tolerance_of_float32(minilm):
    exact = language(minilm, normalize=True, dtype="float32").encode(TEXTS)
    narrow = language(minilm, normalize=True, dtype="bfloat16").encode(TEXTS)
    assert narrow.dtype == np.float32
    assert ((exact * narrow).sum(axis=1) > 0.999).all()
    assert not np.array_equal(exact, narrow)


def test_auto_is_float32(checkpoint):
    folder = checkpoint("bert")
    auto, exact = (language(folder, dtype=dtype) for dtype in ("auto", "float32"))
    assert auto.fingerprint() == exact.fingerprint()
    assert (auto.encode(TEXTS) == exact.encode(TEXTS)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_dim_is_the_length_of_a_latent(checkpoint, kind):
    encoder = language(checkpoint(kind))
    assert encoder.encode(TEXTS).shape == (len(TEXTS), encoder.dim)


def test_only_the_encoder_of_an_encoder_decoder_is_held(checkpoint):
    names = [name for name, _ in language(checkpoint("t5")).model.named_parameters()]
    assert names
    assert not [name for name in names if "decoder" in name]


def test_an_encoder_saved_without_its_decoder_is_enough(checkpoint, tmp_path):
    whole = transformers.T5ForConditionalGeneration.from_pretrained(checkpoint("t5"))
    folder = shutil.copytree(checkpoint("t5"), tmp_path / "t5")
    weights = whole.state_dict()
    kept = {
        name: weight.clone()
        for name, weight in weights.items()
        if name == "shared.weight" or name.startswith("encoder.block")
    } | {"encoder.final_layer_norm.weight": weights["encoder.final_layer_norm.weight"].clone()}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    expected = language(checkpoint("t5")).encode(TEXTS)
    assert (language(folder).encode(TEXTS) == expected).all()


@pytest.mark.parametrize("kind", ["vit", "clip", "dinov2"])
def test_a_model_of_images_is_refused(checkpoint, kind):
    encoder = language(checkpoint(kind))
    for use in (lambda: encoder.dim, encoder.fingerprint, lambda: encoder.encode(["A text."])):
        with pytest.raises(UnsuitableModelError, match="model of images"):
            use()


@pytest.mark.parametrize("layer", [5, -6])
def test_a_layer_that_is_not_there_is_refused_without_weights(checkpoint, layer):
    with pytest.raises(UnsuitableModelError, match="5 hidden states"):
        language(checkpoint("bert"), embed_layer=layer).fingerprint()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_type": "wav2vec2", "hidden_size": 32}, "a model of input_values"),
        ({"model_type": "trocr"}, "no model that transformers' AutoModel loads"),
    ],
)
def test_models_of_something_else_than_texts_are_refused_without_weights(
    checkpoint, tmp_path, settings, message
):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "other")
    (folder / "config.json").write_text(json.dumps(settings))
    for use in (lambda: language(folder).dim, lambda: language(folder).fingerprint()):
        with pytest.raises(UnsuitableModelError, match=message):
            use()


def test_a_layer_that_the_model_counts_otherwise_than_its_configuration_is_refused(
    checkpoint, tmp_path
):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "canine")
    (folder / "model.safetensors").unlink()
    sizes = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48}
    config = transformers.CanineConfig(**sizes, num_hidden_layers=2, max_position_embeddings=256)
    transformers.CanineModel(config).save_pretrained(folder)
    with pytest.raises(UnsuitableModelError, match=r"has \d+ hidden states, and 3 by its"):
        language(folder).encode(["A text."])
    assert language(folder, embed_layer="final").encode(["A text."]).shape == (1, 32)


def test_damaged_weights_that_give_nan_are_an_error(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "bert")
    weights = load_file(folder / "model.safetensors")
    next(value for name, value in weights.items() if "LayerNorm.weight" in name)[0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(LatentError, match="NaN"):
        language(folder).encode(TEXTS)


def test_the_fingerprint_names_everything_that_changes_latents(checkpoint):
    folder = checkpoint("bert")
    variants = [
        {},
        {"embed_layer": -2},
        {"embed_layer": "final"},
        {"pool": "cls"},
        {"pool": "last"},
        {"normalize": True},
        {"max_length": 20},
        {"dtype": "bfloat16"},
    ]
    names = [language(folder, **settings).fingerprint() for settings in variants]
    assert len(set(names)) == len(names)


def test_the_fingerprint_leaves_out_what_changes_nothing(checkpoint, tmp_path):
    folder = checkpoint("bert")
    name = language(folder).fingerprint()
    assert language(folder, batch_tokens=100).fingerprint() == name
    assert language(folder, compile=True).fingerprint() == name
    assert language(folder, embed_layer=4).fingerprint() == name
    assert language(folder, max_length=64).fingerprint() == name
    assert language(folder).to("meta").fingerprint() == name
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere")
    assert language(elsewhere).fingerprint() == name


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_one_byte_of_weights_or_tokenizer_changes_the_fingerprint(checkpoint, tmp_path, file):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "bert")
    content = bytearray((folder / file).read_bytes())
    if file == "tokenizer.json":
        content += b"\n"
    else:
        content[-1] ^= 1
    (folder / file).write_bytes(content)
    assert language(folder).fingerprint() != language(checkpoint("bert")).fingerprint()


@pytest.mark.parametrize("pool", ["max", "mean_std", ""])
def test_unknown_pooling_is_refused(pool):
    with pytest.raises(ValueError, match="pool"):
        HFLanguageConfig(name="hf_language", pool=pool)


def test_a_limit_above_the_models_is_refused_naming_both(checkpoint):
    with pytest.raises(ConfigError, match=r"max_length=65\b.* 64 tokens"):
        language(checkpoint("bert"), max_length=65).fingerprint()


@pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning")  # torch's own
def test_compiled_latents_are_the_same(checkpoint):
    if shutil.which("c++") is None:
        pytest.skip("torch.compile needs a C++ compiler")
    plain = language(checkpoint("bert")).encode(TEXTS)
    compiled = language(checkpoint("bert"), compile=True).encode(TEXTS)
    np.testing.assert_allclose(compiled, plain, rtol=0, atol=1e-5)
