"""Results that are the same bit for bit whenever a run is repeated on the same machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def determinism(wanted: bool) -> Iterator[None]:
    """Have torch compute deterministically in the block, on one thread, and set it back afterwards.

    Asks for deterministic algorithms (an operation that has none raises), without cuDNN's choice of
    the fastest by trial, and with one CPU thread, as sums that threads share out are rounded
    otherwise with another number of them. Torch's own generators are seeded, for code that draws
    from them rather than from the run's; their states are given back afterwards. Encoders that are
    called in the block compute under the same settings.

    cuBLAS reads ``CUBLAS_WORKSPACE_CONFIG`` once, when the process first multiplies on a GPU; it is
    set here unless it is set already.

    See https://docs.pytorch.org/docs/stable/notes/randomness.html.

    Args:
        wanted: Whether to do so; otherwise the block runs as it is.
    """
    if not wanted:
        yield
        return
    os.environ.setdefault(_CUBLAS, ":4096:8")
    cudnn = torch.backends.cudnn
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark, threads = cudnn.benchmark, torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.use_deterministic_algorithms(True)
        cudnn.benchmark = False
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before, warn_only=warn_only)
            cudnn.benchmark = benchmark
            torch.set_num_threads(threads)
