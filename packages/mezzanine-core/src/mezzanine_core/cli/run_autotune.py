"""What ``mezz run RECIPE`` does: run it or, with ``--autotune``, tune it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mezzanine_core.cli.run_command import Verb
from mezzanine_core.cli.run_flags import GENERAL
from mezzanine_core.cli.run_recipe import RunRequest, run_recipe
from mezzanine_core.plugins.registry import Registry

_AUTOTUNE = typer.Option(
    "--autotune",
    help="Look for settings under which the experiment is hard but not dead, in the recipe's own "
    "space; `mezz tune` has more to say",
    rich_help_panel=GENERAL,
)


def _run(registry: Registry, request: RunRequest, given: Mapping[str, Any]) -> None:
    if not given["autotune"]:
        run_recipe(registry, request)
        return
    from mezzanine_core.cli.tune import tune_recipe

    tune_recipe(registry, request, {})


RUN = Verb(
    run=_run,
    last=(
        inspect.Parameter(
            "autotune",
            inspect.Parameter.KEYWORD_ONLY,
            default=False,
            annotation=Annotated[bool, _AUTOTUNE],
        ),
    ),
)
"""What ``mezz run`` does with a recipe."""
