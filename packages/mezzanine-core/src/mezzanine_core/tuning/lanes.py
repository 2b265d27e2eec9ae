"""Where the runs of trials are made: in this process, or in several others at once."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Self

from mezzanine_core.builtin.worker import Worker
from mezzanine_core.interrupts import interrupts_deferred
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.progress import Progress
from mezzanine_core.results import RunRecord
from mezzanine_core.tuning.trials import TrialRun, make_run, make_run_in_worker

_SECONDS_BETWEEN_LOOKS = 0.5


class Lanes:
    """Makes runs, each once: who asks for one that is under way gets the same.

    Args:
        count: How many runs are made at once. One is made in this process, when its result is
            waited for; more in worker processes, which are started when they are needed.
        registry: The installed plugins, for runs in this process; workers load their own.
        progress: Where runs in this process show how far they are.
    """

    def __init__(self, count: int, registry: Registry, progress: Progress) -> None:
        self.count = count
        self._registry = registry
        self._progress = progress
        self._runs: dict[Path, Future[RunRecord]] = {}
        self._waiting: list[tuple[TrialRun, Future[RunRecord]]] = []
        self._threads = ThreadPoolExecutor(count) if count > 1 else None
        self._mine = threading.local()
        self._workers: list[Worker] = []

    def submit(self, run: TrialRun) -> Future[RunRecord]:
        """Ask for a run; what it raises comes with the result."""
        known = self._runs.get(run.directory)
        if known is not None:
            return known
        future: Future[RunRecord]
        if self._threads is None:
            future = Future()
            self._waiting.append((run, future))
        else:
            future = self._threads.submit(self._call, run)
        self._runs[run.directory] = future
        return future

    def wait(self, futures: list[Future[RunRecord]]) -> list[Future[RunRecord]]:
        """Wait until one of the runs is done, and return those that are, in the order given.

        Raises:
            KeyboardInterrupt: If the user interrupts.
        """
        while not any(future.done() for future in futures):
            if self._threads is None:
                self._next()
            else:
                wait(futures, timeout=_SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
        return [future for future in futures if future.done()]

    def _next(self) -> None:
        run, future = self._waiting.pop(0)
        try:
            future.set_result(make_run(run, self._registry, self._progress))
        except Exception as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    def _call(self, run: TrialRun) -> RunRecord:
        worker: Worker | None = getattr(self._mine, "worker", None)
        if worker is None or not worker.alive:
            worker = self._mine.worker = Worker()
            self._workers.append(worker)
        return worker.call(make_run_in_worker, run)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the workers, those too that are in the middle of a run."""
        if self._threads is None:
            return
        # A second Ctrl-C must not leave workers behind.
        with interrupts_deferred():
            self._threads.shutdown(wait=False, cancel_futures=True)
            for worker in self._workers:
                worker.kill()
            self._threads.shutdown()
            for worker in self._workers:
                worker.release()
