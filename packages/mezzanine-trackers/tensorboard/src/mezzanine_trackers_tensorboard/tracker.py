"""The tracker itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from mezzanine_core.trackers import Tracker
from mezzanine_trackers_tensorboard import summaries
from mezzanine_trackers_tensorboard.config import TensorBoardConfig

FOLDER: Final = "tensorboard"
"""Where the event file lies, in the run directory."""

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif"})
_SECONDS_BETWEEN_WRITES = 5


class TensorBoardTracker(Tracker):
    """Writes an event file into ``tensorboard/`` of the run directory.

    ``tensorboard --logdir runs`` shows every run below ``runs``, each by its path. There are:

    - scalars: what the recipe logs, at its steps; and from the results ``metrics/<model>/<metric>``
      and ``gains/<comparison>/<metric>``
    - pictures: every PNG, JPEG and GIF file that the run wrote, as ``artifacts/<path>``
    - texts: ``config``, ``verdict``, and ``artifacts``, the files that the run wrote
    - hyperparameters: the settings, flat, by which runs can be filtered and compared

    Steps are the recipe's own; what concerns the run as a whole has step 0.

    Args:
        config: Of no effect.
    """

    def __init__(self, config: TensorBoardConfig) -> None:
        self._out = Path()
        self._files: list[str] = []
        self._writer: EventFileWriter | None = None

    def start(self, recipe: str, out: Path, config: Mapping[str, Any]) -> None:
        """See :meth:`Tracker.start`."""
        self._out = out
        folder = str(out / FOLDER)
        self._writer = EventFileWriter(folder, flush_secs=_SECONDS_BETWEEN_WRITES)
        self._add(summaries.settings({"recipe": recipe, **config}))
        self._add(summaries.text("config", f"`{recipe}`\n\n{summaries.indented(config)}"))

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """See :meth:`Tracker.log`."""
        self._add(summaries.scalars(values), step or 0)

    def artifact(self, path: Path) -> None:
        """See :meth:`Tracker.artifact`."""
        name = path.relative_to(self._out).as_posix()
        self._files.append(name)
        if path.suffix.lower() in _PICTURES:
            self._add(summaries.picture(f"artifacts/{name}", path.read_bytes()))

    def finish(self, results: Mapping[str, Any] | None) -> None:
        """See :meth:`Tracker.finish`."""
        if self._writer is None:
            return
        try:
            if results is not None:
                self._add_results(results)
            self._add(summaries.end(results is not None))
        finally:
            self._writer.close()
            self._writer = None

    def _add_results(self, results: Mapping[str, Any]) -> None:
        for title, field in (("metrics", "metrics"), ("gains", "deltas")):
            for owner, figures in results.get(field, {}).items():
                found = {f"{title}/{owner}/{name}": one["value"] for name, one in figures.items()}
                self._add(summaries.scalars(found))
        verdict = results.get("verdict")
        if verdict is not None:
            said = [f"**{verdict['label']}** {verdict['sentence']}"]
            said += [f"- {warning}" for warning in verdict["warnings"]]
            self._add(summaries.text("verdict", "\n\n".join(said)))
        if self._files:
            listed = "\n".join(f"- `{self._out / name}`" for name in self._files)
            self._add(summaries.text("artifacts", listed))

    def _add(self, summary: Summary, step: int = 0) -> None:
        if self._writer is not None:
            self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
