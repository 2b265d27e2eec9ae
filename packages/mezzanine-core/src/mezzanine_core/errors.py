"""Typed errors: each says what is wrong, where, and what to do about it.

Every error that Mezzanine raises on purpose derives from :class:`MezzError` and, besides, from the
builtin that a caller would expect. The command line prints ``message`` and ``hint`` and exits with
``exit_code``; the traceback is shown under ``--debug`` only.
"""

from __future__ import annotations

from typing import ClassVar


class MezzError(Exception):
    """Base of all errors that Mezzanine raises on purpose.

    Attributes:
        message: What is wrong and where, in one or two sentences.
        hint: What to do about it, or ``None`` where the message says it already.
        exit_code: What the command line exits with.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


class ConfigError(MezzError, ValueError):
    """A setting is unknown, malformed or out of range; the culprit is named in the message."""

    exit_code: ClassVar[int] = 2


class UnknownNameError(ConfigError, LookupError):
    """A recipe, world, symmetry, encoder, run or flag of that name does not exist."""


class OutputDirectoryError(MezzError, FileExistsError):
    """The output directory holds files that are not a run's, or cannot be written."""

    exit_code: ClassVar[int] = 2


class MissingDependencyError(MezzError, ImportError):
    """A known component or library is not installed; the hint is the command that brings it."""

    exit_code: ClassVar[int] = 3


class PluginError(MezzError, RuntimeError):
    """A plugin that is needed is broken, incompatible, or breaks its contract."""

    exit_code: ClassVar[int] = 3


class CacheError(MezzError, OSError):
    """The latent cache cannot be read or written."""


class CorruptSegmentError(CacheError):
    """A committed cache segment does not hold what its commit record says."""


class DataError(MezzError, ValueError):
    """A world gives data that cannot be used: too few samples, empty splits, bad shapes."""


class LatentError(MezzError, ValueError):
    """Latents are unusable: NaN or infinite values, a wrong shape, or no variation at all."""


class RunError(MezzError, RuntimeError):
    """A run failed for a reason that its recipe did not foresee; the cause is chained."""


class WorkerError(MezzError, RuntimeError):
    """A worker process died, or could not be started."""
