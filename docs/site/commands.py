"""The reference of the command line, made from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from tables import cell, table

from mezzanine_core.cli.app import app
from mezzanine_core.cli.run import RunGroup


def render() -> str:
    """The Markdown of every command with its arguments and options."""
    root = typer.main.get_command(app)
    context: Any = root.make_context("mezz", [], resilient_parsing=True)
    return "\n".join(
        line for name, command, ctx in walk(root, context) for line in _command(name, command, ctx)
    )


def walk(group: Any, context: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every command below a group, groups before what they hold; recipes are not gone into."""
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        ctx: Any = command.context_class(command, info_name=name, parent=context)
        yield f"{context.command_path} {name}", command, ctx
        if hasattr(command, "list_commands") and not isinstance(command, RunGroup):
            yield from walk(command, ctx)


def _command(name: str, command: Any, ctx: Any) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{command.help or ''}\n"
    pieces = " ".join(command.collect_usage_pieces(ctx))
    yield f"```text\n{name} {pieces}\n```\n"
    params = command.get_params(ctx)
    records = [record for each in params if (record := each.get_help_record(ctx))]
    yield table(("option", "what"), [(f"`{cell(flags)}`", cell(what)) for flags, what in records])
    if isinstance(command, RunGroup):
        yield (
            "One command for each installed recipe, whose flags are made from its settings and "
            "those of its components: see [recipes](recipes.md), [worlds](worlds.md), "
            "[encoders](encoders.md), [symmetries](symmetries.md) and, for what every run takes, "
            "[the options of a run](run_options.md).\n"
        )
