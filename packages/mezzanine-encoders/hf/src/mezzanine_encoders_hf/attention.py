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

_SCORES_BYTES = 1024 * 1024
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
        queries, keys, values = (part.flatten(0, 1) for part in (query, key, value))
        pairs = torch.cartesian_prod(torch.arange(items), torch.arange(heads))
        result = queries.new_empty(len(pairs), length, values.shape[2])
        together = max(1, _SCORES_BYTES // (length * keys.shape[1] * query.itemsize))
        scores = queries.new_empty(min(together, len(pairs)), length, keys.shape[1])
        for start in range(0, len(pairs), together):
            part = slice(start, start + together)
            added = None if bias is None else _of_pairs(bias, pairs[part], heads)
            some = scores[: len(pairs[part])]
            _score(queries[part], keys[part], added, scale, out=some)
            torch.bmm(_softmax(some), values[part], out=result[part])
        return result.view(items, heads, length, -1)

    def _as_bias(self, mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """What is added to scores, [B, 1 or H, 1 or S, T]; kept, as layers share their mask."""
        if self._bias is None or self._mask is not mask:
            self._mask = mask
            if mask.shape[2] > 1 and bool((mask == mask[:, :, :1]).all()):
                mask = mask[:, :, :1]  # that of padding, which is the same for every query
            self._bias = mask
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


def _of_pairs(bias: torch.Tensor, pairs: torch.Tensor, heads: int) -> torch.Tensor:
    """The bias of pairs of an item and a head, int64 [N, 2]: [N, 1 or S, T]."""
    return bias.expand(-1, heads, -1, -1)[pairs[:, 0], pairs[:, 1]]


def _score(
    queries: torch.Tensor,
    keys: torch.Tensor,
    bias: torch.Tensor | None,
    scale: float,
    *,
    out: torch.Tensor,
) -> None:
    """Scaled products of queries and keys, plus the bias: [N, S, T]."""
    if bias is None:
        torch.baddbmm(out, queries, keys.transpose(1, 2), beta=0, alpha=scale, out=out)
    else:
        torch.baddbmm(bias, queries, keys.transpose(1, 2), alpha=scale, out=out)


def _softmax(scores: torch.Tensor) -> torch.Tensor:
    """Softmax of each row by oneDNN, in half of the time that torch's own takes."""
    return torch.softmax(scores.to_mkldnn(), dim=-1).to_dense()
