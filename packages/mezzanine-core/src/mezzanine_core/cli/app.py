"""The application: its commands, its global options, and how it ends."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from mezzanine_core._version import __version__
from mezzanine_core.cli.errors import (
    ClosedOutputError,
    EarlyExitError,
    InterruptedRunError,
    LostDirectoryError,
    UnwritableOutputError,
    report,
)
from mezzanine_core.cli.group import LazyCommand, LazyGroup
from mezzanine_core.errors import MezzError
from mezzanine_core.logs import configure_logging

_COMMANDS = "mezzanine_core.cli"
_PRINTERS = frozenset({"typer", "click", "rich"})


class RootGroup(LazyGroup):
    """The top level of the command line."""

    lazy: ClassVar[Mapping[str, LazyCommand]] = {
        "list": LazyCommand(f"{_COMMANDS}.listing:list_app", "List installed components."),
        "list-adapters": LazyCommand(f"{_COMMANDS}.listing:list_worlds", "List the worlds."),
        "list-encoders": LazyCommand(f"{_COMMANDS}.listing:list_encoders", "List the encoders."),
        "list-symmetries": LazyCommand(
            f"{_COMMANDS}.listing:list_symmetries", "List the symmetries."
        ),
        "info": LazyCommand(f"{_COMMANDS}.info:info", "Show a component and its settings."),
        "run": LazyCommand(f"{_COMMANDS}.run:run_app", "Run a recipe."),
        "tune": LazyCommand(
            f"{_COMMANDS}.tune:tune_app", "Look for settings that are hard but not dead."
        ),
        "predict": LazyCommand(
            f"{_COMMANDS}.predict:predict", "Predict new items with a run's model."
        ),
        "rerun": LazyCommand(
            f"{_COMMANDS}.rerun:rerun", "Run a finished run again and compare the results."
        ),
        "runs": LazyCommand(f"{_COMMANDS}.runs:runs_app", "Look at earlier runs."),
        "report": LazyCommand(
            f"{_COMMANDS}.report:report", "Write the report of a run, or compare several."
        ),
        "cache": LazyCommand(f"{_COMMANDS}.cache:cache_app", "Look at and tidy the latent cache."),
        "plugins": LazyCommand(
            f"{_COMMANDS}.plugins:plugins_app", "List plugins and what ails them, or check one."
        ),
        "new": LazyCommand(f"{_COMMANDS}.new:new", "Write a package for a plugin of one's own."),
        "doctor": LazyCommand(f"{_COMMANDS}.doctor:doctor", "Check the installation."),
    }

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what Typer would swallow on its way out is passed on."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise InterruptedRunError("interrupted") from error
        except BrokenPipeError as error:
            raise ClosedOutputError("the output was closed") from error
        except SystemExit as error:
            if isinstance(error.__context__, BrokenPipeError):  # rich ends the program then
                raise ClosedOutputError("the output was closed") from error
            # Nothing of ours calls it: a run that a plugin ended would look like one that is done.
            raise EarlyExitError(f"something called sys.exit({error.code!r})") from error


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"mezzanine-core {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=RootGroup,
    rich_markup_mode=None,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda token: token.replace("_", "-"),
    },
)


@app.callback(
    help="Symmetry distillation and latent world models: measure what a model's answers hang on.",
    epilog="Exit codes: 0 done, 1 the run failed, 2 usage or configuration, "
    "3 a plugin or dependency is missing, 130 interrupted.",
)
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Show tracebacks and debug messages; stands anywhere. Also MEZZ_DEBUG=1.",
        ),
    ] = False,
) -> None:
    """The global options are acted on by :func:`main`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; by default those of the process.

    Returns:
        The exit code: 0 done, 1 the run failed, 2 usage or configuration, 3 a plugin or dependency
        is missing, 130 interrupted.
    """
    arguments, debug = _without_debug(list(sys.argv[1:] if argv is None else argv))
    _print_anything()
    configure_logging(debug=debug)
    try:
        command = typer.main.get_command(app)
        code = command.main(arguments, prog_name=_program(), standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (ClosedOutputError, BrokenPipeError):
        _discard_output()
        return 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - no traceback for users
        return report(_surroundings(error), debug=debug)
    return code if isinstance(code, int) else 0


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """Take ``--debug`` out of the arguments, wherever it stands before a bare ``--``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [argument for argument in arguments[:end] if argument != "--debug"]
    asked = len(rest) < end or os.environ.get("MEZZ_DEBUG", "") not in ("", "0")
    return rest + arguments[end:], asked


def _program() -> str:
    """The name the user called, for usage lines and shell completion: one of the two scripts'."""
    name = Path(sys.argv[0]).stem
    return name if name in ("mezz", "mezzanine") else "mezz"


def _print_anything() -> None:
    """Escape what the encoding of the terminal does not have, instead of failing on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _surroundings(error: BaseException) -> BaseException:
    """Put the blame on stdout or the working directory where these are what failed."""
    if isinstance(error, MezzError) or not isinstance(error, OSError):
        return error
    if _was_printing(error):
        _discard_output()
        blamed: BaseException = UnwritableOutputError(error)
        blamed.__cause__ = error
        return blamed
    try:
        Path.cwd()
    except FileNotFoundError:
        blamed = LostDirectoryError()
        blamed.__cause__ = error
        return blamed
    return error


def _was_printing(error: OSError) -> bool:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    where = str(frames[-1].f_globals.get("__name__", "")).partition(".")[0]
    if error.filename is None and where in _PRINTERS:
        return True
    try:
        # What could not be written is still in the buffer, so that it fails again.
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        return True
    return False


def _discard_output() -> None:
    """Keep the interpreter from complaining, at exit, about an output that was closed."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
