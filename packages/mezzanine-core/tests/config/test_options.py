"""Where and how a recipe runs."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from mezzanine_core.config import RunOptions
from mezzanine_core.config.options import DEVICES


@pytest.mark.parametrize("device", [*DEVICES, "cuda:0", "cuda:12"])
def test_a_device_that_torch_could_have_is_taken(device):
    assert RunOptions(device=device).device == device


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CUDA", "", "cpu:0", " cpu"])
def test_other_devices_are_refused(device):
    with pytest.raises(ValidationError, match="is not a device"):
        RunOptions(device=device)


def test_the_home_directory_may_be_written_as_a_tilde():
    options = RunOptions(out="~/runs", cache_dir="~")
    assert (options.out, options.cache_dir) == (Path.home() / "runs", Path.home())
