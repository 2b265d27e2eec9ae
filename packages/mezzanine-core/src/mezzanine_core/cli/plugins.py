"""``mezz plugins``: what became of every installed plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import typer

from mezzanine_core.cli.group import LazyCommand, LazyGroup
from mezzanine_core.cli.output import JsonFlag, count, print_columns, print_field, print_json
from mezzanine_core.errors import PluginError
from mezzanine_core.plugins import load_registry, strict_by_default
from mezzanine_core.plugins.components import PLURALS, PluginRecord
from mezzanine_core.specs import KINDS


class PluginsGroup(LazyGroup):
    """Lists plugins, unless a command of the group is called."""

    lazy: ClassVar[Mapping[str, LazyCommand]] = {
        "check": LazyCommand(
            "mezzanine_core.cli.plugin_check:check",
            "Check a component, or all of a plugin, against the laws of its kind.",
        )
    }


plugins_app = typer.Typer(
    cls=PluginsGroup,
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    help="List the installed plugins: status, what each brings, and how to mend what is broken.",
)


@plugins_app.callback()
def plugins(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List the installed plugins, unless a command of the group is called."""
    if ctx.invoked_subcommand is None:
        _list(as_json=as_json)


def _list(*, as_json: bool) -> None:
    registry = load_registry(strict=False)
    if as_json:
        print_json([_row(record) for record in registry.plugins])
    else:
        print_columns([_columns(record) for record in registry.plugins])
        for record in registry.plugins:
            _print_failure(record)
    for name in registry.unmatched:
        typer.echo(f"MEZZ_PLUGINS names {name!r}, which is no installed plugin.", err=True)
    failed = [record.id for record in registry.plugins if record.failed]
    if failed and strict_by_default():
        raise PluginError(f"MEZZ_STRICT is set, and not every plugin is fine: {', '.join(failed)}")


def _row(record: PluginRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "distribution": record.distribution,
        "version": record.version,
        "entry_point": record.entry_point,
        "module": record.module,
        "status": record.status,
        "cause": record.cause,
        "remedy": record.remedy,
        "components": [{"kind": spec.kind, "name": spec.name} for spec in record.specs],
        "seconds": round(record.seconds, 4),
    }


def _columns(record: PluginRecord) -> tuple[str, ...]:
    kinds = [spec.kind for spec in record.specs]
    brings = ", ".join(
        count(kinds.count(kind), kind, PLURALS[kind]) for kind in KINDS if kind in kinds
    )
    return record.status, record.id, record.version, brings


def _print_failure(record: PluginRecord) -> None:
    if record.status == "ok":
        return
    typer.echo(f"\n{record.id} is {record.status}")
    print_field("cause", record.cause or "unknown", indent=2)
    if record.remedy:
        print_field("remedy", record.remedy, indent=2)
