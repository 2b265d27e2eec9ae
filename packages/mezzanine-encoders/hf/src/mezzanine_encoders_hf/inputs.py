"""Tokens as what a model's forward pass is given, and whether their padding changes anything."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import nn

from mezzanine_encoders_hf import tokens
from mezzanine_encoders_hf.logits import differ
from mezzanine_encoders_hf.tokens import Tokens

_PADDING_ROUNDING = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 5e-2}
"""What padding may change of a hidden state, over the largest value, to pass for rounding."""


class ModelInputs:
    """Makes the arguments of a model's forward pass from the tokens of texts.

    Args:
        model: The model.
        config: The transformers configuration of its checkpoint.
        tokenizer: Its tokenizer.
        name: Its name, for errors.

    Attributes:
        arguments: What the model's forward pass takes.
        name: As given.
    """

    def __init__(self, model: nn.Module, config: Any, tokenizer: Any, name: str) -> None:
        self.arguments = frozenset(inspect.signature(model.forward).parameters)
        self._model = model
        self._config = config
        self._tokenizer = tokenizer
        self.name = name

    def __call__(
        self, pieces: Sequence[Tokens], side: Literal["left", "right"], device: torch.device
    ) -> tuple[dict[str, Any], torch.Tensor]:
        """What the model is given for texts that are computed together.

        Args:
            pieces: Tokens of B texts, at least one.
            side: Where shorter texts are padded.
            device: Where the model is.

        Returns:
            The arguments, and int64 [B, S]: 1 where a token is text and 0 where it is padding.

        Raises:
            UnsuitableModelError: If the tokenizer's ids exceed the model's.
        """
        padding = self._tokenizer.pad_token_id
        # Whatever stands for padding is masked; GPT-2 and Llama have no token for it.
        values, mask = tokens.pad(pieces, side, 0 if padding is None else padding)
        tokens.check_ids(values[0], self._model, self.name)
        inputs: dict[str, Any] = {
            name: torch.from_numpy(value).to(device)
            for name, value in zip(tokens.fields(self._tokenizer), values, strict=True)
            if name in self.arguments
        }
        is_text = torch.from_numpy(mask.astype(np.int64)).to(device)
        if "attention_mask" in self.arguments:
            inputs["attention_mask"] = is_text
        if side == "left" and "position_ids" in self.arguments:
            counted = is_text.cumsum(dim=1) - 1
            inputs["position_ids"] = counted.clamp(min=0) + self._position_offset
        if "use_cache" in self.arguments:
            inputs["use_cache"] = False
        return inputs, is_text

    def of(self, copy: nn.Module) -> Self:
        """The same for a copy of the model."""
        return type(self)(copy, self._config, self._tokenizer, self.name)

    @cached_property
    def _position_offset(self) -> int:
        return tokens.position_offset(self._config)


def takes_padding(
    states: Callable[..., torch.Tensor],
    inputs: Callable[[Sequence[Tokens]], tuple[dict[str, Any], torch.Tensor]],
    probe: Sequence[Tokens],
    *,
    max_length: int,
    precision: torch.dtype,
) -> bool:
    """Whether a text is the same to a model alone and padded beside one twice as long.

    Args:
        states: Gives the hidden state, [B, S, D].
        inputs: Makes what it is given of the tokens of B texts, and int64 [B, S], 1 where a token
            is text.
        probe: Tokens of two texts of equal length.
        max_length: Tokens of a text at most.
        precision: What the model computes in.
    """
    text, other = probe
    length = min(text.shape[1], max_length // 2)
    if not length:
        return True  # all texts are of one token
    text = text[:, :length]
    longer = np.concatenate([other[:, :length]] * 2, axis=1)
    alone, _ = inputs([text])
    beside, mask = inputs([text, longer])
    padded = states(**beside)[0][mask[0].bool()]
    return not differ(padded, states(**alone)[0], _PADDING_ROUNDING[precision])
