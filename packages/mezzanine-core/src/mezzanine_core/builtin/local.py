"""The built-in executor: the calling thread, or worker processes on this machine."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Lock
from typing import TypeVar

from pydantic import Field

from mezzanine_core.builtin.worker import Worker
from mezzanine_core.config import ComponentConfig
from mezzanine_core.errors import WorkerError
from mezzanine_core.executors import Executor
from mezzanine_core.interrupts import interrupts_deferred

T = TypeVar("T")
R = TypeVar("R")

_SECONDS_BETWEEN_LOOKS = 0.5


class LocalConfig(ComponentConfig):
    """Settings of the executor ``local``."""

    workers: int | None = Field(
        default=None,
        ge=1,
        description="Processes to compute with; one for each usable CPU by default",
    )


def usable_cpus() -> int:
    """How many CPUs this process may use; its affinity is respected where the system tells it."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalExecutor(Executor):
    """Runs tasks on this machine.

    With one worker tasks run in the calling thread, each when its result is asked for. With more,
    they run in processes that are started when they are first needed and kept until
    :meth:`close`. They are spawned, not forked, so that threads and GPU contexts of the parent do
    no harm; numerical libraries in them use one thread each, unless the environment says otherwise.

    Args:
        config: The executor's settings.
    """

    def __init__(self, config: LocalConfig) -> None:
        self.workers = config.workers or usable_cpus()
        self._crew: _Crew | None = None

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """See :meth:`Executor.map`; at most twice as many tasks as workers are in flight.

        Raises:
            WorkerError: If a worker process dies, or none can be started.
        """
        if self.workers == 1:
            return map(function, tasks)
        return self._map(function, tasks)

    def _map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        if self._crew is None:
            self._crew = _Crew(self.workers)
        crew = self._crew
        futures = _submitted(crew, function, tasks)
        window: deque[Future[R]] = deque()
        try:
            window.extend(islice(futures, 2 * self.workers))
            while window:
                result = _outcome(window.popleft())
                window.extend(islice(futures, 1))
                yield result
        except (CancelledError, WorkerError) as error:
            raise _closed() if crew.dismissed else error from None
        finally:
            for future in window:
                future.cancel()

    def close(self) -> None:
        """Kill the workers, those too that are in the middle of a task."""
        # A second Ctrl-C must not leave workers behind.
        with interrupts_deferred():
            crew, self._crew = self._crew, None
            if crew is not None:
                crew.dismiss()


def _outcome(future: Future[R]) -> R:
    """The result of a future, waited for in such a way that no Ctrl-C is missed.

    A signal that comes after Python's last look at its signals, but before the operating system
    puts the thread to sleep, is seen only when the thread wakes.
    """
    while not future.done():
        wait([future], timeout=_SECONDS_BETWEEN_LOOKS)
    return future.result()


def _submitted(crew: _Crew, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[Future[R]]:
    """A future for each task; an error in the input comes at its place, after earlier results."""
    try:
        for task in tasks:
            yield crew.submit(function, task)
    except Exception as error:  # noqa: BLE001 - raised where its result would be
        failed: Future[R] = Future()
        failed.set_exception(error)
        yield failed


def _closed() -> WorkerError:
    return WorkerError("the executor was closed while tasks were under way")


class _Crew:
    """Threads, each of which waits for one worker process at a time.

    The threads read replies as they come, so that no worker waits for the consumer of a result.
    """

    def __init__(self, size: int) -> None:
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="mezz-worker")
        self._lock = Lock()
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self.dismissed = False

    def submit(self, function: Callable[[T], R], task: T) -> Future[R]:
        if self.dismissed:
            raise _closed()
        return self._threads.submit(self._call, function, task)

    def _call(self, function: Callable[[T], R], task: T) -> R:
        worker = self._hire()
        try:
            return worker.call(function, task)
        finally:
            self._give_back(worker)

    def _hire(self) -> Worker:
        with self._lock:
            if self.dismissed:
                raise _closed()
            if self._idle:
                return self._idle.pop()
            worker = Worker()
            self._workers.add(worker)
            return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            if self.dismissed:
                return
            if worker.alive:
                self._idle.append(worker)
                return
            self._workers.remove(worker)
        worker.release()

    def dismiss(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self.dismissed = True
            for worker in self._workers:
                worker.kill()
        self._threads.shutdown()
        for worker in self._workers:
            worker.release()
