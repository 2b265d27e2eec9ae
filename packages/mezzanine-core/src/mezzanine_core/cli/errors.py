"""What the user is told when a command fails, and what it exits with."""

from __future__ import annotations

import os
import traceback
from typing import Any

import typer

from mezzanine_core.errors import MezzError

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

# Typer brings its own copy of Click in some versions and imports Click in others: its base class of
# everything that is wrong with a command line is reached through the one that Typer exports.
UsageError: type[Any] = typer.BadParameter.__mro__[1]
"""What Typer raises when a command line cannot be parsed."""


class InterruptedRunError(MezzError):
    """The user pressed Ctrl-C; Typer would end the program without a word."""


class ClosedOutputError(MezzError):
    """Whoever read the output, ``head`` say, has closed it."""


class EarlyExitError(MezzError):
    """A plugin or library called ``sys.exit``, which is the cause of this."""


class UnwritableOutputError(MezzError):
    """What a command prints cannot be written.

    Args:
        error: What the system says.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"cannot write the output: {error.strerror or error}",
            hint="See to where stdout goes. A run that has finished is complete in its directory: "
            "`mezz runs ls`.",
        )


class LostDirectoryError(MezzError):
    """The working directory was deleted."""

    def __init__(self) -> None:
        super().__init__(
            "the working directory no longer exists", hint="Change to another, with `cd`."
        )


def report(error: BaseException, *, debug: bool) -> int:
    """Print an error to stderr and return the exit code.

    Args:
        error: What ended the command.
        debug: Whether to print the traceback as well.
    """
    if debug:
        traceback.print_exception(error)
    if isinstance(error, EarlyExitError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, InterruptedRunError | KeyboardInterrupt):
        typer.echo("interrupted", err=True)
        for note in getattr(error.__cause__ or error, "__notes__", ()):
            _print_hint(note)
        return INTERRUPTED
    if isinstance(error, typer.Abort):
        return _report_abort(error)
    if isinstance(error, MezzError):
        _print(error.message, error.hint)
        return error.exit_code
    if isinstance(error, UsageError):
        _print(*_usage(error))
        return 2
    _print(*_bug(error, debug))
    return 1


def _print(message: str, hint: str | None) -> None:
    color = False if os.environ.get("NO_COLOR") else None  # None: only on a terminal
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True, color=color)
    typer.echo(message, err=True)
    if hint:
        _print_hint(hint)


def _print_hint(hint: str) -> None:
    color = False if os.environ.get("NO_COLOR") else None
    typer.secho("hint: ", bold=True, nl=False, err=True, color=color)
    typer.echo(hint, err=True)


def _report_abort(error: typer.Abort) -> int:
    typer.echo(err=True)  # the question stands there without an end of line
    if isinstance(error.__context__, EOFError):
        _print(
            "the command asks a question, but there is no input to answer it",
            "Answer it beforehand, with --yes.",
        )
        return 2
    typer.echo("interrupted", err=True)
    return INTERRUPTED


def _usage(error: Any) -> tuple[str, str | None]:
    """Message and hint of what Typer says about a command line."""
    possibilities = getattr(error, "possibilities", None)
    message = error.message if possibilities else error.format_message()
    path = error.ctx.command_path if error.ctx is not None else "mezz"
    hint = f"`{path} --help` shows what it takes."
    if possibilities:
        near = " or ".join(sorted(possibilities))
        hint = f"Did you mean {near}? {hint}"
    return message[:1].lower() + message[1:], hint


def _bug(error: BaseException, debug: bool) -> tuple[str, str]:
    from mezzanine_core.plugins.culprit import culprit

    message = str(error).strip().splitlines()
    what = type(error).__name__ + (f": {message[0]}" if message else "")
    more = "" if debug else "Run again with --debug for the traceback. "
    return (
        f"this is a bug in {culprit(error)}: {what}",
        f"{more}Please report it with the traceback.",
    )
