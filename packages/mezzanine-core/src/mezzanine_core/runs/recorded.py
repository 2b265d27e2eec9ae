"""Going back to a finished run: its record, and the recipe with the settings that it had."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from mezzanine_core.config.resolve import Resolved, resolve
from mezzanine_core.config.sources import variable
from mezzanine_core.errors import DataError, MissingDependencyError, UnknownNameError
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.history import read_results, read_run
from mezzanine_core.runs.state import RESULTS

_VARIABLES = frozenset(variable(name) for name in ("device", "cache_dir", "workers"))


def finished_record(folder: Path, purpose: str) -> RunRecord:
    """The record of the run in a directory.

    Args:
        folder: The run directory.
        purpose: What only a finished run does, for the hint.

    Raises:
        DataError: If the run has not finished, or its results cannot be read.
    """
    if (folder / RESULTS).exists():
        return read_results(folder / RESULTS)
    run = read_run(folder)
    because = f": {run.problem}" if run.problem else ""
    raise DataError(
        f"the run in {folder} has left no results; it is {run.outcome}{because}",
        hint=f"Only a run that has finished {purpose}.",
    )


def resolve_recorded(
    registry: Registry,
    record: RunRecord,
    options: Mapping[str, str],
    environ: Mapping[str, str],
    again: Mapping[str, Any] | None = None,
) -> Resolved:
    """The recipe of a run with the settings that it had.

    Args:
        registry: The installed plugins.
        record: What the run left behind.
        options: Options of a run by name (``device``, ``cache_dir``), as typed.
        environ: Environment variables: those of options of a run are read, such as
            ``MEZZ_DEVICE``; settings of the recipe are those of the run, whatever these say.
        again: Options that the run had and that hold again, unless others are given.

    Raises:
        ConfigError: If the recipe does not take its settings (it was of another version then), or
            an option is wrong.
        MissingDependencyError: If the recipe or a component is not installed.
    """
    try:
        registry.get("recipe", record.recipe)
    except UnknownNameError as error:
        absent = [name for name in record.versions if _is_absent(name)]
        raise MissingDependencyError(
            f"the run is one of the recipe {record.recipe!r}, which is not installed",
            hint=f"pip install {' '.join(absent)}"
            if absent
            else "The run's results.json lists the plugins that it had, as `versions`.",
        ) from error
    return resolve(
        registry,
        record.recipe,
        recorded={**record.config, **(again or {})},
        environ={name: text for name, text in environ.items() if name in _VARIABLES},
        flags=options,
    )


def _is_absent(distribution: str) -> bool:
    if distribution in ("python", "platform"):
        return False
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return True
    return False
