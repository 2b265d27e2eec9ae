"""The tracker ``jsonl``: what a run logs, as one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mezzanine_core.config import ComponentConfig
from mezzanine_core.results import plain_json
from mezzanine_core.runs.state import timestamp
from mezzanine_core.trackers import Tracker

LOG: Final = "log.jsonl"
"""The file, in the run directory."""


class JsonlConfig(ComponentConfig):
    """The tracker ``jsonl`` has no settings."""


class JsonlTracker(Tracker):
    """Appends to ``log.jsonl`` in the run directory, line by line as it comes.

    Every line is an object with an ``event`` and its ``time`` (ISO 8601 in UTC):

    - ``start``: ``recipe`` and ``config``
    - ``log``: ``values``, by name, and the training ``step``, ``null`` for the run as a whole
    - ``artifact``: ``path`` in the run directory and ``bytes``
    - ``finish``: ``results`` as in ``results.json``, ``null`` where the run failed

    Numbers that are not finite are ``null``.

    Args:
        config: Of no effect.
    """

    def __init__(self, config: JsonlConfig) -> None:
        self._out: Path | None = None

    def start(self, recipe: str, out: Path, config: Mapping[str, Any]) -> None:
        """See :meth:`Tracker.start`."""
        self._out = out
        self._write("start", recipe=recipe, config=config)

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """See :meth:`Tracker.log`."""
        self._write("log", step=step, values=values)

    def artifact(self, path: Path) -> None:
        """See :meth:`Tracker.artifact`."""
        name = path if self._out is None else path.relative_to(self._out)
        self._write("artifact", path=name, bytes=path.stat().st_size)

    def finish(self, results: Mapping[str, Any] | None) -> None:
        """See :meth:`Tracker.finish`."""
        self._write("finish", results=results)

    def _write(self, event: str, **more: Any) -> None:
        if self._out is None:
            # Called for a run that never started: there is nowhere to write to.
            return
        line = {"event": event, "time": timestamp(datetime.now(UTC)), **plain_json(more)}
        with (self._out / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
