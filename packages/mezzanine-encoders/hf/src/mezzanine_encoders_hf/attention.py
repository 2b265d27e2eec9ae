"""Attention in bfloat16 by two matrix products, where torch's fused kernel falls short of them.

The fused kernel of torch keeps scores out of memory, which is what counts on a GPU. Where the
scores of a text fit into the processor's cache its small tiles are what it costs: for MiniLM at 256
tokens one thread of an AMD EPYC (Zen 5) takes 1.5 ms a text and layer, and 0.8 by plain products.
Scores are rounded to bfloat16 here before the softmax, as in the "eager" attention of transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_SCORES_BYTES = 2 * 1024 * 1024
"""Scores that are computed at once: they should stay in the processor's cache."""


class PlainAttention(TorchFunctionMode):
    """While it is entered, ``scaled_dot_product_attention`` computes by plain products.

    What it does not cover (other dtypes and devices, causal flags, dropout, grouped queries,
    gradients) computes as before. One is entered by one thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self._mask: torch.Tensor | None = None
        self._bias: torch.Tensor | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """See ``torch.overrides``."""
        given = kwargs or {}
        if func is functional.scaled_dot_product_attention and _covers(*args, **given):
            return self._attend(*args, **given)
        return func(*args, **given)

    def _attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        *,
        scale: float | None = None,
        **_: Any,
    ) -> torch.Tensor:
        """Attention of bfloat16 [B, H, S, D] queries to [B, H, T, D] keys: [B, H, S, D]."""
        items, heads, length, width = query.shape
        bias = None if attn_mask is None else self._as_bias(attn_mask, query.dtype)
        scale = width**-0.5 if scale is None else scale
        # In the order in which the model goes on with them: heads of a token side by side.
        result = query.new_empty(items, length, heads, value.shape[3])
        rows = max(1, _SCORES_BYTES // (heads * length * key.shape[2] * query.itemsize))
        for start in range(0, items, rows):
            part = slice(start, start + rows)
            scores = _scores(query[part], key[part], None if bias is None else bias[part], scale)
            weights = torch.softmax(scores, dim=-1)
            attended = torch.bmm(weights, value[part].flatten(0, 1))
            result[part] = attended.view(-1, heads, length, value.shape[3]).transpose(1, 2)
        return result.transpose(1, 2)

    def _as_bias(self, mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """What is added to scores, [B, 1 or H, 1 or S, T]; kept, as layers share their mask."""
        if self._bias is None or self._mask is not mask:
            self._mask, self._bias = mask, mask
            if mask.dtype == torch.bool:
                least = torch.finfo(dtype).min
                self._bias = mask.new_zeros(mask.shape, dtype=dtype).masked_fill_(~mask, least)
        return self._bias


def _covers(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    enable_gqa: bool = False,
    **_: Any,
) -> bool:
    parts = [query, key, value]
    if attn_mask is not None and attn_mask.dtype != torch.bool:
        parts.append(attn_mask)
    return (
        all(part.dtype == torch.bfloat16 and part.device.type == "cpu" for part in parts)
        and query.ndim == 4
        and query.shape[:2] == key.shape[:2]
        and (attn_mask is None or (attn_mask.ndim == 4 and len(attn_mask) == len(query)))
        and dropout_p == 0
        and not (is_causal or enable_gqa or torch.is_grad_enabled())
    )


def _scores(
    query: torch.Tensor, key: torch.Tensor, bias: torch.Tensor | None, scale: float
) -> torch.Tensor:
    """Scaled products of queries and keys, plus the bias: [B · H, S, T]."""
    items, heads, length, _ = query.shape
    queries, keys = query.flatten(0, 1), key.flatten(0, 1).transpose(1, 2)
    if bias is None:
        return torch.baddbmm(query.new_empty(1), queries, keys, beta=0, alpha=scale)
    start = bias.expand(items, heads, length, keys.shape[2]).flatten(0, 1)
    return torch.baddbmm(start, queries, keys, alpha=scale)
