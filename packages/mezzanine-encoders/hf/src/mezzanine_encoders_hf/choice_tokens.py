"""Which tokens are a prompt's and which are its choice's.

A tokenizer may put the end of the prompt and the beginning of the choice into one token; then no
cut through the tokens is the cut through the text. The definition here is that of
lm-evaluation-harness, made exact for that case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mezzanine_core.errors import DataError
from mezzanine_encoders_hf.errors import UnsuitableModelError

Ids = tuple[int, ...]
"""Ids of tokens that follow each other."""


class ScoredTokens(NamedTuple):
    """What the model reads and what it is asked for.

    Attributes:
        context: Tokens that the choice is conditioned on, at least one.
        choice: Tokens whose log-probabilities are summed, at least one.
        truncated: Whether tokens of the prompt were cut off.
        merged: Whether tokens of the prompt changed when the choice was appended, so that the
            choice's tokens hold some of the prompt's text.
    """

    context: Ids
    choice: Ids
    truncated: bool
    merged: bool


class ChoiceTokenizer:
    """Splits prompt and choice into the tokens conditioned on and the tokens scored.

    1. White space at the end of the prompt goes to the beginning of the choice.
    2. ``whole`` is the tokens of prompt and choice as one text, ``alone`` those of the prompt
       alone, both without special tokens. The longest beginning that ``whole`` and ``alone`` share
       is the context; the tokens of ``whole`` after it are the choice's. So where the choice
       changes how the prompt's end is split (``answ`` and ``er`` become one token), that end is
       scored along with the choice, and :attr:`ScoredTokens.merged` says so.
    3. What the tokenizer puts in front of each text (Llama's ``<|begin_of_text|>``) comes before
       the context, unless the text begins with it. If the context is empty nevertheless, it is the
       tokenizer's beginning-of-text token, or its end-of-text token if it has no other.
    4. The model reads all of this but the last token. If that is more than it can take, the
       context loses tokens on its left, after those of step 3.

    Args:
        tokenizer: A tokenizer of transformers.
        max_length: Most tokens that the model reads.
        name: The model's name, for errors.
    """

    def __init__(self, tokenizer: Any, max_length: int, name: str) -> None:
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._name = name
        self._front = self._find_front()

    def __call__(self, prompts: Sequence[str], choices: Sequence[str]) -> list[ScoredTokens]:
        """Tokens of pairs.

        Args:
            prompts: The prompt of each pair.
            choices: The choice of each pair.

        Raises:
            DataError: If a choice is empty or adds no token, if it is longer than the model can
                read, or if there is nothing to condition on.
        """
        if "" in choices:
            raise DataError(
                f"a choice after the prompt {_short(prompts[choices.index('')])} is empty"
            )
        bare = [prompt.rstrip() for prompt in prompts]
        whole = [prompt + choice for prompt, choice in zip(prompts, choices, strict=True)]
        ids = self._tokenize({*bare, *whole})
        return [
            self._split(ids[one], ids[both], choice)
            for one, both, choice in zip(bare, whole, choices, strict=True)
        ]

    def _split(self, alone: Ids, whole: Ids, text: str) -> ScoredTokens:
        if whole[: len(self._front)] != self._front:
            alone, whole = self._front + alone, self._front + whole
        shared = whole[: _shared_length(alone, whole)]
        choice = whole[len(shared) :]
        if not choice:
            raise DataError(f"the choice {_short(text)} adds no token to its prompt")
        context = self._cut(shared or self._start(), choice, text)
        return ScoredTokens(
            context,
            choice,
            truncated=len(context) < len(shared),
            merged=len(shared) < len(alone),
        )

    def _start(self) -> Ids:
        """What a choice is conditioned on where there is nothing before it."""
        for token in (self._tokenizer.bos_token_id, self._tokenizer.eos_token_id):
            if token is not None:
                return (token,)
        raise DataError(
            f"there is no prompt, and {self._name} has no token for the beginning of a text",
            hint="Give a prompt that is not empty.",
        )

    def _cut(self, context: Ids, choice: Ids, text: str) -> Ids:
        """What of the context there is room for before the choice."""
        front = len(self._front)
        room = self._max_length - (len(choice) - 1)
        if room < max(front, 1):
            raise DataError(
                f"the choice {_short(text)} has {len(choice)} tokens, and {self._name} reads no "
                f"more than {self._max_length}",
                hint="Shorten the choice, or raise max_length if the model can take more.",
            )
        if len(context) <= room:
            return context
        return context[:front] + context[len(context) - (room - front) :]

    def _tokenize(self, texts: Iterable[str]) -> dict[str, Ids]:
        texts = list(texts)
        found = self._tokenizer(
            texts, add_special_tokens=False, return_attention_mask=False, verbose=False
        )
        return {text: tuple(ids) for text, ids in zip(texts, found["input_ids"], strict=True)}

    def _find_front(self) -> Ids:
        """The special tokens that the tokenizer puts before a text."""
        dressed = tuple(self._tokenizer("a")["input_ids"])
        plain = self._tokenize(["a"])["a"]
        for start in range(len(dressed) - len(plain) + 1):
            if dressed[start : start + len(plain)] == plain:
                return dressed[:start]
        raise UnsuitableModelError(
            f"the tokenizer of {self._name} changes a text's own tokens where it adds special ones"
        )


def _shared_length(one: Ids, other: Ids) -> int:
    """How many ids two sequences share from their beginning."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))


def _short(text: str) -> str:
    """A text for an error, quoted."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
