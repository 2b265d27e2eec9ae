"""Where the training of adapters is kept while a run lasts, and taken up from another run."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from mezzanine_core.context import RunContext
from mezzanine_core.errors import ConfigError
from mezzanine_core.files import TEMPORARY
from mezzanine_core.runs.state import PREVIOUS
from mezzanine_recipes_distill.adapter_checkpoints import Checkpoints
from mezzanine_recipes_distill.artifacts import writing
from mezzanine_recipes_distill.config import SymmetryDistillConfig
from mezzanine_recipes_distill.inputs import Inputs

_log = logging.getLogger(__name__)

FOLDER = "checkpoints"
"""Folder of the checkpoints within a run directory; gone once the run has its students."""


class AdapterCheckpoints:
    """The checkpoints of the adapters of a run, one for each repetition.

    Those of an earlier run are all taken up at once, before anything else is done: should this run
    be killed as well, however early, its directory holds all that is to be resumed from.

    Args:
        config: The recipe's settings; ``resume`` names the run whose checkpoints are taken up.
        ctx: The run.

    Raises:
        ConfigError: If ``resume`` names no directory, or one without checkpoints of these
            repetitions, or no adapter is trained.
        OutputDirectoryError: If a checkpoint cannot be copied.
    """

    def __init__(self, config: SymmetryDistillConfig, ctx: RunContext) -> None:
        self._ctx = ctx
        self._config = config
        self._made: list[Checkpoints] = []
        if config.resume is not None:
            _take_up(config, ctx, _earlier_run(config.resume, ctx))

    def of(self, repetition: int, inputs: Inputs) -> Checkpoints | None:
        """That of one repetition, with what the earlier run left; ``None`` without an adapter.

        Args:
            repetition: Which one.
            inputs: What the run works on.
        """
        if "adapter" not in self._config.students:
            return None
        found = Checkpoints(
            self._ctx.artifact(_name(repetition)),
            {
                "encoder": inputs.encoder.fingerprint(),
                "world": inputs.world.fingerprint(),
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


def _name(repetition: int) -> str:
    return f"{FOLDER}/adapter-{repetition}.pt"


def _earlier_run(resume: Path, ctx: RunContext) -> Path:
    folder = resume.expanduser().absolute()
    # A run in the directory of an earlier one has moved that aside.
    if ctx.directory is not None and folder == ctx.directory.path and ctx.directory.moved:
        folder = ctx.directory.moved
    if not folder.is_dir():
        raise ConfigError(
            f"resume: there is no directory {folder}",
            hint="Name the directory of the run that was interrupted.",
        )
    return folder


def _take_up(config: SymmetryDistillConfig, ctx: RunContext, folder: Path) -> None:
    if "adapter" not in config.students:
        raise ConfigError(
            "resume takes up the training of the student `adapter`, which is not among students",
            hint="Leave resume out: heads are trained in no time. Or name adapter in students.",
        )
    names = [name for name in map(_name, config.seeds) if (folder / name).is_file()]
    if not names:
        others = sorted(path.name for path in (folder / FOLDER).glob("adapter-*.pt"))
        raise ConfigError(
            f"resume: {folder} holds no checkpoint of an adapter"
            + (f" of seeds={list(config.seeds)}, only {', '.join(others)}" if others else ""),
            hint="Name the directory of a run that was interrupted while it trained its adapter: a "
            f"finished run has removed its checkpoints, and earlier runs of a directory lie in its "
            f"folder {PREVIOUS}. Leave resume out to train anew.",
        )
    for name in names:
        _copy(folder / name, ctx.artifact(name))
        _log.info("taking up %s", folder / name)
    for repetition in config.seeds:
        if _name(repetition) not in names:
            _log.info("repetition %d was not begun: its training begins anew", repetition)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, all of it or nothing: a run that is killed leaves no damaged checkpoint."""
    temporary = target.with_name(f".{target.name}{TEMPORARY}")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source, temporary)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
