"""What core does for a run that must come out the same bit for bit: threads are fixed."""

from __future__ import annotations

import os

from mezzanine_core.builtin.worker import THREAD_VARIABLES


def fix_threads() -> None:
    """Have numerical libraries compute with one thread each, here and in workers.

    Sums that several threads share out are rounded otherwise with another number of threads. The
    libraries read their variables when they are loaded: numpy, if it is loaded already, keeps the
    threads that it has, which on one machine and under one environment are the same every time.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"
