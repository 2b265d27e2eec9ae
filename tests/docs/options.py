"""What the command line takes: every option of every command, as the real parser has it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import typer

from mezzanine_core.cli.app import app
from mezzanine_core.cli.run import RunGroup
from mezzanine_core.config.models import slots
from mezzanine_core.errors import MissingDependencyError
from mezzanine_core.plugins import load_registry

_EVERYWHERE = frozenset({"--help", "-h", "--debug"})
_ENDS_A_COMMAND = frozenset({"|", "||", "&&", ";", ">", "<", ">>", "&", "("})


def commands_in(code: str) -> Iterator[list[str]]:
    """The calls of ``mezz`` in a piece of shell, each as its words after the program's name."""
    for line in re.sub(r"\\\n", " ", code).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:
            continue
        command: list[str] | None = None
        for word in [*words, ";"]:
            if word in _ENDS_A_COMMAND or set(word) <= set("|&;<>()"):
                if command is not None:
                    yield command
                command = None
            elif command is not None:
                command.append(word)
            elif word.rpartition("/")[2] in ("mezz", "mezzanine"):
                command = []


def unknown_options(words: list[str]) -> list[str]:
    """Those options of a call of ``mezz`` that its command does not have.

    Raises:
        LookupError: If there is no such command.
    """
    taken, rest = _options(words)
    given = [word.partition("=")[0].replace("_", "-") for word in rest if word.startswith("--")]
    foreign = tuple(_not_installed(rest))
    return [
        option
        for option in given
        if option not in taken | _EVERYWHERE and not (foreign and option.startswith(foreign))
    ]


def is_recipe(name: str) -> bool:
    """Whether an installed distribution brings a recipe of that name."""
    return name in {component.spec.name for component in load_registry().components("recipe")}


def _not_installed(words: list[str]) -> Iterator[str]:
    """What options start with that belong to a component which the page itself brings."""
    installed = {component.spec.name for component in load_registry().components()}
    for slot, name in pairwise(words):
        if slot in ("--world", "--symmetry", "--encoder") and name not in installed:
            yield f"{slot}."


def _options(words: list[str]) -> tuple[frozenset[str], list[str]]:
    """The options of the command that is called, and the words after its name."""
    group, context = _root()
    taken, rest = _names(group, context), list(words)
    while rest and hasattr(group, "list_commands") and not rest[0].startswith("-"):
        if any(_is_placeholder(word) for word in (rest[:1] if not _of_recipes(group) else rest)):
            return all_options(), rest
        if rest[0] not in group.list_commands(context):
            raise LookupError(f"there is no command {context.command_path} {rest[0]}")
        _, command, rest = group.resolve_command(context, rest)
        context = command.context_class(command, info_name=words[0], parent=context)
        group, taken = command, _names(command, context)
    return taken, rest


def _root() -> tuple[Any, Any]:
    root: Any = typer.main.get_command(app)
    return root, root.context_class(root, info_name="mezz")


def _of_recipes(group: Any) -> bool:
    return isinstance(group, RunGroup)


def _is_placeholder(word: str) -> bool:
    """Whether a word stands for another, such as ``RECIPE`` or ``RUN…``."""
    return (word.strip("…").isupper() and word.strip("…").isalpha()) or word == "…"


def _names(command: Any, context: Any) -> frozenset[str]:
    return frozenset(
        name.replace("_", "-")
        for param in command.get_params(context)
        for name in (*param.opts, *param.secondary_opts)
    )


@cache
def all_options() -> frozenset[str]:
    """Every option of every command, and of every recipe with every component."""
    return frozenset(_EVERYWHERE | _below(*_root()))


def _below(group: Any, context: Any) -> set[str]:
    found = set(_names(group, context))
    calls = _calls_of_recipes() if _of_recipes(group) else None
    if calls is None:
        names = group.list_commands(context) if hasattr(group, "list_commands") else []
        calls = [[name] for name in names]
    for call in calls:
        try:
            _, command, _ = group.resolve_command(context, call)
        except MissingDependencyError:
            continue
        found |= _below(command, command.context_class(command, parent=context))
    return found


@cache
def _calls_of_recipes() -> list[list[str]]:
    """Each recipe as it is, with each tracker, and with each component that fits into it."""
    registry = load_registry(strict=True)
    return [
        [recipe.spec.name, *choice]
        for recipe in registry.components("recipe")
        if not recipe.spec.defaults  # a preset has the options of what it is a preset of
        for choice in (
            [],
            *(["--log", tracker.spec.name] for tracker in registry.components("tracker")),
            *(
                [f"--{slot}", component.spec.name]
                for slot, mark, _ in slots(recipe.load_config())
                for component in registry.components(mark.kind)
            ),
        )
    ]
