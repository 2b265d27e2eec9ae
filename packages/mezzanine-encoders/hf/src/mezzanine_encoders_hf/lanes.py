"""Forward passes side by side on a CPU.

Several passes of one thread each are faster than one pass of several threads: threads that share a
pass wait for each other at every layer, and parts of a pass are computed by one of them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import TypeVar

import torch

from mezzanine_encoders_hf.prefetch import in_order

T = TypeVar("T")
R = TypeVar("R")

_MOST = 8
"""Passes at once at most, as each needs memory of its own."""


def lanes(device: torch.device, *, compiled: bool = False) -> int:
    """How many forward passes to compute at once.

    One for each thread of a CPU. A GPU takes one pass after the other, and compiled code is not
    entered by two threads at once.
    """
    return 1 if compiled or device.type != "cpu" else min(_MOST, torch.get_num_threads())


def side_by_side(work: Callable[[T], R], items: Iterable[T], count: int) -> Generator[R]:
    """Results of forward passes, of which so many are computed at once.

    Close the generator when no more results are wanted.

    Args:
        work: A forward pass; with ``count`` above 1 it must be safe to run several times at once.
        items: What passes are made over; taken one after the other in the thread that iterates, up
            to ``2 * count`` ahead.
        count: How many passes at once. With 1 nothing is taken ahead and there are no threads.

    Yields:
        What each pass gives, in the order of the items.

    Raises:
        Exception: What a pass raises, in its turn.
    """
    if count == 1:
        yield from map(work, items)
        return
    threads = torch.get_num_threads()

    def share() -> None:
        torch.set_num_threads(max(1, threads // count))

    try:
        with closing(
            in_order(work, items, threads=count, ahead=2 * count, prepare=share)
        ) as results:
            yield from results
    finally:
        # torch keeps what a thread has set for itself as the default of threads yet to come.
        torch.set_num_threads(threads)
