import pytest
import torch

from mezzanine_core.errors import ConfigError
from mezzanine_recipes_distill.devices import resolve_device


def test_cpu_is_always_there():
    assert resolve_device("cpu") == torch.device("cpu")


def test_auto_is_a_device_that_computes():
    torch.ones(2, device=resolve_device("auto")).sum()


@pytest.mark.parametrize("name", [f"cuda:{torch.cuda.device_count()}", "tpu", "cuda:x"])
def test_device_that_is_not_there_is_named(name):
    with pytest.raises(ConfigError, match=name):
        resolve_device(name)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has an MPS device")
def test_missing_mps_is_named():
    with pytest.raises(ConfigError, match="mps"):
        resolve_device("mps")
