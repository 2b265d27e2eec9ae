"""``mezz tune``: look for settings under which an experiment is hard but not dead."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Annotated, Any

import typer

from mezzanine_core.cli.run import RunGroup
from mezzanine_core.errors import ConfigError
from mezzanine_core.plugins import Registry

TUNING = "Tuning"
"""Title of the flags that say what is searched."""

_TRIALS = 20
_RUNGS = 2
_DISAGREEMENT = 0.5
_WORKERS = "Trials that run at once, each in a process of its own; one by default"


class TuneGroup(RunGroup):
    """Lists recipes; builds a recipe's command, with the flags of tuning, when it is called."""

    def build(self, registry: Registry, name: str, rest: list[str]) -> Any:
        """The command that tunes a recipe."""
        from mezzanine_core.cli.run_command import Verb, build_command

        verb = Verb(run=tune_recipe, first=tuple(_flags()), help={"workers": _WORKERS})
        return build_command(registry, name, rest, verb)


tune_app = typer.Typer(
    cls=TuneGroup,
    rich_markup_mode=None,
    add_completion=False,
    help="Look for settings under which an experiment is hard but not dead.",
    epilog="`mezz tune RECIPE --help` shows what says what is searched, and the recipe's settings.",
)


def _flags() -> list[inspect.Parameter]:
    """The flags of tuning itself."""

    def option(kind: Any, text: str, metavar: str | None, *names: str) -> inspect.Parameter:
        made = typer.Option(*names, help=text, metavar=metavar, rich_help_panel=TUNING)
        return inspect.Parameter(
            names[0].removeprefix("--").replace("-", "_"),
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[kind | None, made],
        )

    own = "the recipe's own by default"
    return [
        option(
            list[str],
            "A setting to search: NAME=LOW:HIGH, NAME=LOW:HIGH:log, NAME=LOW:HIGH:STEP or "
            f"NAME=A|B|C; may come again; {own}",
            "NAME=RANGE",
            "--space",
        ),
        option(
            str,
            f"Figure that must lie within --range, as no_action.r@10; {own}",
            "NAME",
            "--baseline",
        ),
        option(
            str,
            f"Where the baseline may lie: above is too easy, below is dead; {own}",
            "LOW:HIGH",
            "--range",
        ),
        option(
            str,
            f"Figure that is maximised, as action_minus_no_action.r@10; {own}",
            "NAME",
            "--effect",
        ),
        option(
            int,
            f"Points to try, those of earlier commands in --out included  [default: {_TRIALS}]",
            None,
            "--trials",
        ),
        option(
            list[str],
            f"A setting that makes a pilot cheap, as n_train=500; may come again; none: no pilots; "
            f"{own}",
            "NAME=VALUE",
            "--pilot",
        ),
        option(
            int,
            "Runs of a trial that is never stopped, from the pilot to the full run; a third goes "
            f"on from each  [2 <= x <= 10; default: {_RUNGS}]",
            None,
            "--rungs",
        ),
        option(
            float,
            "Largest standard deviation of the effect over seeds, as a share of the effect  "
            f"[x > 0; default: {_DISAGREEMENT}]",
            None,
            "--disagreement",
        ),
    ]


def tune_recipe(registry: Registry, request: Any, given: Mapping[str, Any]) -> None:
    """Tune a recipe, or say what would be tuned, and print what came out.

    Args:
        registry: The installed plugins.
        request: The recipe and its fixed settings.
        given: The flags of tuning.

    Raises:
        MezzError: If something cannot be tuned so, or every trial fails.
    """
    from mezzanine_core.cli.run_recipe import run_settings
    from mezzanine_core.cli.tune_report import print_tuning, print_tuning_plan
    from mezzanine_core.config.resolve import resolve
    from mezzanine_core.progress import Progress
    from mezzanine_core.tuning.plan import make_plan
    from mezzanine_core.tuning.tuner import check_dependencies, check_directory, tune

    sources = {"file": request.file, "environ": os.environ, "flags": request.flags}
    resolved = resolve(registry, request.recipe, **sources)
    check_directory(resolved.options.out)
    with redirect_stdout(sys.stderr):
        plan = make_plan(registry, request.recipe, tuning_request(resolved, given), **sources)
    if request.dry_run:
        print_tuning_plan(plan, as_json=request.as_json)
        return
    check_dependencies()
    base = run_settings(resolved, request.command)
    with redirect_stdout(sys.stderr), Progress() as progress:
        record, out = tune(
            plan,
            base,
            registry,
            progress,
            environ=os.environ,
            parallel=resolved.options.workers or 1,
        )
    print_tuning(record, out, as_json=request.as_json)


def tuning_request(resolved: Any, given: Mapping[str, Any]) -> Any:
    """What is asked for: by flags, and where these are silent by the recipe.

    Raises:
        ConfigError: If neither says it, or ``--range`` is malformed.
    """
    from mezzanine_core.runs.instances import construct
    from mezzanine_core.tuning.plan import TuningRequest

    own = construct(resolved.recipe, resolved.config).tunable()
    space, pilot = tuple(given.get("space") or ()), tuple(given.get("pilot") or ())
    own_space, own_pilot = own is not None and not space, own is not None and not pilot
    within = _within(given.get("range"))
    baseline, effect = given.get("baseline"), given.get("effect")
    if own is not None:
        baseline, effect = baseline or own.baseline, effect or own.effect
        within = within or (own.low, own.high)
        space, pilot = space or own.space, pilot or own.pilot
    if baseline is None or effect is None or within is None or not space:
        values = {"--space": space, "--baseline": baseline, "--range": within, "--effect": effect}
        missing = [name for name, value in values.items() if not value]
        raise ConfigError(
            f"{resolved.recipe.spec.name} does not say by itself what to tune; missing: "
            f"{', '.join(missing)}",
            hint="For example: --space n_train=100:3000:log --baseline no_action.r@10 "
            "--range 0.05:0.6 --effect action_minus_no_action.r@10",
        )
    numbers = {name: given.get(name) for name in ("trials", "rungs", "disagreement")}
    return TuningRequest(
        space=space,
        baseline=baseline,
        low=within[0],
        high=within[1],
        effect=effect,
        pilot=() if pilot == ("none",) else pilot,
        own_space=own_space,
        own_pilot=own_pilot,
        **{name: value for name, value in numbers.items() if value is not None},
    )


def _within(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    low, colon, high = text.partition(":")
    try:
        if not colon:
            raise ValueError
        return float(low), float(high)
    except ValueError:
        raise ConfigError(f"--range {text}: is not of the form LOW:HIGH") from None
