"""Logits of a few tokens of a causal language model, without those of all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from mezzanine_encoders_hf.errors import UnsuitableModelError

_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
"""Settings of models that send each token to a few of many experts."""

_ROUNDING_OF_EXPERTS = 4
"""By how many units of the last place their logits may differ, over the largest."""


class LogitsAt:
    """Logits of chosen tokens, without computing those of all others.

    The model's own forward pass runs as it is; just before its output layer all tokens but the
    chosen ones are dropped. So whatever a model does to its logits (scaling, soft caps) is done.
    Whether that works for a model is checked once; where not, all logits are computed and the
    chosen ones picked.

    Args:
        model: A causal language model, in evaluation mode.
        probe: What its ``forward`` takes, for two rows of the same tokens but for the last, without
            padding and at least four tokens long.
        name: The model's name, for errors.

    Attributes:
        narrow: Whether only the chosen tokens' logits are computed.
        vocabulary: How many logits a token has.

    Raises:
        UnsuitableModelError: If a token's logits depend on tokens that come after it, so that the
            model is no causal one.
    """

    def __init__(self, model: nn.Module, probe: Mapping[str, Any], name: str) -> None:
        self._model = model
        whole = self._whole(probe)
        if not self._is_causal(probe, whole):
            raise UnsuitableModelError(
                f"{name} is no causal language model: what it says depends on what comes after",
                hint="For hidden states of an encoder model use hf_language.",
            )
        self.vocabulary = whole.shape[-1]
        self._head = self._find_head()
        self.narrow = self._head is not None and self._works(probe, whole)

    def __call__(
        self, rows: torch.Tensor, columns: torch.Tensor, inputs: Mapping[str, Any]
    ) -> torch.Tensor:
        """The logits of what follows the chosen tokens.

        Args:
            rows: int64 [k], in which row of the batch each chosen token is.
            columns: int64 [k], at which place in its row.
            inputs: What the model's ``forward`` takes, on its device.

        Returns:
            [k, vocabulary], in the model's dtype.
        """
        if not self.narrow:
            return self._whole(inputs)[rows, columns]
        return self._chosen(rows, columns, inputs)

    @torch.inference_mode()
    def _whole(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        logits: torch.Tensor = self._model(**inputs).logits
        return logits

    def _chosen(
        self, rows: torch.Tensor, columns: torch.Tensor, inputs: Mapping[str, Any]
    ) -> torch.Tensor:
        def drop(_module: nn.Module, args: Any) -> Any:
            return (args[0][rows, columns].unsqueeze(0), *args[1:])

        assert self._head is not None
        handle = self._head.register_forward_pre_hook(drop)
        try:
            return self._whole(inputs).squeeze(0)
        finally:
            handle.remove()

    def _is_causal(self, probe: Mapping[str, Any], whole: torch.Tensor) -> bool:
        """Whether the last token leaves what is said of those before it as it is, bit for bit.

        The rows swap places for that: so the same sums are run in the same places, and no rounding
        is to be told from a model that reads but little of what comes after.
        """
        swapped = self._whole(
            {
                name: value.flip(0) if isinstance(value, torch.Tensor) else value
                for name, value in probe.items()
            }
        )
        # Experts are given other tokens then, so their sums are of other shapes.
        config = getattr(self._model, "config", None)
        experts = any(getattr(config, setting, None) for setting in _EXPERTS)
        tolerance = _ROUNDING_OF_EXPERTS * torch.finfo(whole.dtype).eps if experts else 0.0
        return not differ(swapped[:, :-1], whole[:, :-1], tolerance)

    def _find_head(self) -> nn.Module | None:
        head = self._model.get_output_embeddings()  # type: ignore[operator]
        return head if isinstance(head, nn.Module) else None

    def _works(self, probe: Mapping[str, Any], whole: torch.Tensor) -> bool:
        rows, columns = (torch.tensor(at, device=whole.device) for at in ([0, 1, 1], [2, 0, 3]))
        try:
            chosen = self._chosen(rows, columns, probe)
        except (RuntimeError, IndexError):  # an output layer that is given something else
            return False
        return not differ(chosen, whole[rows, columns])


def differ(one: torch.Tensor, other: torch.Tensor, tolerance: float | None = None) -> bool:
    """Whether two results differ by more than rounding, where both are numbers.

    Args:
        one: Of any shape.
        other: Of the same shape, else they differ.
        tolerance: What is rounding, over the largest value of ``other``. By default what the same
            sums in another order leave: 1e-5, or where the dtype is coarser its precision (0.8% in
            bfloat16).
    """
    if one.shape != other.shape:
        return True
    if tolerance is None:
        tolerance = max(torch.finfo(one.dtype).eps, 1e-5)
    one, other = one.float(), other.float()
    numbers = other[other.isfinite()]
    if not numbers.numel():
        return False
    return bool(((one - other).abs() > tolerance * numbers.abs().max()).any())
