"""Several trackers as one, of which none can fail the run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mezzanine_core.trackers import Tracker

_log = logging.getLogger(__name__)


class Trackers(Tracker):
    """Passes everything on to each of its trackers; one that fails is reported once and dropped.

    Args:
        trackers: By the name that the user chose each by.
    """

    def __init__(self, trackers: Mapping[str, Tracker]) -> None:
        self._trackers = dict(trackers)

    def start(self, recipe: str, out: Path, config: Mapping[str, Any]) -> None:
        """See :meth:`Tracker.start`."""
        self._each(lambda tracker: tracker.start(recipe, out, config))

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """See :meth:`Tracker.log`."""
        self._each(lambda tracker: tracker.log(values, step))

    def artifact(self, path: Path) -> None:
        """See :meth:`Tracker.artifact`."""
        self._each(lambda tracker: tracker.artifact(path))

    def finish(self, results: Mapping[str, Any] | None) -> None:
        """See :meth:`Tracker.finish`."""
        self._each(lambda tracker: tracker.finish(results))

    def _each(self, act: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                act(tracker)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a run survives any tracker
                del self._trackers[name]
                _log.warning(
                    "the tracker %s failed, and is left out from here on: %s: %s",
                    name,
                    type(error).__name__,
                    error,
                )
                _log.debug("tracker %s", name, exc_info=error)
