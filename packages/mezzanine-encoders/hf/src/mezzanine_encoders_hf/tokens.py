"""Texts as tokens: cutting, counting, padding, and how many tokens a model takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import transformers
from torch import nn
from transformers import AutoModel

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.worlds import Batch
from mezzanine_encoders_hf.errors import UnsuitableModelError

Tokens = npt.NDArray[np.int64]
"""Tokens of one text, int64 [fields, length]: ids, and token types where the tokenizer has them."""

_FIELDS = ("input_ids", "token_type_ids")

_SANE_LENGTH = 1_000_000
"""Tokenizers that know of no limit say 10^30."""

_DEFAULT_LENGTH = 512
"""Tokens of a text at most where neither the tokenizer nor the model has a limit."""

_COUNTED_TOGETHER = 1024
"""Texts that are counted at a time, so that not all of their tokens need be held."""


@dataclass
class Window:
    """Batches that are encoded together: their distinct texts as tokens, and who is who.

    Attributes:
        slots: The place of each text in ``tokens``.
        tokens: Tokens of each distinct text.
        batches: Of each batch the places of its texts, int64 [n].
        truncated: How many of the distinct texts were cut off.
        size: How many tokens the distinct texts have.
    """

    slots: dict[str, int] = field(default_factory=dict)
    tokens: list[Tokens] = field(default_factory=list)
    batches: list[npt.NDArray[np.int64]] = field(default_factory=list)
    truncated: int = 0
    size: int = 0

    def gather(self, batch: Batch, tokenizer: Any, max_length: int, name: str) -> None:
        """Take in a batch, and tokenise those of its texts that are new.

        Args:
            batch: Texts.
            tokenizer: Of transformers.
            max_length: Tokens of a text at most.
            name: The model's name, for errors.

        Raises:
            DataError: If an item is no text or no token; the window then stays as it was.
        """
        texts = as_texts(batch)
        new = list(dict.fromkeys(text for text in texts if text not in self.slots))
        if new:
            pieces, truncated = tokenise(tokenizer, new, max_length)
            for text, piece in zip(new, pieces, strict=True):
                if not piece.shape[1]:
                    raise DataError(
                        f"item {texts.index(text)} of the batch, {text!r}, is no token to the "
                        f"tokenizer of {name}",
                        hint="Leave such texts out, or choose a model whose tokenizer adds special "
                        "tokens, as BERT's does.",
                    )
            self._add(new, pieces, truncated)
        self.batches.append(np.array([self.slots[text] for text in texts], np.int64))

    def _add(self, texts: Sequence[str], pieces: Sequence[Tokens], truncated: int) -> None:
        start = len(self.slots)
        self.slots.update(zip(texts, range(start, start + len(texts)), strict=True))
        self.tokens += pieces
        self.truncated += truncated
        self.size += sum(piece.shape[1] for piece in pieces)

    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each distinct text, int64 [n]."""
        return np.array([piece.shape[1] for piece in self.tokens], np.int64)


def as_texts(batch: Batch) -> list[str]:
    """The texts of a batch, checked.

    Raises:
        DataError: If the batch is no batch, or if an item is no text, or no text that can be
            written as UTF-8.
    """
    if isinstance(batch, str):
        raise DataError(
            "an encoder of texts takes batches of texts, not a single text",
            hint="Put the text into a list.",
        )
    if not isinstance(batch, Iterable):
        raise DataError(
            f"an encoder of texts takes batches of texts, not {type(batch).__name__}",
            hint="Give a list of texts.",
        )
    texts: list[Any] = list(batch)
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(
                f"item {index} of the batch is no text but of type {type(text).__name__}",
                hint="Give each item as a str; look for missing values in the data.",
            )
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        index = next(i for i, text in enumerate(texts) if _surrogates(text))
        raise DataError(
            f"item {index} of the batch is no valid Unicode text: it has lone surrogates",
            hint="Decode the data with the encoding that it was written in.",
        ) from None
    return texts


