"""``mezz run``: a group with one command for each installed recipe and preset."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

from mezzanine_core.cli.group import LazyGroup
from mezzanine_core.errors import MezzError
from mezzanine_core.plugins import Registry, load_registry


class RunGroup(LazyGroup):
    """Lists recipes by their specs alone; builds a recipe's command when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all recipes; those that two distributions announce, with both."""
        return list(self._summaries(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in for a recipe's command, with its summary."""
        summary = self._summaries(ctx).get(cmd_name)
        return None if summary is None else TyperCommand(cmd_name, help=summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Build the command of the recipe that is called.

        Raises:
            MezzError: If there is no such recipe, its plugin is broken, or the configuration file
                cannot be read. While the shell completes, there is no command then.
        """
        name, rest = args[0], args[1:]
        try:
            return name, self.build(_registry(ctx), name, rest), rest
        except MezzError:
            if ctx.resilient_parsing:
                return None, None, rest
            raise

    def build(self, registry: Registry, name: str, rest: list[str]) -> Any:
        """The command that runs a recipe, or with ``--autotune`` tunes it."""
        from mezzanine_core.cli.run_autotune import RUN
        from mezzanine_core.cli.run_command import build_command

        return build_command(registry, name, rest, RUN)

    def _summaries(self, ctx: Any) -> dict[str, str]:
        recipes = _registry(ctx).components("recipe")
        names = [recipe.spec.name for recipe in recipes]
        return {
            found.spec.name if names.count(found.spec.name) == 1 else found.qualified: (
                found.spec.summary
            )
            for found in recipes
        }


def _registry(ctx: Any) -> Registry:
    """The installed plugins, loaded once for each command line."""
    loaded: Registry | None = ctx.meta.get(__name__)
    if loaded is None:
        loaded = ctx.meta[__name__] = load_registry()
    return loaded


run_app = typer.Typer(
    cls=RunGroup,
    rich_markup_mode=None,
    add_completion=False,
    help="Run a recipe.",
    epilog="`mezz run RECIPE --help` shows the settings of a recipe and of its components.",
)
