"""From the hidden state of each token to one vector for an item, in float32."""

from __future__ import annotations

import torch


def mean(tokens: torch.Tensor) -> torch.Tensor:
    """Mean over tokens: [B, S, D] of any dtype to float32 [B, D]."""
    return tokens.float().mean(dim=1)


def mean_std(tokens: torch.Tensor) -> torch.Tensor:
    """Mean and population standard deviation over tokens side by side: [B, S, D] to [B, 2·D].

    One token alone has standard deviation 0.
    """
    deviation, average = torch.std_mean(tokens.float(), dim=1, correction=0)
    return torch.cat([average, deviation], dim=1)


def masked_mean(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the tokens that count.

    Args:
        tokens: [B, S, D], any dtype.
        mask: int or bool [B, S], nonzero where a token counts, at least once in each row.

    Returns:
        float32 [B, D].
    """
    weights = mask.float().unsqueeze(-1)
    return (tokens.float() * weights).sum(dim=1) / weights.sum(dim=1)


def masked_mean_std(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean and population standard deviation over the tokens that count: float32 [B, 2·D].

    See :func:`masked_mean`.
    """
    average = masked_mean(tokens, mask)
    squares = (tokens.float() - average.unsqueeze(1)).square()
    variance = masked_mean(squares, mask)
    # The root has no gradient at 0, where a text of one token always is.
    flat = variance == 0
    deviation = variance.masked_fill(flat, 1.0).sqrt().masked_fill(flat, 0.0)
    return torch.cat([average, deviation], dim=1)


def last(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The last token that counts, wherever the padding is: float32 [B, D].

    See :func:`masked_mean`.
    """
    positions = torch.arange(mask.shape[1], device=mask.device)
    at = torch.where(mask.bool(), positions, -1).amax(dim=1)
    return tokens[torch.arange(len(tokens), device=tokens.device), at].float()


def first(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The first token that counts, wherever the padding is: float32 [B, D].

    See :func:`masked_mean`.
    """
    at = mask.bool().int().argmax(dim=1)
    return tokens[torch.arange(len(tokens), device=tokens.device), at].float()
