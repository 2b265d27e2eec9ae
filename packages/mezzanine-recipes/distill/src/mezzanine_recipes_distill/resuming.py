"""Where the training of adapters is kept while a run lasts, and taken up from another run."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from mezzanine_core.context import RunContext
from mezzanine_core.errors import ConfigError
from mezzanine_recipes_distill.adapter_checkpoints import Checkpoints
from mezzanine_recipes_distill.artifacts import writing
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.inputs import Inputs

_log = logging.getLogger(__name__)

FOLDER = "checkpoints"
"""Folder of the checkpoints within a run directory; gone once the run has its students."""


class AdapterCheckpoints:
    """The checkpoints of the adapters of a run, one for each repetition.

    Args:
        config: The recipe's settings; ``resume`` names the run whose checkpoints are taken up.
        ctx: The run.
        inputs: What the run works on.

    Raises:
        ConfigError: If there is no directory to resume from.
    """

    def __init__(self, config: SymmetryDistillConfig, ctx: RunContext, inputs: Inputs) -> None:
        self._ctx = ctx
        self._config = config
        self._inputs = inputs
        self._taken_up = _earlier_run(config, ctx)
        self._made: list[Checkpoints] = []

    def of(self, repetition: int) -> Checkpoints | None:
        """Those of one repetition, with what the earlier run left; ``None`` without an adapter."""
        if "adapter" not in self._config.students:
            return None
        name = f"{FOLDER}/adapter-{repetition}.pt"
        path = self._ctx.artifact(name)
        if self._taken_up is not None:
            _take_up(self._taken_up / name, path)
        found = Checkpoints(
            path,
            {
                "encoder": self._inputs.encoder.fingerprint(),
                "world": self._inputs.world.fingerprint(),
                "seed": self._config.seed,
                "repetition": repetition,
            },
        )
        self._made.append(found)
        return found

    def remove(self) -> None:
        """Remove them all: the students are stored."""
        for one in self._made:
            one.remove()
        if self._made:
            with writing(self._ctx.out / FOLDER):
                (self._ctx.out / FOLDER).rmdir()


def _earlier_run(config: SymmetryDistillConfig, ctx: RunContext) -> Path | None:
    if config.resume is None:
        return None
    folder = config.resume.expanduser().absolute()
    # A run in the directory of an earlier one has moved that aside.
    if ctx.directory is not None and folder == ctx.directory.path and ctx.directory.moved:
        folder = ctx.directory.moved
    if not folder.is_dir():
        raise ConfigError(
            f"resume: there is no directory {folder}",
            hint="Name the directory of the run that was interrupted.",
        )
    return folder


def _take_up(source: Path, target: Path) -> None:
    if not source.is_file():
        _log.info("there is no %s to take up: that training begins anew", source)
        return
    with writing(target):
        shutil.copyfile(source, target)
    _log.info("taking up %s", source)
