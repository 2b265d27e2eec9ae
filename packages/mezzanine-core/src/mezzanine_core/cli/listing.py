"""``mezz list`` and its other spellings."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Annotated, Any

import typer

from mezzanine_core.cli.group import LazyGroup, QuickCommand
from mezzanine_core.cli.output import JsonFlag, count, print_columns, print_json
from mezzanine_core.errors import UnknownNameError
from mezzanine_core.plugins import Registry, load_registry
from mezzanine_core.plugins.catalog import KnownComponent
from mezzanine_core.plugins.components import PLURALS, Component
from mezzanine_core.specs import KINDS, Kind

AllFlag = Annotated[
    bool, typer.Option("--all", help="Add the known components that are not installed.")
]

list_app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    subcommand_metavar="[KIND]",
    help="List installed components, of all kinds or of one.",
)


@list_app.callback()
def list_components(
    ctx: typer.Context, as_json: JsonFlag = False, show_all: AllFlag = False
) -> None:
    """List the components of all kinds, unless a command of the group lists those of one."""
    if ctx.invoked_subcommand is None:
        _list(None, as_json=as_json, show_all=show_all)


def _lister(kind: Kind) -> Callable[..., None]:
    """The command that lists one kind. It honours the flags that stand before its name too."""

    def list_kind(ctx: typer.Context, as_json: JsonFlag = False, show_all: AllFlag = False) -> None:
        before = ctx.parent.params if ctx.parent is not None else {}
        _list(
            kind,
            as_json=as_json or before.get("as_json", False),
            show_all=show_all or before.get("show_all", False),
        )

    return list_kind


list_worlds = _lister("world")
list_encoders = _lister("encoder")
list_symmetries = _lister("symmetry")
for _kind, _plural in PLURALS.items():
    list_app.command(_plural, cls=QuickCommand, help=f"List the {_plural}.")(_lister(_kind))


def parse_kind(text: str) -> Kind:
    """The kind that a word means: its singular or plural, or ``adapters`` for worlds.

    Raises:
        UnknownNameError: If it means none.
    """
    words: dict[str, Kind] = {"adapter": "world", "adapters": "world"}
    words.update({spelling: kind for kind in KINDS for spelling in (kind, PLURALS[kind])})
    if text.lower() in words:
        return words[text.lower()]
    near = difflib.get_close_matches(text.lower(), PLURALS.values())
    did_you_mean = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    raise UnknownNameError(
        f"there is no kind of component {text!r}",
        hint=f"{did_you_mean}The kinds are {', '.join(PLURALS.values())}.",
    )


def _list(kind: Kind | None, *, as_json: bool, show_all: bool) -> None:
    registry = load_registry()
    components = registry.components(kind)
    absent = [known for known in registry.not_installed() if kind in (None, known.kind)]
    if as_json:
        rows = [_row(found, registry) for found in components]
        print_json(rows + [_absent_row(known) for known in absent] if show_all else rows)
    else:
        _print_listing(registry, components, absent, show_all=show_all)
    _mention_failures(registry)


def _row(found: Component, registry: Registry) -> dict[str, Any]:
    return {
        "kind": found.spec.kind,
        "name": found.spec.name,
        "summary": found.spec.summary,
        "distribution": found.distribution,
        "version": found.version,
        "tags": list(found.spec.tags),
        "ambiguous": registry.is_ambiguous(found),
        "installed": True,
    }


def _absent_row(known: KnownComponent) -> dict[str, Any]:
    return {
        "kind": known.kind,
        "name": known.name,
        "summary": known.summary,
        "distribution": known.distribution,
        "installed": False,
        "install": f"pip install {known.distribution}",
    }


def _print_listing(
    registry: Registry,
    components: list[Component],
    absent: list[KnownComponent],
    *,
    show_all: bool,
) -> None:
    names = [
        found.qualified if registry.is_ambiguous(found) else found.spec.name for found in components
    ]
    size = max(map(len, names), default=0)
    for kind in KINDS:
        rows = [
            (f"{name:<{size}}", f"{found.spec.summary} ({found.distribution})")
            for name, found in zip(names, components, strict=True)
            if found.spec.kind == kind
        ]
        if rows:
            typer.echo(PLURALS[kind])
            print_columns(rows, indent=2)
            typer.echo()
    if not components:
        typer.echo("None is installed.\n")
    if absent and show_all:
        typer.echo("not installed")
        print_columns(_install_rows(absent), indent=2)
    elif absent:
        typer.echo(f"{count(len(absent), 'more component')} can be installed: see --all.")


def _install_rows(absent: list[KnownComponent]) -> list[tuple[str, str]]:
    """One row a distribution: how it is installed, and what it brings."""
    brings: dict[str, list[str]] = {}
    for known in absent:
        brings.setdefault(known.distribution, []).append(f"{known.name} ({known.kind})")
    return [(f"pip install {name}", ", ".join(what)) for name, what in sorted(brings.items())]


def _mention_failures(registry: Registry) -> None:
    failed = sum(record.failed for record in registry.plugins)
    if failed:
        typer.echo(f"{count(failed, 'plugin')} could not be loaded: see `mezz plugins`.", err=True)
