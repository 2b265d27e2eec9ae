"""Progress bars on a terminal; imported when the first one is drawn."""

from __future__ import annotations

import time
from threading import Lock
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.progress import Task as RichTask
from rich.text import Text

from mezzanine_core.progress import Task, duration

_SECONDS_BETWEEN_UPDATES = 0.1


class _Speed(ProgressColumn):
    """Steps a second."""

    def render(self, task: RichTask) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s")


class _Steps(MofNCompleteColumn):
    """Steps done, and all of them; nothing where there are none to speak of."""

    def render(self, task: RichTask) -> Text:
        if task.total is None and not task.completed:
            return Text("")
        return super().render(task)


class _Time(TimeRemainingColumn):
    """Time left; where nobody knows that, time so far."""

    def render(self, task: RichTask) -> Text:
        if task.total is None and task.elapsed is not None:
            return Text(f"{duration(task.elapsed)} so far", style="progress.elapsed")
        return super().render(task)


class Bars:
    """One bar for each task under way; the bar of a task that took long enough stays.

    Args:
        stream: The terminal.
        grace: Seconds that a task may take without leaving its bar.
    """

    def __init__(self, stream: TextIO, grace: float) -> None:
        self._console = Console(file=stream)
        self._grace = grace
        self._rich: RichProgress | None = None
        self._ids: dict[Task, TaskID] = {}
        self._lock = Lock()

    def start(self, task: Task) -> float:
        """See :meth:`Display.start <mezzanine_core.progress.Display.start>`."""
        with self._lock:
            if self._rich is None:
                self._rich = self._begun()
            self._ids[task] = self._rich.add_task(task.label, total=task.total)
        return task.started + _SECONDS_BETWEEN_UPDATES

    def update(self, task: Task, now: float) -> float:
        """See :meth:`Display.update <mezzanine_core.progress.Display.update>`."""
        with self._lock:
            if self._rich is not None and task in self._ids:
                self._rich.update(self._ids[task], completed=task.done, total=task.total)
        return now + _SECONDS_BETWEEN_UPDATES

    def stop(self, task: Task, finished: bool) -> None:
        """See :meth:`Display.stop <mezzanine_core.progress.Display.stop>`."""
        with self._lock:
            bar = self._ids.pop(task, None)
            if self._rich is None or bar is None:
                return
            if finished and time.monotonic() - task.started < self._grace:
                self._rich.remove_task(bar)
            else:
                self._rich.update(bar, completed=task.done)
                self._rich.stop_task(bar)
        if not self._ids:
            self.close()

    def close(self) -> None:
        """See :meth:`Display.close <mezzanine_core.progress.Display.close>`."""
        with self._lock:
            bars, self._rich = self._rich, None
            self._ids.clear()
        if bars is not None:
            bars.stop()

    def _begun(self) -> RichProgress:
        bars = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            _Steps(),
            _Speed(),
            _Time(elapsed_when_finished=True),
            console=self._console,
            # Data goes to stdout as ever; log messages on stderr are written above the bars.
            redirect_stdout=False,
        )
        bars.start()
        return bars
