"""Where log messages go: to stderr, one line each, so that stdout holds data alone."""

from __future__ import annotations

import logging
import sys

PREFIX = "mezzanine"
"""What the names of the project's own loggers begin with."""


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to what ``sys.stderr`` is at the time, which a progress display may have replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno == logging.INFO else f"{record.levelname.lower()}: {text}"


def configure_logging(*, debug: bool = False) -> None:
    """Send log messages to stderr: warnings of libraries, and whatever the project itself says.

    Args:
        debug: Whether to show the project's debug messages, and informative ones of libraries.
    """
    root = logging.getLogger()
    handler = next((found for found in root.handlers if isinstance(found, _StderrHandler)), None)
    if handler is None:
        handler = _StderrHandler()
        handler.setFormatter(_Formatter())
        root.addHandler(handler)
    own, others = (logging.DEBUG, logging.INFO) if debug else (logging.INFO, logging.WARNING)
    for old in list(handler.filters):
        handler.removeFilter(old)
    handler.addFilter(
        lambda record: record.levelno >= (own if record.name.startswith(PREFIX) else others)
    )
    root.setLevel(own)
