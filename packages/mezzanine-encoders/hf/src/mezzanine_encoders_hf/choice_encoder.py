"""A causal language model's answers as latents: log p(choice | prompt)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from torch import nn

from mezzanine_core.encoders import Encoder, Latents
from mezzanine_core.errors import ConfigError, DataError, LatentError
from mezzanine_core.worlds import Batch, ItemKind
from mezzanine_encoders_hf.config import HFChoicesConfig
from mezzanine_encoders_hf.tokens import as_texts

if TYPE_CHECKING:
    from mezzanine_encoders_hf.causal import HFCausalLM


class ChoiceEncoder(Encoder[HFChoicesConfig]):
    """An encoder of prompts: latents are log p(choice | prompt), in nats, one for each choice.

    They are what :meth:`~mezzanine_encoders_hf.causal.HFCausalLM.choice_log_probs` gives, in
    float32. The model is that of the encoder it is made from: it is loaded once, and moves with it.

    Prompts are gathered over the batches of a stream until there are enough to be sorted by length,
    and equal prompts of a stream are scored once. In float32 a prompt has the same latent within
    1e-5, over the largest value, whatever the prompts around it.

    Args:
        lm: The causal language model.
        choices: What may come after a prompt, at least one text, all different. One that is a new
            word begins with a space.

    Attributes:
        choices: As given.

    Raises:
        ConfigError: If the choices are not such.
    """

    accepts: ClassVar[frozenset[ItemKind]] = frozenset({"text"})

    def __init__(self, lm: HFCausalLM, choices: Sequence[str]) -> None:
        self.choices = _checked(choices)
        super().__init__(HFChoicesConfig(**lm.config.model_dump(), choices=self.choices))
        self._lm = lm

    @property
    def dim(self) -> int:
        """How many choices there are."""
        return len(self.choices)

    @property
    def model(self) -> nn.Module:
        """The language model's own model; loaded at first use of either."""
        return self._lm.model

    @property
    def batch_rows(self) -> int:
        """As many as the language model takes."""
        return self._lm.batch_rows

    def fingerprint(self) -> str:
        """Names the map: weights, tokenizer, choices, length limit and precision."""
        return self._lm.choice_fingerprint(self.choices)

    def to(self, device: str) -> Self:
        """Move to a torch device, and the language model with it."""
        self._lm.to(device)
        return self

    def encode(self, batch: Batch) -> Latents:
        """Score the choices after each prompt of a batch.

        Returns:
            float32 [B, choices], at most 0.

        Raises:
            DataError: If an item is no text, a choice adds no token to it or is longer than the
                model reads, or an item is empty and the tokenizer has no token to begin with.
            LatentError: If the model gives NaN, or no chance at all to a choice.
        """
        (latents,) = self.encode_stream([batch])
        broken = np.argwhere(~np.isfinite(latents))
        if len(broken):
            row, column = broken[0]
            raise LatentError(
                f"log p({self.choices[column]!r}) is {latents[row, column]} after item {row} of "
                f"the batch, as {self._lm.source.name} has it",
                hint="Choose other words: the model never says this one.",
            )
        return latents

    def encode_stream(self, batches: Iterable[Batch]) -> Iterator[Latents]:
        """Score batches of prompts that come one after the other.

        Batches are taken until their new prompts have as many tokens as a window. Where an item of
        a batch is no text, the latents of all batches before it are given first.

        Raises:
            DataError: As :meth:`encode`.
            LatentError: If the model gives NaN.
        """
        before = self._lm.choice_counts
        gathered = _Gathered()
        for batch in batches:
            try:
                new = gathered.take(as_texts(batch))
            except DataError:
                yield from self._score(gathered)
                raise
            gathered.size += int(self._lm.count_tokens(new).sum())
            if gathered.size >= self._lm.window:
                yield from self._score(gathered)
        yield from self._score(gathered)
        if self._lm.choice_counts != before:
            self._lm.scorer.say_since(before)

    def report(self) -> Mapping[str, Any]:
        """How the language model scored so far, for this and all other choices.

        Under ``choices`` are the counts of
        :meth:`~mezzanine_encoders_hf.causal.HFCausalLM.report`, and ``texts``: these choices.
        """
        report = dict(self._lm.report())
        del report["texts"]  # is about hidden states
        return {**report, "choices": {"texts": list(self.choices), **report["choices"]}}

    def _score(self, gathered: _Gathered) -> Iterator[Latents]:
        """Latents of the batches that were gathered."""
        if gathered.new:
            scores = self._lm.scorer.score(list(gathered.new.values()), self.choices)
            gathered.known.update(zip(gathered.new, scores.astype(np.float32), strict=True))
        batches = gathered.batches
        gathered.new, gathered.batches, gathered.size = {}, [], 0
        for keys in batches:
            yield np.array([gathered.known[key] for key in keys], np.float32).reshape(-1, self.dim)


@dataclass
class _Gathered:
    """Prompts of a stream, by their digests.

    Attributes:
        known: Latents of those that were scored.
        new: Those that are to be scored.
        batches: The prompts of each batch that is waited for.
        size: How many tokens the new ones have.
    """

    known: dict[bytes, Latents] = field(default_factory=dict)
    new: dict[bytes, str] = field(default_factory=dict)
    batches: list[list[bytes]] = field(default_factory=list)
    size: int = 0

    def take(self, texts: Sequence[str]) -> list[str]:
        """Take in a batch; gives those of its texts that are new."""
        keys = [blake2b(text.encode(), digest_size=16).digest() for text in texts]
        new = {
            key: text
            for key, text in zip(keys, texts, strict=True)
            if key not in self.known and key not in self.new
        }
        self.new |= new
        self.batches.append(keys)
        return list(new.values())


def _checked(choices: Sequence[str]) -> tuple[str, ...]:
    hint = "Give a sequence of texts, all different, such as [' no', ' yes']."
    if isinstance(choices, str):
        raise ConfigError(f"choices is one text, {choices!r}", hint=hint)
    texts: tuple[Any, ...] = tuple(choices)
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise ConfigError(f"choices={list(texts)} are not texts that can be scored", hint=hint)
    if len(set(texts)) < len(texts):
        raise ConfigError(f"choices={list(texts)} are not all different", hint=hint)
    return texts