def tokenise(tokenizer: Any, texts: list[str], max_length: int) -> tuple[list[Tokens], int]:
    """Tokens of texts, special ones included, the long ones cut off by the tokenizer.

    Args:
        tokenizer: Of transformers.
        texts: At least one.
        max_length: Tokens of a text at most.

    Returns:
        Tokens of each text, their fields those of :func:`fields`, and how many texts were cut off.
    """
    cut: dict[str, Any] = {"truncation": True, "max_length": max_length}
    names = fields(tokenizer)
    if tokenizer.is_fast:
        found = _run(tokenizer, texts, return_overflowing_tokens=True, **cut)
        # What is cut off comes in rows of its own, after the first row of the text.
        owners = np.asarray(found["overflow_to_sample_mapping"])
        _, first, rows = np.unique(owners, return_index=True, return_counts=True)
        kept = {name: [found[name][row] for row in first] for name in names}
        truncated = int((rows > 1).sum())
    else:  # tokenizers in Python do not say of a batch what they cut off
        kept = dict(_run(tokenizer, texts))
        long = [i for i, ids in enumerate(kept["input_ids"]) if len(ids) > max_length]
        shorter = _run(tokenizer, [texts[i] for i in long], **cut) if long else {}
        for name in names:
            for place, i in enumerate(long):
                kept[name][i] = shorter[name][place]
        truncated = len(long)
    lengths = [len(ids) for ids in kept["input_ids"]]
    flat = np.stack(
        [np.fromiter(chain.from_iterable(kept[name]), np.int64, sum(lengths)) for name in names]
    )
    return np.split(flat, np.cumsum(lengths)[:-1], axis=1), truncated


def count_tokens(tokenizer: Any, texts: list[str]) -> npt.NDArray[np.int64]:
    """Tokens that whole texts have, special ones included: int64 [len(texts)]."""
    counts = np.empty(len(texts), np.int64)
    for start in range(0, len(texts), _COUNTED_TOGETHER):
        part = texts[start : start + _COUNTED_TOGETHER]
        found = _run(tokenizer, part)["input_ids"]
        counts[start : start + len(part)] = [len(ids) for ids in found]
    return counts


def fields(tokenizer: Any) -> list[str]:
    """What a tokenizer says of each token, as arguments of its models."""
    return [name for name in _FIELDS if name in tokenizer.model_input_names]


