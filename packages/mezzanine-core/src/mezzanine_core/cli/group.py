"""A command group that imports what its commands need when one of them is used."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

from mezzanine_core.cli.errors import UsageError
from mezzanine_core.errors import UnknownNameError


class NamedUsage:
    """Notes in what is wrong with a command line which command's it is; Typer leaves some out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments of the command.

        Raises:
            UsageError: If they are wrong.
        """
        try:
            rest: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]
        except UsageError as error:
            error.ctx = error.ctx or ctx
            raise
        return rest


class QuickFlags(NamedUsage):
    """Lets flags that are not given be false, where Typer leaves some of them ``None``.

    To make a boolean of ``None`` Typer imports pydantic, which takes longer than all else that a
    short command does. Its ``--help`` is such a flag, on every command.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters of the command."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if getattr(param, "is_flag", False) and param.default is None:
                param.default = False
        return params


class QuickCommand(QuickFlags, TyperCommand):
    """A single command."""


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command that is imported on first use.

    Attributes:
        target: ``package.module:name`` of a function with Typer annotations, or of a Typer app.
        help: One line for the help of the group.
    """

    target: str
    help: str

    def load(self, name: str) -> Any:
        """Import the target and build the command."""
        module, _, attribute = self.target.partition(":")
        target = getattr(importlib.import_module(module), attribute)
        if isinstance(target, typer.Typer):
            return typer.main.get_group(target)
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name, cls=QuickCommand)(target)
        return typer.main.get_command(app)


class LazyGroup(QuickFlags, TyperGroup):
    """Lists its commands from a table and imports one when it is called or completed.

    A subclass sets ``lazy``. Without arguments the group prints its help. A misspelt command is
    answered with those that come near, which Typer does for commands that are imported already
    only.
    """

    lazy: ClassVar[Mapping[str, LazyCommand]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands, those of the table first."""
        return [*self.lazy, *(name for name in super().list_commands(ctx) if name not in self.lazy)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command if it is imported, or a stand-in that has its help line."""
        if cmd_name in self.lazy and cmd_name not in self.commands:
            return TyperCommand(cmd_name, help=self.lazy[cmd_name].help)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands with the first sentence of their help, which is wrapped, never cut."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, found.get_short_help_str(limit=1000)) for name, found in commands]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the group's own arguments; without any, print the help."""
        if not args and not self.invoke_without_command and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            raise typer.Exit
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is called.

        Raises:
            UnknownNameError: If there is none of that name.
        """
        name = self._spelling(ctx, args[0])
        if name is None and not ctx.resilient_parsing:
            raise UnknownNameError(
                f"there is no command {args[0]!r}", hint=self._hint(ctx, args[0])
            )
        if name is not None and name in self.lazy and name not in self.commands:
            self.commands[name] = self.lazy[name].load(name)
        return super().resolve_command(ctx, args)

    def _spelling(self, ctx: Any, given: str) -> str | None:
        names = self.list_commands(ctx)
        normal = given if ctx.token_normalize_func is None else ctx.token_normalize_func(given)
        return given if given in names else normal if normal in names else None

    def _hint(self, ctx: Any, given: str) -> str:
        near = difflib.get_close_matches(given, self.list_commands(ctx))
        did_you_mean = f"Did you mean {' or '.join(repr(name) for name in near)}? " if near else ""
        return f"{did_you_mean}`{ctx.command_path} --help` shows all."
