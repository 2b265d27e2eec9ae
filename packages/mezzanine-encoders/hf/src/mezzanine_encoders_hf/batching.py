"""Which texts are computed together.

Texts of a batch are padded to its longest, and padding costs as much as text. So texts are taken
longest first, and as many at a time as a budget of tokens has room for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
"""Indices of texts, int64 [n]."""

_WINDOW_FLOPS = {"cpu": 3e12, "cuda": 1e15}
"""What is computed between two commits: some seconds' worth."""

_MOST_TOKENS = 1 << 20
"""Tokens of a window at most, however small the model, so that memory stays bounded."""


def longest_first(lengths: npt.ArrayLike) -> Rows:
    """Indices of texts by length, longest first; texts of one length stay in their order.

    Args:
        lengths: Tokens of each text, [n].
    """
    return np.argsort(-np.asarray(lengths, np.int64), kind="stable")


def token_batches(lengths: npt.ArrayLike, budget: Callable[[], int]) -> Iterator[Rows]:
    """Batches of texts of similar length, longest first.

    Args:
        lengths: Tokens of each text, [n], at least 1 each.
        budget: Tokens that a batch may have, its padding included. Asked before each batch, so that
            it can shrink on the way.

    Yields:
        Indices of the texts of a batch, longest first; each index comes once. Rows times longest
        is within the budget, but for a single text that exceeds it alone.
    """
    counts = np.asarray(lengths, np.int64)
    order = longest_first(counts)
    start = 0
    while start < len(order):
        rows = max(1, budget() // int(counts[order[start]]))
        yield order[start : start + rows]
        start += rows


def window_tokens(parameters: int, device: str) -> int:
    """How many tokens to gather before the first of them is encoded.

    The more there are, the more alike are the lengths within a batch, and the later come the first
    latents. This many take a model some seconds, at 2 operations a parameter and token.

    Args:
        parameters: Parameters that a token is multiplied with.
        device: The type of a torch device, such as ``cpu`` or ``cuda``.
    """
    flops = _WINDOW_FLOPS.get(device, _WINDOW_FLOPS["cuda"])
    return max(1, min(_MOST_TOKENS, int(flops / (2 * max(1, parameters)))))
