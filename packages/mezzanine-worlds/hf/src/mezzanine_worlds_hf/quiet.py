"""Keeping the libraries of Hugging Face from drawing progress bars while they work for a world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_bars() -> Iterator[None]:
    """Turn the progress bars of ``datasets`` and the hub off, and back on if they were."""
    import datasets
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    data_bars = datasets.are_progress_bars_disabled()
    hub_bars = are_progress_bars_disabled()
    datasets.disable_progress_bars()
    disable_progress_bars()
    try:
        yield
    finally:
        if not data_bars:
            datasets.enable_progress_bars()
        if not hub_bars:
            enable_progress_bars()
