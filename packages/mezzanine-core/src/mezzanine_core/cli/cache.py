"""``mezz cache``: look at and tidy the latent cache."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mezzanine_core.cache import (
    EncoderEntry,
    EncoderInfo,
    LatentCache,
    Problem,
    RmReport,
    default_cache_dir,
)
from mezzanine_core.cli.group import LazyGroup, QuickCommand
from mezzanine_core.cli.output import (
    JsonFlag,
    count,
    minute,
    print_columns,
    print_field,
    print_json,
    size,
)
from mezzanine_core.errors import ConfigError

cache_app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    add_completion=False,
    help="Look at and tidy the latent cache.",
)

_SHOWN_DIGITS = 12


def _complete_prefix(ctx: typer.Context, incomplete: str) -> list[str]:
    entries = _open(ctx.params.get("cache_dir")).ls()
    return [
        entry.fingerprint[:_SHOWN_DIGITS]
        for entry in entries
        if entry.fingerprint.startswith(incomplete)
    ]


CacheDirOption = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir",
        help="Directory of the cache; by default MEZZ_CACHE_DIR, or the user's cache directory.",
    ),
]
EncoderArgument = Annotated[
    str,
    typer.Argument(
        metavar="ENCODER",
        help="First digits of the encoder's fingerprint.",
        autocompletion=_complete_prefix,
    ),
]
OptionalEncoderArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[ENCODER]",
        help="First digits of the encoder's fingerprint; all encoders by default.",
        autocompletion=_complete_prefix,
    ),
]


@cache_app.command(cls=QuickCommand)
def ls(cache_dir: CacheDirOption = None, as_json: JsonFlag = False) -> None:
    """List the encoders that have cached latents."""
    cache = _open(cache_dir)
    entries = cache.ls()
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    if not entries:
        typer.echo(f"The cache at {cache.root} is empty.")
        return
    header = ("fingerprint", "encoder", "latents", "dim", "size", "last written")
    print_columns([header, *(_columns(entry) for entry in entries)])
    for entry in entries:
        if entry.broken:
            typer.echo(
                f"{entry.fingerprint[:_SHOWN_DIGITS]} has {count(entry.broken, 'segment')} that "
                "cannot be read: see `mezz cache verify`."
            )
    total = sum(entry.bytes for entry in entries)
    typer.echo(f"\n{size(total)} in {cache.root}")


@cache_app.command(cls=QuickCommand)
def info(
    encoder: EncoderArgument, cache_dir: CacheDirOption = None, as_json: JsonFlag = False
) -> None:
    """Show what is cached of one encoder."""
    found = _open(cache_dir).info(encoder)
    if as_json:
        print_json(asdict(found))
    else:
        _print_info(found)


@cache_app.command(cls=QuickCommand)
def verify(
    encoder: OptionalEncoderArgument = None,
    remove: Annotated[
        bool,
        typer.Option("--remove", help="Delete what is corrupt; it is encoded anew when needed."),
    ] = False,
    cache_dir: CacheDirOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Check every segment against its digests.

    Exits with 1 if anything is wrong that was not removed.
    """
    cache = _open(cache_dir)
    problems = cache.verify(encoder, remove=remove)
    if as_json:
        print_json([asdict(problem) for problem in problems])
    else:
        _print_problems(problems, cache.root)
    if any(not problem.removed for problem in problems):
        raise typer.Exit(1)


@cache_app.command(cls=QuickCommand)
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    cache_dir: CacheDirOption = None,
) -> None:
    """Delete what killed runs left behind.

    Those are segments that were never committed. What a living process is writing stays.
    """
    report = _open(cache_dir).gc(dry_run=dry_run)
    for path in report.removed:
        typer.echo(path)
    verb = "Would free" if dry_run else "Freed"
    typer.echo(f"{verb} {size(report.bytes)} ({count(len(report.removed), 'leftover')}).")
    if report.in_flight:
        typer.echo(f"{count(report.in_flight, 'segment')} being written: left alone.")


@cache_app.command(cls=QuickCommand)
def rm(
    encoder: OptionalEncoderArgument = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Delete the latents of all encoders.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    cache_dir: CacheDirOption = None,
) -> None:
    """Delete the latents of an encoder.

    They are encoded anew when a run needs them.
    """
    if (encoder is None) != everything:
        raise ConfigError(
            "give the first digits of an encoder's fingerprint, or --all",
            hint="`mezz cache ls` shows what there is.",
        )
    cache = _open(cache_dir)
    planned = cache.rm(encoder, dry_run=True)
    if not planned.encoders:
        typer.echo(f"The cache at {cache.root} is empty.")
        return
    for entry in cache.ls():
        if entry.fingerprint in planned.encoders:
            print_columns([_columns(entry)])
    if not yes and not typer.confirm(f"Delete {_amount(planned)} from {cache.root}?"):
        typer.echo("Nothing was deleted.")
        return
    done = cache.rm(encoder)
    typer.echo(f"Deleted {_amount(done)}.")
    if done.in_flight:
        typer.echo(f"{count(done.in_flight, 'segment')} being written: left alone.")


def _open(cache_dir: Path | None) -> LatentCache:
    return LatentCache(default_cache_dir() if cache_dir is None else cache_dir)


def _amount(report: RmReport) -> str:
    return (
        f"{count(report.rows, 'latent')} of {count(len(report.encoders), 'encoder')} "
        f"({size(report.bytes)})"
    )


def _columns(entry: EncoderEntry) -> tuple[str, ...]:
    return (
        entry.fingerprint[:_SHOWN_DIGITS],
        entry.name,
        f"{entry.rows:,}",
        "?" if entry.dim is None else str(entry.dim),
        size(entry.bytes),
        minute(entry.modified),
    )


def _print_info(found: EncoderInfo) -> None:
    entry = found.entry
    typer.echo(f"{entry.name} {entry.fingerprint}")
    print_field("path", found.path, indent=2)
    for key, value in entry.card.items():
        if key != "name":
            print_field(key, str(value), indent=2)
    stored = f"{count(entry.rows, 'latent')} of {count(found.items, 'item')}"
    shape = f"{entry.dim} numbers each, stored as {entry.dtype or 'nothing yet'}"
    print_field("holds", f"{stored}, {shape}, {size(entry.bytes)}", indent=2)
    if entry.broken or entry.uncommitted:
        unusable = f"{entry.broken} cannot be read, {entry.uncommitted} not committed"
        print_field("unusable segments", unusable, indent=2)
    if found.segments:
        typer.echo("\nsegments")
        rows = [(s.name, f"{s.rows:,}", size(s.bytes), minute(s.created)) for s in found.segments]
        print_columns(rows, indent=2)
    if found.views:
        typer.echo("\nworlds")
        for view in found.views:
            typer.echo(f"  {view.world[:_SHOWN_DIGITS]}  {minute(view.created)}")
            for key, value in view.summary.items():
                print_field(key, str(value))


def _print_problems(problems: list[Problem], root: Path) -> None:
    for problem in problems:
        print_field("problem", problem.what, indent=0)
        remedy = "It was deleted." if problem.removed else problem.remedy
        print_field("remedy", remedy, indent=0)
    if not problems:
        typer.echo(f"Every segment in {root} is what was written.")
