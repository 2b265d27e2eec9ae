"""A spawned process that computes tasks, and the parent's handle on it.

Each worker has a pipe of its own, of which nobody else holds the other end. However a worker dies,
even in the middle of a reply, the parent reads an end of file. (In a ``ProcessPoolExecutor`` all
workers reply through one pipe, whose writing end the parent holds too: one that is killed while it
replies leaves the parent waiting for ever.)
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from typing import TypeVar

from mezzanine_core.errors import WorkerError

T = TypeVar("T")
R = TypeVar("R")

_REAP_SECONDS = 5.0

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""Environment variables that numerical libraries read their number of threads from."""


class Worker:
    """A worker process, computing one task at a time for the thread that calls it.

    Raises:
        WorkerError: If the process cannot be started.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        # A daemon is ended with its parent, should nobody stop it before.
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._answered = False
        try:
            with _interrupts_blocked():
                self._process.start()
        except OSError as error:
            self._connection.close()
            raise WorkerError(
                f"cannot start a worker process: {error}",
                hint="Run with fewer workers, or with `--workers 1`.",
            ) from error
        finally:
            theirs.close()

    @property
    def alive(self) -> bool:
        """Whether the process can take another task."""
        return self._process.is_alive()

    def call(self, function: Callable[[T], R], task: T) -> R:
        """Compute ``function(task)`` in the process, and wait for it.

        Raises:
            WorkerError: If the process dies.
            Exception: What the task raises, or what pickling it raises.
        """
        request = _dumps((function, task))
        try:
            self._connection.send_bytes(request)
            reply = self._connection.recv_bytes()
        except (EOFError, OSError):
            raise self._death() from None
        except BaseException:
            # Half a message may be left in the pipe, for the next call to stumble over.
            self._process.kill()
            self._process.join()
            raise
        self._answered = True
        succeeded, value = pickle.loads(reply)
        if succeeded:
            return value  # type: ignore[no-any-return]
        raise value

    def kill(self) -> None:
        """End the process at once, in the middle of its task or not."""
        self._process.kill()

    def release(self) -> None:
        """Wait until the process has ended, and give back what the handle holds."""
        self._process.join()
        self._connection.close()

    def _death(self) -> WorkerError:
        self._process.join(_REAP_SECONDS)
        code = self._process.exitcode
        hint = "Run with fewer workers, or with `--workers 1`, which computes in the main process."
        if code is None:
            how = "closed its connection"
        elif code < 0:
            how = f"was killed by signal {-code} ({signal.strsignal(-code)})"
            hint = f"The machine may have run out of memory. {hint}"
        else:
            how = f"exited with code {code} in the middle of a task"
        if code == 1 and not self._answered:
            hint += " A script that uses workers needs an `if __name__ == '__main__':` guard."
        return WorkerError(f"a worker process {how}", hint=hint)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Make a process that is started inside inherit a mask that keeps Ctrl-C from it.

    A terminal sends Ctrl-C to parent and workers alike. The parent answers it; a worker that is
    still importing would end with a traceback on the terminal.
    """
    if sys.platform == "win32":
        yield
        return
    # The tracker is a process too, started with the first worker; starting it lifts the mask.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(parent: connection.Connection) -> None:
    """Answer requests until the parent closes the connection or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The parent would wait for a program that a task starts, as long as that held the connection.
    os.set_inheritable(parent.fileno(), False)
    # What a library greets with must not mix with data that the command prints.
    with suppress(OSError):  # there may be no stderr
        os.dup2(2, 1)
    # Workers fill the machine between them: more threads in each would only compete.
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    while True:
        try:
            parent.send_bytes(_answer(parent.recv_bytes()))
        except (EOFError, OSError):
            return


def _exit_with_parent() -> None:
    """End this process when its parent is killed, be it in the middle of a task."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(request: bytes) -> bytes:
    try:
        function, task = pickle.loads(request)
        return _dumps((True, function(task)))
    except Exception as error:  # noqa: BLE001 - the caller gets it
        return _failure(error)


def _failure(error: Exception) -> bytes:
    """A reply that raises ``error`` in the parent, or what tells of it where it cannot travel."""
    error.add_note("In a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        reply = _dumps((False, error))
        pickle.loads(reply)
    except Exception:  # noqa: BLE001 - an exception with a constructor of its own may do anything
        text = f"a task failed with {type(error).__name__}: {error}"
        return _dumps((False, WorkerError(text)))
    return reply


def _dumps(value: object) -> bytes:
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
