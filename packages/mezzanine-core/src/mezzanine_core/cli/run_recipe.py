"""What ``mezz run RECIPE`` does once its arguments are read."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzanine_core.config.plugin_options import plugin_settings
from mezzanine_core.config.resolve import Resolved, resolve
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.runs.determinism import fix_threads

if TYPE_CHECKING:
    from mezzanine_core.runs.settings import RunSettings


@dataclass(frozen=True)
class RunRequest:
    """What the user asked for.

    Attributes:
        recipe: Name of a recipe or preset.
        file: Configuration file.
        flags: Values by name, as typed.
        dry_run: Whether to say only what would be done.
        as_json: Whether to print JSON.
        command: The command line, for the record.
    """

    recipe: str
    file: Path | None
    flags: Mapping[str, Any]
    dry_run: bool
    as_json: bool
    command: str


def run_recipe(registry: Registry, request: RunRequest) -> None:
    """Resolve a run, carry it out or plan it, and print what came out.

    Whatever a plugin prints meanwhile goes to stderr: stdout is for the outcome alone.

    Raises:
        MezzError: If a setting is wrong, or the run fails.
    """
    resolved = resolve(
        registry, request.recipe, file=request.file, environ=os.environ, flags=request.flags
    )
    if resolved.options.deterministic:
        # Before numpy is loaded, which is when it asks how many threads it may have.
        fix_threads()
    # Imported late, so that help and wrong settings are answered without numpy and the cache.
    from mezzanine_core.cli.run_report import print_plan, print_results
    from mezzanine_core.progress import Progress
    from mezzanine_core.runs.execution import execute
    from mezzanine_core.runs.planning import plan

    settings = run_settings(resolved, request.command)
    if request.dry_run:
        with redirect_stdout(sys.stderr), Progress() as progress, progress.stage("plan"):
            planned = plan(resolved, settings, registry, progress)
        print_plan(resolved, settings, planned, as_json=request.as_json)
        return
    with redirect_stdout(sys.stderr), Progress() as progress:
        record, out = execute(resolved, settings, registry, progress)
    print_results(record, out, as_json=request.as_json)


def run_settings(resolved: Resolved, command: str) -> RunSettings:
    """Where and how a resolved run runs."""
    from mezzanine_core.cache import default_cache_dir
    from mezzanine_core.runs.settings import RunSettings

    options = resolved.options
    return RunSettings(
        out=options.out,
        cache_dir=options.cache_dir or default_cache_dir(),
        device=options.device,
        workers=options.workers,
        trackers=options.log,
        executor=options.executor,
        plugin_settings=plugin_settings(options),
        deterministic=options.deterministic,
        command=command,
    )
