"""Builds the command of one recipe from the models of the recipe and its components."""

from __future__ import annotations

import inspect
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from mezzanine_core.cli.group import NamedUsage
from mezzanine_core.cli.run_flags import GENERAL, general_flags, setting_flags
from mezzanine_core.cli.run_recipe import RunRequest
from mezzanine_core.config.fields import Setting, normalise
from mezzanine_core.config.outline import Outline, outline
from mezzanine_core.config.sources import flag
from mezzanine_core.errors import ConfigError
from mezzanine_core.plugins.registry import Registry

_CONTEXT = {
    # What the parser does not know is judged together with the values, so that everything that is
    # wrong is said at once.
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "help_option_names": ["-h", "--help"],
    "token_normalize_func": lambda token: token.replace("_", "-"),
}


class RecipeCommand(NamedUsage, TyperCommand):
    """A command whose help has one section for the recipe and one for each component."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, section by section, in the order of their declaration."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                title = getattr(param, "rich_help_panel", None) or GENERAL
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


@dataclass(frozen=True)
class Verb:
    """What a command does with a recipe.

    Attributes:
        run: Called with the plugins, what was asked for, and the values of its own flags.
        first: Flags that stand before those of the recipe; their names are reserved.
        last: Flags that stand among those that every recipe has; their names are reserved.
        help: Setting of the run → what its help says in place of its description.
    """

    run: Callable[[Registry, RunRequest, Mapping[str, Any]], None]
    first: tuple[inspect.Parameter, ...] = ()
    last: tuple[inspect.Parameter, ...] = ()
    help: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Scan:
    """A first look at the arguments, before it is known which flags there are."""

    config: Path | None = None
    flags: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    help: bool = False


def build_command(registry: Registry, recipe: str, args: Sequence[str], verb: Verb) -> TyperCommand:
    """The command of a recipe, with the flags of the components that the arguments choose.

    Args:
        registry: The installed plugins.
        recipe: Name of a recipe or preset.
        args: The arguments after the recipe's name.
        verb: What the command does.

    Raises:
        MezzError: If there is no such recipe, its plugin is broken, or the configuration file
            cannot be read.
    """
    # The parser empties the list that it is given.
    args = tuple(args)
    scan = _scan(args)
    plan = outline(
        registry,
        recipe,
        file=scan.config,
        environ=os.environ,
        flags=scan.flags,
        reserved=[flag.name for flag in (*verb.first, *verb.last)],
    )
    settings = setting_flags(plan, registry, with_values=scan.help, texts=verb.help)

    def call(ctx: typer.Context, **given: Any) -> None:
        flags: dict[str, Any] = {}
        for each in settings:
            value = given[each.parameter.name]
            if value is not None and value != []:
                spellings = plan.index.spellings(each.setting)
                typed = [name for name in spellings if _typed(name, each.setting, scan)]
                # The parser has joined what was typed; only a name and an alias are told apart.
                names = {name.rpartition(".")[2]: name for name in reversed(typed)}
                flags |= dict.fromkeys(names.values() or spellings[:1], value)
        rest = _scan(ctx.args)
        _refuse_swallowed_flags(flags, args, plan)
        _refuse_words(rest.words)
        request = RunRequest(
            recipe=recipe,
            file=scan.config,
            flags=flags | rest.flags,
            dry_run=given["dry_run"],
            as_json=given["json"],
            command=shlex.join([*ctx.command_path.split(), *args]),
        )
        verb.run(registry, request, given)

    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [each.parameter for each in settings]
    signature = inspect.Signature([context, *verb.first, *parameters, *verb.last, *general_flags()])
    # Typer reads both.
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(
        plan.recipe.spec.name,
        cls=RecipeCommand,
        context_settings=_CONTEXT,
        help=_help(plan),
        epilog=_epilog(plan),
    )(call)
    return typer.main.get_command(app)  # type: ignore[return-value]


def _typed(name: str, setting: Setting, scan: _Scan) -> bool:
    switched_off = setting.shape.kind == "bool" and f"no_{name}" in scan.flags
    return name in scan.flags or switched_off


def _help(plan: Outline) -> str:
    """What the recipe does: its summary, and what its model says of itself."""
    words = inspect.cleandoc(plan.model.__base__.__doc__ or "") if plan.model.__base__ else ""
    return f"{plan.recipe.spec.summary}\n\n{words}".strip()


def _epilog(plan: Outline) -> str:
    notes = [". ".join(filter(None, (each.message, each.hint))) for each in plan.problems]
    return "\n\n".join(
        [
            "Dashes and underscores are the same in flags; lists are written with commas. Every "
            "setting can also stand in the file of --config, or in the environment: --n-train as "
            "MEZZ_N_TRAIN, --world.games as MEZZ_WORLD__GAMES.",
            *(f"Note: {note}" for note in notes),
        ]
    )


def _scan(args: Sequence[str]) -> _Scan:
    found = _Scan()
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg == "--":
            found.words += rest
            break
        if arg in ("-h", "--help"):
            found.help = True
        elif arg.startswith("-c") or arg.startswith("--"):
            name, equals, value = arg.partition("=")
            if name.startswith("-c") and name != "-c":
                value, equals = arg[2:], "="
            if not equals and rest and not rest[0].startswith("--"):
                value = rest.pop(0)
            if name.startswith("-c") or name == "--config":
                found.config = _path(value) if value else None
            else:
                found.flags[normalise(name[2:])] = value
        else:
            found.words.append(arg)
    return found


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        # There is no such user, and so no such file: that is said where it is opened.
        return Path(text)


def _refuse_swallowed_flags(flags: Mapping[str, Any], args: Sequence[str], plan: Outline) -> None:
    """Refuse `--games --n-train 5`, where the parser takes a flag for the value of another."""
    for name, value in flags.items():
        for text in value if isinstance(value, list) else [value]:
            if text in args and str(text).startswith("--") and plan.index.knows(text[2:]):
                raise ConfigError(
                    f"{flag(name)}: the value is missing; the flag {text} follows instead",
                    hint=f"If {text} is the value, write `{flag(name)}={text}`.",
                )


def _refuse_words(words: Sequence[str]) -> None:
    if words:
        raise ConfigError(
            f"unexpected argument {words[0]!r}: settings are given as `--name value`",
            hint="A list is written with commas, as in `--games hole,seesaw`.",
        )
