"""Work that goes on beside the device: preparing what it takes, bringing back what it gives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    work: Callable[[T], R],
    items: Iterable[T],
    *,
    threads: int,
    ahead: int,
    prepare: Callable[[], None] | None = None,
) -> Generator[R]:
    """Results of work on items, which threads begin before they are asked for.

    Close the generator when no more results are wanted: it ends its threads, which may take as long
    as the work on one item.

    Args:
        work: What the threads do with an item; it must be safe to run several times at once.
        items: Taken in the thread that iterates, at most ``ahead`` more than results were given.
        threads: How many items are worked on at once, at least 1.
        ahead: How many items are taken ahead, at least 1.
        prepare: What each thread does before its first item.

    Yields:
        The result for each item, in the order of the items.

    Raises:
        Exception: What the work on an item raises, or taking it, in its turn: after the results for
            all items before it.
    """
    waiting: deque[Future[R]] = deque()
    source = iter(items)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="mezz-prefetch", initializer=prepare)

    def take() -> bool:
        """Begin the work on one more item, if there is one."""
        try:
            waiting.append(pool.submit(work, next(source)))
        except StopIteration:
            return False
        except Exception as error:  # noqa: BLE001 - raised in its turn
            failed: Future[R] = Future()
            failed.set_exception(error)
            waiting.append(failed)
            return False
        return True

    try:
        more = True
        while True:
            while more and len(waiting) < ahead:
                more = take()
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Landing:
    """A tensor on its way to the CPU.

    Work that the device was given before goes on first, work that it is given after does not delay
    it.

    Args:
        tensor: On any device.
    """

    def __init__(self, tensor: torch.Tensor) -> None:
        self._event: torch.cuda.Event | None = None
        self._host = tensor
        if tensor.device.type == "cuda":
            self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record(torch.cuda.current_stream(tensor.device))

    def wait(self) -> torch.Tensor:
        """The tensor on the CPU, once it has arrived."""
        if self._event is not None:
            self._event.synchronize()
        return self._host
