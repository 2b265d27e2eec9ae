"""What every run can be told besides the settings of its recipe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from mezzanine_core.config.models import MezzModel

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:[0-9]+)?")

DEVICES = ("auto", "cpu", "cuda", "mps")
"""Devices that need no number, for completion."""


class RunOptions(MezzModel):
    """Where and how a recipe runs: nothing that changes what comes out.

    They are given like the settings of a recipe: by flag, by environment (``MEZZ_DEVICE``) or in
    the configuration file. Relative paths start from the working directory, ``~`` is the home
    directory.
    """

    out: Path | None = Field(
        None, description="Run directory; by default runs/<recipe>/<time>-<fingerprint>"
    )
    cache_dir: Path | None = Field(
        None, description="Directory of the latent cache; by default the user's cache directory"
    )
    device: str = Field("auto", description="Torch device: auto, cpu, mps, cuda or cuda:N")
    log: tuple[str, ...] = Field(
        (), description="Experiment trackers to log to: jsonl, tensorboard, wandb, …"
    )
    deterministic: bool = Field(
        False, description="Same result bit for bit on the same machine; slower"
    )
    executor: str = Field("local", description="Where rendering and decoding run")
    workers: int | None = Field(
        None, ge=1, description="Parallel workers for rendering and decoding; all cores by default"
    )

    @field_validator("out", "cache_dir", mode="before")
    @classmethod
    def _not_empty(cls, given: Any) -> Any:
        if given == "":
            raise ValueError("the name is empty; the working directory is '.'")
        return given

    @field_validator("out", "cache_dir")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        try:
            return None if path is None else path.expanduser()
        except RuntimeError as error:
            raise ValueError(f"{str(path)!r} cannot be expanded: {error}") from error

    @field_validator("device")
    @classmethod
    def _known_device(cls, device: str) -> str:
        if not _DEVICE.fullmatch(device):
            raise ValueError(f"{device!r} is not a device; permitted: auto, cpu, mps, cuda, cuda:N")
        return device


RESERVED = frozenset(RunOptions.model_fields) | {
    *("config", "dry_run", "json", "debug", "help", "autotune")
}
"""Names of flags that every recipe's command has, which no setting's short name can be."""

TUNING = frozenset(
    {"space", "baseline", "range", "effect", "trials", "pilot", "rungs", "disagreement"}
)
"""Names of flags that the command has besides, where a recipe is tuned."""
