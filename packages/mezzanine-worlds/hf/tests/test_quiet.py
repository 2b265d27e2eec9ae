import datasets
import pytest
from huggingface_hub.utils import are_progress_bars_disabled

from mezzanine_worlds_hf.quiet import without_bars


@pytest.mark.parametrize("enabled", [True, False])
def test_progress_bars_are_as_they_were_afterwards(enabled: bool) -> None:
    if not enabled:
        datasets.disable_progress_bars()
    try:
        with without_bars():
            assert datasets.are_progress_bars_disabled()
            assert are_progress_bars_disabled()
        assert datasets.are_progress_bars_disabled() is not enabled
    finally:
        datasets.enable_progress_bars()
