"""``mezz new``: writes a package for a plugin of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from mezzanine_core.cli.listing import parse_kind
from mezzanine_core.cli.output import count, print_field
from mezzanine_core.errors import ConfigError
from mezzanine_core.plugins import load_registry
from mezzanine_core.scaffold import (
    Details,
    Names,
    check_folder,
    check_free,
    choose_names,
    render_package,
    write_package,
)
from mezzanine_core.specs import KINDS

_KIND_HELP = f"What it is to be: {', '.join(KINDS[:-1])} or {KINDS[-1]}."


def new(
    kind: Annotated[str, typer.Argument(help=_KIND_HELP, show_default=False)],
    name: Annotated[
        str,
        typer.Argument(help="Its short name, such as my_hopper.", show_default=False),
    ],
    folder: Annotated[
        str | None,
        typer.Option(
            "--dir",
            metavar="DIRECTORY",
            help="Where to write it; by default a directory here, named like the distribution.",
        ),
    ] = None,
    distribution: Annotated[
        str | None,
        typer.Option(
            "--dist",
            metavar="NAME",
            help="Name of the distribution; by default mezzanine-<kinds>-<name>.",
        ),
    ] = None,
    description: Annotated[
        str | None, typer.Option(help="One line about it, for listings.")
    ] = None,
    author: Annotated[
        str | None, typer.Option(help="Its author: 'Name', or 'Name <address>'.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the files that would be written.")
    ] = False,
) -> None:
    """Write a complete plugin package with a small working example and its tests."""
    names = choose_names(parse_kind(kind), name, distribution)
    files = render_package(names, Details(description, author))
    check_free(names, load_registry(strict=False))
    target = _directory(names.distribution if folder is None else folder)
    if dry_run:
        check_folder(target)
        typer.echo(f"{count(len(files), 'file')} would be written to {target}:")
        for path in files:
            typer.echo(f"  {path}")
        return
    write_package(target, files)
    typer.echo(f"Wrote {count(len(files), 'file')} to {target}: the {names.kind} {names.name}.\n")
    _print_next_steps(names, target)


def _directory(given: str) -> Path:
    if given == "":
        raise ConfigError("--dir: the name is empty; the working directory is '.'")
    try:
        return Path(given).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"--dir: {given!r} cannot be expanded: {error}") from error


def _print_next_steps(names: Names, target: Path) -> None:
    typer.echo("Install it, test it, and check what is installed:")
    for command in (
        f"pip install -e {shlex.quote(f'{_installable(target)}[test]')}",
        f"pytest {shlex.quote(str(target))}",
        f"mezz plugins check {names.distribution}",
    ):
        typer.echo(f"  {command}")
    typer.echo()
    print_field(
        "Then", f"read {target / 'README.md'}, and put your own in place of the example.", indent=0
    )


def _installable(target: Path) -> str:
    """The directory as pip takes it: marked as one, or it would look for a distribution."""
    text = target.as_posix()
    return text if target.is_absolute() or text.startswith(".") else f"./{text}"
