"""Forward passes that run out of memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self, TypeVar

import torch


class Sliceable(Protocol):
    """Items that can be parted, such as a list or a tensor."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> Self: ...


T = TypeVar("T", bound=Sliceable)

# Where memory runs out elsewhere than in torch's CUDA allocator, a plain RuntimeError has one of
# these in it. The last of the CPU's is oneDNN's, when there is no room left for the code that it
# makes for a shape.
_SIGNS = (
    "DefaultCPUAllocator",
    "not enough memory",
    "can't allocate memory",
    "could not create a primitive",
    "out of memory",
    "STATUS_ALLOC_FAILED",
)


def split_when_short(
    forward: Callable[[T], torch.Tensor], items: T, shorten: Callable[[int], None]
) -> list[torch.Tensor]:
    """Forward passes over a batch, halved as often as it takes for them to fit into memory.

    Args:
        forward: What is run on (a part of) the batch.
        items: The batch: something with a length that can be sliced.
        shorten: Called with the length of a part that did not fit, before its halves are tried.

    Returns:
        What ``forward`` gave for each part, in order.

    Raises:
        RuntimeError: If a single item does not fit, as torch raised it.
    """
    try:
        return [forward(items)]
    except (RuntimeError, MemoryError) as error:
        if len(items) == 1 or not is_short_of_memory(error):
            raise
    # Outside of the handler, where the exception no longer holds on to the tensors of the pass.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    shorten(len(items))
    half = (len(items) + 1) // 2
    return [
        *split_when_short(forward, items[:half], shorten),
        *split_when_short(forward, items[half:], shorten),
    ]


def is_short_of_memory(error: BaseException) -> bool:
    """Whether an exception says that the device's or the machine's memory does not suffice."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)
    )