def pad(
    pieces: Sequence[Tokens], side: Literal["left", "right"], padding: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Puts texts into one array as long as the longest.

    Args:
        pieces: Tokens of B texts, at least one.
        side: Where shorter texts are padded.
        padding: Id of the tokens that they are padded with.

    Returns:
        int64 [fields, B, S], and bool [B, S]: true where a token is text.
    """
    lengths = np.array([piece.shape[1] for piece in pieces])[:, None]
    longest = int(lengths.max())
    places = np.arange(longest)
    mask = places < lengths if side == "right" else places >= longest - lengths
    values = np.zeros((len(pieces[0]), len(pieces), longest), np.int64)
    values[0] = padding
    values[:, mask] = np.concatenate(pieces, axis=1)
    return values, mask


def length_limit(config: Any, tokenizer: Any) -> int | None:
    """How many tokens a model takes, special ones included; builds no weights.

    The smaller of what the tokenizer says and how many positions there are; ``None`` where neither
    limits it (T5 has relative positions, and its tokenizer may know of no limit).

    Args:
        config: The model's transformers configuration.
        tokenizer: Its tokenizer.
    """
    limits = [tokenizer.model_max_length] if tokenizer.model_max_length < _SANE_LENGTH else []
    positions = getattr(config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        limits.append(positions - position_offset(config))
    return min(limits, default=None)


def resolve_length(length: int | None, limit: int | None, tokenizer: Any, name: str) -> int:
    """How many tokens a text has at most, special ones included.

    Args:
        length: The setting ``max_length``; ``None`` for the limit, or 512 where there is none.
        limit: Tokens that the model takes, as :func:`length_limit` says.
        tokenizer: The model's tokenizer.
        name: The model's name, for errors.

    Raises:
        ConfigError: If it exceeds the limit, or leaves no room for a text.
    """
    if length is None:
        return limit or _DEFAULT_LENGTH
    if limit is not None and length > limit:
        raise ConfigError(
            f"max_length={length}, but {name} takes at most {limit} tokens",
            hint=f"Set max_length to {limit} or less, or leave it out.",
        )
    special = tokenizer.num_special_tokens_to_add()
    if length <= special:
        raise ConfigError(
            f"max_length={length} leaves no room for a text: the tokenizer of {name} adds "
            f"{special} special tokens",
            hint=f"Set max_length to {special + 1} or more, or leave it out.",
        )
    return length


def position_offset(config: Any) -> int:
    """The position of a text's first token: 0, or 2 for RoBERTa and its kin.

    Those number positions from the id of their padding token plus one, and have as many fewer of
    them. That shows in the padding index of the table of positions, which is looked up in a model
    without weights.
    """
    if getattr(config, "pad_token_id", None) is None:
        return 0
    auto: Any = AutoModel
    with torch.device("meta"):
        model = auto.from_config(config)
    for name, module in model.named_modules():
        if (
            isinstance(module, nn.Embedding)
            and "position" in name
            and module.num_embeddings == config.max_position_embeddings
            and module.padding_idx is not None
        ):
            return int(module.padding_idx) + 1
    return 0


def vocabulary(model: nn.Module) -> int | None:
    """How many ids a model has embeddings of; ``None`` where they are not rows of one table."""
    try:
        table = model.get_input_embeddings()  # type: ignore[operator]
    except (AttributeError, NotImplementedError):  # CANINE embeds hashes of its ids
        return None
    return table.num_embeddings if isinstance(table, nn.Embedding) else None


def check_ids(ids: npt.NDArray[np.int64], model: nn.Module, name: str) -> None:
    """Refuse ids that a model has no embeddings of.

    Args:
        ids: Of any shape, not empty.
        model: The model that looks them up.
        name: The model's name, for errors.

    Raises:
        UnsuitableModelError: If there is such an id.
    """
    largest, known = int(ids.max()), vocabulary(model)
    if known is not None and largest >= known:
        raise UnsuitableModelError(
            f"the tokenizer of {name} gives the id {largest}, but the model has embeddings of "
            f"{known} ids only",
            hint="The tokenizer is another model's, or has tokens that were added without resizing "
            "the model's embeddings.",
        )


def check_reads_texts(name: str, config: Any) -> None:
    """Refuse models of something else than texts, by their configuration alone.

    Args:
        name: The model's name, for errors.
        config: Its transformers configuration.

    Raises:
        UnsuitableModelError: If the model is one of images or sounds, or not one that transformers'
            AutoModel loads.
    """
    for sign in ("image_size", "vision_config"):
        if getattr(config, sign, None) is not None:
            raise UnsuitableModelError(
                f"{name} is a model of images (its configuration has {sign}), not of texts alone",
                hint="Encode images with hf_vision or hf_clip, and choose a language model here.",
            )
    kind = config.model_type
    found: Any = transformers.MODEL_MAPPING.get(type(config), None)
    # Funnel has two classes: with a decoder and without.
    model_class = found[0] if isinstance(found, (list, tuple)) else found
    if model_class is None:
        raise UnsuitableModelError(
            f"{name} ({kind}) is no model that transformers' AutoModel loads",
            hint="Choose a language model such as BERT, T5, GPT-2 or Llama.",
        )
    if model_class.main_input_name != "input_ids":
        raise UnsuitableModelError(
            f"{name} ({kind}) is a model of {model_class.main_input_name}, not of texts",
            hint="Choose a language model such as BERT, T5, GPT-2 or Llama.",
        )


def _run(tokenizer: Any, texts: list[str], **settings: Any) -> Any:
    return tokenizer(
        texts,
        padding=False,
        return_attention_mask=False,
        return_token_type_ids="token_type_ids" in fields(tokenizer),
        verbose=False,  # it would warn of texts that are longer than the model takes
        **settings,
    )


def _surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
