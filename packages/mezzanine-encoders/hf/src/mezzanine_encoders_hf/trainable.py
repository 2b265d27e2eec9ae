"""A copy of an encoder of texts that can be trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mezzanine_core.worlds import Batch
from mezzanine_encoders_hf.config import Layer
from mezzanine_encoders_hf.depth import HiddenStates
from mezzanine_encoders_hf.inputs import ModelInputs
from mezzanine_encoders_hf.tokens import Tokens


class TrainableText:
    """The map of an encoder of texts, with gradients; core's ``Trainable``.

    The model computes in what the encoder does (float32 by default), on the device that its
    parameters are on. It comes in evaluation mode, all of its parameters asking for gradients.
    Adapters may be put into it in place, by peft's ``inject_adapter_in_model``, say. Where its
    gradient checkpointing is enabled, do so without reentrance
    (``gradient_checkpointing_enable({"use_reentrant": False})``): reentrant checkpoints give no
    gradients where what enters them asks for none, as with frozen embeddings.

    Args:
        model: The encoder's model, which is copied.
        layer: Which hidden state of it is pooled.
        inputs: Makes what its forward pass is given.
        probe: Tokens of a few texts, to try the copy with.
        pool: From a hidden state [B, S, D'] and int64 [B, S], 1 where a token is text, to float32
            [B, D].
        tokenise: From texts to the tokens of each.
        takes_padding: Whether the model takes no notice of padding. Where it does, only texts of
            equal length are computed together.

    Attributes:
        module: The copy.
        blocks: Dotted names of its blocks within it, as far as the layer that is read. None where
            there are no blocks that give hidden states one after the other (ALBERT), or none
            before the layer (``embed_layer`` 0).
    """

    def __init__(
        self,
        model: nn.Module,
        layer: Layer,
        inputs: ModelInputs,
        probe: Sequence[Tokens],
        *,
        pool: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        tokenise: Callable[[Batch], list[Tokens]],
        takes_padding: bool,
    ) -> None:
        with torch.inference_mode(mode=False):  # whose tensors would have no gradients ever after
            self.module = deepcopy(model).requires_grad_(requires_grad=True)
        self._inputs = inputs.of(self.module)
        self._states = HiddenStates(self.module, layer, self._given(probe)[0], inputs.name)
        names = {id(part): name for name, part in self.module.named_modules()}
        self.blocks: Sequence[str] = tuple(names[id(block)] for block in self._states.blocks())
        self._pool = pool
        self._tokenise = tokenise
        self._takes_padding = takes_padding

    def prepare(self, batch: Batch) -> list[Tokens]:
        """Tokens of texts, cut off as the encoder does.

        Raises:
            DataError: If an item is no text, or the tokenizer gives no token for it.
        """
        return self._tokenise(batch)

    def sizes(self, prepared: Sequence[Tokens]) -> npt.NDArray[np.int64]:
        """Tokens of each text, int64 [B]."""
        return np.array([piece.shape[1] for piece in prepared], np.int64)

    def features(self, prepared: Sequence[Tokens]) -> torch.Tensor:
        """Latents with gradients: float32 [B, D].

        In evaluation mode they are the encoder's, within 1e-5 in float32, as long as the parameters
        are what they were. In training mode dropout acts, where the model has any.

        Args:
            prepared: B texts as :meth:`prepare` gives them, at least one.
        """
        if self._takes_padding:
            return self._together(prepared)
        lengths = self.sizes(prepared)
        order = np.argsort(lengths, kind="stable")
        alike = np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1)
        latents = torch.cat([self._together([prepared[row] for row in rows]) for rows in alike])
        return latents[torch.from_numpy(np.argsort(order))]

    def _together(self, pieces: Sequence[Tokens]) -> torch.Tensor:
        inputs, mask = self._given(pieces)
        return self._pool(self._states.differentiable(**inputs), mask)

    def _given(self, pieces: Sequence[Tokens]) -> tuple[dict[str, Any], torch.Tensor]:
        """What the model's forward pass is given for these texts, and what of it is text."""
        return self._inputs(pieces, "right", next(self.module.parameters()).device)
