"""Ctrl-C that neither gets lost nor comes at the wrong moment.

Python raises ``KeyboardInterrupt`` wherever the main thread happens to be. Where that is a callback
from C, such as the drawing functions of a physics engine, the exception cannot pass: it is printed
and dropped, and the program goes on.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let a short piece of work finish: a Ctrl-C that comes meanwhile is raised at its end.

    For calls that come back into Python from C, and for tidying up. It costs some microseconds.

    Raises:
        KeyboardInterrupt: At the end of the block, if Ctrl-C was pressed within.
    """
    handler = _handler()
    if handler is None:
        yield
        return
    came: list[FrameType | None] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(signal.SIGINT, came[0])


@contextmanager
def interrupts_kept() -> Iterator[Callable[[], None]]:
    """Remember a Ctrl-C within a long piece of work, in case that it gets lost.

    Yields:
        A function to be called now and then, which raises ``KeyboardInterrupt`` if Ctrl-C was
        pressed and did not end the work.
    """
    handler = _handler()
    if handler is None:
        yield lambda: None
        return
    came = threading.Event()

    def remember(number: int, frame: FrameType | None) -> None:
        came.set()
        handler(number, frame)

    def check() -> None:
        if came.is_set():
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, remember)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, handler)


def _handler() -> _Handler | None:
    """What answers Ctrl-C now, or ``None`` where nothing does or this thread may not say what."""
    if threading.current_thread() is not threading.main_thread():
        return None
    handler = signal.getsignal(signal.SIGINT)
    return handler if callable(handler) else None
