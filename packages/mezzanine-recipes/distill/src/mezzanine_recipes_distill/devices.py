"""Which torch device a run computes on."""

from __future__ import annotations

import torch

from mezzanine_core.errors import ConfigError


def resolve_device(name: str) -> torch.device:
    """The torch device that a run's ``--device`` names.

    Args:
        name: ``auto`` (CUDA where there is one, else the CPU), ``cpu``, ``mps``, ``cuda`` or
            ``cuda:N``.

    Raises:
        ConfigError: If there is no such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device {name!r} is not one that torch knows") from error
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise ConfigError(
                f"device {name!r} is not there: torch {torch.__version__} sees {count} CUDA "
                "devices",
                hint="Use `--device cpu`, or install a CUDA build of torch and its driver.",
            )
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError(f"device {name!r} is not there", hint="Use `--device cpu`.")
    return device
