"""The tracker ``none``: a run that is logged to disk only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mezzanine_core.config import ComponentConfig
from mezzanine_core.trackers import Tracker


class NoopConfig(ComponentConfig):
    """The tracker ``none`` has no settings."""


class NoopTracker(Tracker):
    """Logs nothing: the run directory holds everything already.

    Args:
        config: Of no effect.
    """

    def __init__(self, config: NoopConfig) -> None:
        self.config = config

    def start(self, recipe: str, out: Path, config: Mapping[str, Any]) -> None:
        """See :meth:`Tracker.start`."""

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """See :meth:`Tracker.log`."""

    def artifact(self, path: Path) -> None:
        """See :meth:`Tracker.artifact`."""

    def finish(self, results: Mapping[str, Any] | None) -> None:
        """See :meth:`Tracker.finish`."""
