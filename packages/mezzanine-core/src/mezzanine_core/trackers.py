"""The tracker contract: where metrics and files of a run are logged besides disk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Tracker(ABC):
    """Follows one run. A tracker that fails is reported and dropped; it never fails the run."""

    @abstractmethod
    def start(self, recipe: str, out: Path, config: Mapping[str, Any]) -> None:
        """Begin a run: its recipe, its directory and its resolved configuration."""

    @abstractmethod
    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Log scalar metrics, at a training step or for the run as a whole."""

    @abstractmethod
    def artifact(self, path: Path) -> None:
        """Log a file that the run wrote."""

    @abstractmethod
    def finish(self, results: Mapping[str, Any] | None) -> None:
        """End the run with its results, or with ``None`` where it failed."""
