"""How far long work is: bars on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Protocol, Self, TextIO, TypeVar

T = TypeVar("T")

_NEVER = float("inf")
_SECONDS_BETWEEN_LOOKS = 0.25
_TELLING_SHARE = 0.02
_TELLING_SECONDS = 10.0


class Task:
    """A piece of work, shown for as long as its ``with`` block takes.

    Made by :meth:`Progress.task`.

    Attributes:
        label: What it is.
        total: How many steps it has, or ``None`` where nobody knows; may be set while it is under
            way.
        done: How many are done.
        started: When it began, by ``time.monotonic``.
    """

    def __init__(
        self,
        label: str,
        total: int | None,
        display: Display,
        checkpoint: Callable[[], None],
        watch: Callable[[Task, bool], None],
    ) -> None:
        self.label = label
        self.total = total
        self._checkpoint = checkpoint
        self._watch = watch
        self.done = 0
        self.started = time.monotonic()
        self._display = display
        self._due = _NEVER
        self._lock = Lock()

    def advance(self, n: int = 1) -> None:
        """Count ``n`` more steps as done. Threads may do so at the same time.

        Raises:
            KeyboardInterrupt: Within a run, if Ctrl-C was pressed and got lost.
        """
        self._checkpoint()
        with self._lock:
            self.done += n
        self.refresh()

    def refresh(self) -> None:
        """Show how far the task is, if it is time to; no step of it is done."""
        with self._lock:
            now = time.monotonic()
            if now >= self._due:
                self._due = self._shown(lambda: self._display.update(self, now), _NEVER)

    def __enter__(self) -> Self:
        self._watch(self, True)
        self.started = time.monotonic()
        self._due = self._shown(lambda: self._display.start(self), _NEVER)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._due = _NEVER
            self._shown(lambda: self._display.stop(self, error is None), None)
        self._watch(self, False)

    def _shown(self, draw: Callable[[], T], otherwise: T) -> T:
        """Draw. That a terminal is gone, or a pipe closed, is no reason for the work to fail."""
        try:
            return draw()
        except (OSError, ValueError):
            self._display = Silence()
            return otherwise


class Display(Protocol):
    """Where tasks are shown; times are those of ``time.monotonic``."""

    def start(self, task: Task) -> float:
        """Begin to show a task, and say when the first update is wanted."""

    def update(self, task: Task, now: float) -> float:
        """Show how far a task is, and say when the next update is wanted."""

    def stop(self, task: Task, finished: bool) -> None:
        """Show that a task has ended: it finished, or an exception ended it."""

    def close(self) -> None:
        """Stop showing anything."""


class Progress:
    """Shows how far long work is.

    On a terminal each task has a bar with its speed and the time left. Elsewhere (a file, a pipe,
    or where the environment variable ``CI`` is set) a task that takes longer than ``grace`` seconds
    writes a plain line every ``interval`` seconds and one at its end. Nothing goes to stdout.

    Args:
        quiet: Show nothing.
        stream: Where to; by default what ``sys.stderr`` is when the first task starts.
        grace: Seconds that a task may take without leaving a line.
        interval: Seconds between lines.

    Attributes:
        checkpoint: Called whenever a task advances; what it raises ends the work.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        grace: float = 2.0,
        interval: float = 5.0,
    ) -> None:
        self.checkpoint: Callable[[], None] = _go_on
        self._stream = stream
        self._grace = grace
        self._interval = interval
        self._display: Display | None = Silence() if quiet else None
        self._under_way: list[Task] = []
        self._lock = Lock()

    def task(self, label: str, total: int | None = None) -> Task:
        """A piece of work to be shown: ``with progress.task("encode", 100) as task: …``.

        Args:
            label: What it is.
            total: How many steps it has, or ``None`` where nobody knows.
        """
        with self._lock:
            if self._display is None:
                self._display = self._chosen()
            return Task(label, total, self._display, self.checkpoint, self._note)

    @contextmanager
    def stage(self, label: str) -> Iterator[None]:
        """A stretch of work, in which nothing is silent for long.

        Whenever no task in it is under way, it is itself shown, by its name and for how long it has
        taken so far: an import gives no account of its steps. Tasks in it are shown at their times
        even where a single step takes longer.

        Args:
            label: What it is.
        """
        if isinstance(self._display, Silence):
            yield
            return
        ended = Event()
        watcher = Thread(target=self._show_stage, args=(label, ended), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def _show_stage(self, label: str, ended: Event) -> None:
        """Show a stage from a thread of its own until it has ended, tasks of its own aside."""
        shown: Task | None = None
        with ExitStack() as open_task:
            while not ended.wait(_SECONDS_BETWEEN_LOOKS):
                under_way = self._noted()
                for task in under_way:
                    task.refresh()
                if not under_way:
                    shown = open_task.enter_context(self.task(label))
                elif shown is not None and under_way != [shown]:
                    open_task.close()
                    shown = None

    def _note(self, task: Task, begins: bool) -> None:
        with self._lock:
            if begins:
                self._under_way.append(task)
            else:
                self._under_way.remove(task)

    def _noted(self) -> list[Task]:
        with self._lock:
            return list(self._under_way)

    @contextmanager
    def checked(self, checkpoint: Callable[[], None]) -> Iterator[None]:
        """Call something whenever a task advances in the block; it may raise to end the work."""
        before, self.checkpoint = self.checkpoint, checkpoint
        try:
            yield
        finally:
            self.checkpoint = before

    def close(self) -> None:
        """Give the terminal back, tasks that never ended notwithstanding."""
        with self._lock:
            if self._display is not None:
                self._display.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _chosen(self) -> Display:
        stream = sys.stderr if self._stream is None else self._stream
        if stream is None:  # a process without a console
            return Silence()
        if stream.isatty() and not _wants_lines():
            # Rich takes a while to import: not before there is a bar to draw.
            from mezzanine_core.progress_bars import Bars

            return Bars(stream, self._grace)
        return Lines(stream, self._grace, self._interval)


def _go_on() -> None:
    """Nothing stands in the way."""


def _wants_lines() -> bool:
    """Whether what looks like a terminal is one that keeps every line."""
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return in_ci or os.environ.get("TERM") == "dumb"


class Silence:
    """Shows nothing."""

    def start(self, task: Task) -> float:
        """See :meth:`Display.start`."""
        return _NEVER

    def update(self, task: Task, now: float) -> float:
        """See :meth:`Display.update`."""
        return _NEVER

    def stop(self, task: Task, finished: bool) -> None:
        """See :meth:`Display.stop`."""

    def close(self) -> None:
        """See :meth:`Display.close`."""


SILENT = Progress(quiet=True)
"""Shows nothing: what work is given that nobody follows."""


class Lines:
    """Writes a line every few seconds: ``encode: 1200/7536 (16%), 12 s left``.

    Args:
        stream: Where to.
        grace: Seconds before the first line.
        interval: Seconds between lines.
    """

    def __init__(self, stream: TextIO, grace: float, interval: float) -> None:
        self._stream = stream
        self._grace = grace
        self._interval = interval

    def start(self, task: Task) -> float:
        """See :meth:`Display.start`."""
        return task.started + self._grace

    def update(self, task: Task, now: float) -> float:
        """See :meth:`Display.update`."""
        elapsed = now - task.started
        if not _counts(task):
            self._write(f"{task.label}: {duration(elapsed)} so far")
            return now + self._interval
        line = f"{task.label}: {_steps(task)}"
        if task.total and task.done and _is_telling(task, elapsed):
            left = elapsed * max(0, task.total - task.done) / task.done
            percent = min(100, 100 * task.done // task.total)
            line += f" ({percent}%), {duration(left)} left"
        else:
            line += f", {duration(elapsed)} so far"
        self._write(line)
        return now + self._interval

    def stop(self, task: Task, finished: bool) -> None:
        """See :meth:`Display.stop`."""
        elapsed = time.monotonic() - task.started
        if finished and elapsed >= self._grace:
            steps = f"{_steps(task)} in " if _counts(task) else "took "
            self._write(f"{task.label}: {steps}{duration(elapsed)}")

    def close(self) -> None:
        """See :meth:`Display.close`."""

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


def _counts(task: Task) -> bool:
    """Whether a task has steps to speak of."""
    return task.total is not None or task.done > 0


def _is_telling(task: Task, elapsed: float) -> bool:
    """Whether the speed so far says how long the rest takes: first steps are the slowest."""
    return elapsed >= _TELLING_SECONDS or task.done >= _TELLING_SHARE * (task.total or 0)


def _steps(task: Task) -> str:
    return str(task.done) if task.total is None else f"{task.done}/{task.total}"


def duration(seconds: float) -> str:
    """Seconds in words: ``12 s``, ``3 min 20 s``, ``1 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"
