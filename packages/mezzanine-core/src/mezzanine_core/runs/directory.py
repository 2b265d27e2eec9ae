"""The directory of a run: who may use it, which files are the run's, how the run ended."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import BaseFileLock, Timeout

from mezzanine_core.errors import MezzError, OutputDirectoryError, PluginError
from mezzanine_core.files import write_atomically
from mezzanine_core.interrupts import interrupts_deferred
from mezzanine_core.results import RunRecord, plain_text
from mezzanine_core.runs.previous import files_of, refuse_others, set_aside
from mezzanine_core.runs.state import (
    DOCUMENTS,
    ERROR_LOG,
    LOCK,
    PARTIAL,
    PREVIOUS,
    REPORT,
    RESULTS,
    RunState,
    Status,
    folder_stamp,
    is_inside,
    read_state,
    run_lock,
    timestamp,
    write_state,
)

_log = logging.getLogger(__name__)

_LOCK_SECONDS = 1.0


class RunDirectory:
    """A directory that a run has for itself until the ``with`` block ends.

    However the block ends, ``run.json`` says how: ``finished``, ``interrupted`` by Ctrl-C, or
    ``failed``, with the traceback in ``error.log``. A run that is killed stays ``running`` there,
    while its lock is free.

    Made by :meth:`claim`.

    Attributes:
        path: The directory, absolute.
        moved: Where an earlier run was moved to, or ``None``.
    """

    def __init__(self, path: Path, lock: BaseFileLock, state: RunState, moved: Path | None) -> None:
        self.path = path
        self.moved = moved
        self._lock = lock
        self._state = state

    @classmethod
    def claim(
        cls,
        out: Path | None,
        *,
        recipe: str,
        fingerprint: str,
        command: str,
        started: datetime | None = None,
    ) -> Self:
        """Take a directory for a new run, moving an earlier run aside.

        Args:
            out: The directory, made where it does not exist; or ``None`` for a fresh one,
                ``runs/<recipe>/<UTC time>-<first 8 digits of the fingerprint>``.
            recipe: Name of the recipe or preset.
            fingerprint: The run's fingerprint.
            command: The command line, for ``run.json``.
            started: When the run started; now by default.

        Raises:
            OutputDirectoryError: If another run is using the directory, if it holds files that are
                not of a run, or if it cannot be made or written.
        """
        started = datetime.now(UTC) if started is None else started
        state = RunState(
            recipe=recipe,
            fingerprint=fingerprint,
            started=timestamp(started),
            pid=os.getpid(),
            command=plain_text(command),
        )
        if out is None:
            path = _fresh(Path("runs", recipe), f"{folder_stamp(state.started)}-{fingerprint[:8]}")
        else:
            check_out(out)
            path = _absolute(out)
            with _explained(path, "be used"):
                path.mkdir(parents=True, exist_ok=True)
        lock = _locked(path)
        try:
            with _explained(path, "be used"):
                refuse_others(path)
                moved = set_aside(path)
                write_state(path, state)
            if moved is not None:
                _log.info("moved the earlier run in %s to %s", path, moved.relative_to(path))
        except BaseException:
            lock.release()
            raise
        return cls(path, lock, state, moved)

    def announce(self, name: str) -> Path:
        """Say that a file belongs to the run, before it is written.

        Args:
            name: Path relative to the directory; its folders are made.

        Returns:
            The path to write to.

        Raises:
            PluginError: If the name leads out of the directory or is one of its own documents.
        """
        taken = DOCUMENTS | {LOCK, PREVIOUS}
        if not is_inside(name) or Path(name).parts[0] in taken:
            raise PluginError(f"a run cannot write an artifact named {name!r}")
        path = self.path / name
        with _explained(self.path, "be written"):
            # Listed first: the folder of a run that is killed in between is known for its own.
            self._add(path.relative_to(self.path).as_posix())
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def adopt(self) -> None:
        """Say that every file that is in the directory now belongs to the run."""
        with _explained(self.path, "be written"):
            self._add(*files_of(self.path))

    def write_results(self, record: RunRecord) -> None:
        """Write ``results.json``, whole or not at all.

        Raises:
            OutputDirectoryError: If it cannot be written.
        """
        with _explained(self.path, "be written"):
            write_atomically(self.path / RESULTS, record.model_dump_json(indent=2) + "\n")

    def write_partial(self, record: RunRecord) -> None:
        """Write ``partial.json``: what a run that does not finish knew of itself.

        Raises:
            OutputDirectoryError: If it cannot be written.
        """
        with _explained(self.path, "be written"):
            write_atomically(self.path / PARTIAL, record.model_dump_json(indent=2) + "\n")

    def write_report(self, page: str) -> None:
        """Write ``report.html``, whole or not at all.

        Raises:
            OutputDirectoryError: If it cannot be written.
        """
        with _explained(self.path, "be written"):
            write_atomically(self.path / REPORT, page)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Whoever presses Ctrl-C twice is not told less of what became of the run.
        with interrupts_deferred():
            try:
                self._note(error)
            except (OSError, MezzError) as problem:
                # The disk may be what failed the run: that it cannot be noted must not hide it.
                _log.warning("cannot note in %s how the run ended: %s", self.path, problem)
            finally:
                self._lock.release()

    def _note(self, error: BaseException | None) -> None:
        if error is None:
            self._end("finished", None)
        elif isinstance(error, KeyboardInterrupt):
            self._end("interrupted", None)
        else:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        message = summary(error)
        text = plain_text("".join(traceback.format_exception(error)))
        write_atomically(self.path / ERROR_LOG, f"{self._state.command}\n\n{text}")
        self._end("failed", plain_text(message))

    def _end(self, status: Status, error: str | None) -> None:
        with _explained(self.path, "be written"):
            files = sorted({*self._state.files, *files_of(self.path)})
            self._save(
                files=tuple(files), status=status, error=error, ended=timestamp(datetime.now(UTC))
            )

    def _add(self, *names: str) -> None:
        files = {*self._state.files, *names}
        if len(files) > len(self._state.files):
            self._save(files=tuple(sorted(files)))

    def _save(self, **changes: object) -> None:
        self._state = self._state.model_copy(update=changes)
        write_state(self.path, self._state)


def check_out(out: Path | None) -> None:
    """Check, touching nothing, whether a run may use a directory; cheap, to be done early.

    Raises:
        OutputDirectoryError: If it holds files that are not of a run, or is no directory.
    """
    if out is None:
        return
    path = _absolute(out)
    # Where there is a lock, only its holder knows which files are whose.
    with _explained(path, "be used"):
        if path.exists() and not (path / LOCK).exists():
            refuse_others(path)


def summary(error: BaseException) -> str:
    """What is wrong, in a line."""
    if isinstance(error, MezzError):
        return error.message
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _absolute(out: Path) -> Path:
    try:
        return out.expanduser().absolute()
    except RuntimeError as error:
        raise OutputDirectoryError(f"the output directory {out}: {error}") from error


def _fresh(parent: Path, name: str) -> Path:
    """Make a directory that was not there before."""
    parent = parent.absolute()
    for number in count(1):
        path = parent / (name if number == 1 else f"{name}-{number}")
        with _explained(path, "be made"):
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                if path.is_dir():
                    continue
                raise
        return path
    raise AssertionError("count() does not end")


def _locked(path: Path) -> BaseFileLock:
    lock = run_lock(path)
    with _explained(path, "be used"):
        try:
            # Not at once: a listing tries the lock too, for a moment.
            lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout:
            state = read_state(path)
            whose = f" (process {state.pid}, started {state.started})" if state else ""
            raise OutputDirectoryError(
                f"another run is using the output directory {path}{whose}",
                hint="Wait until it has ended, or choose another --out.",
            ) from None
    return lock


@contextmanager
def _explained(path: Path, what: str) -> Iterator[None]:
    """Turn what the file system refuses into an error that says what to do."""
    try:
        yield
    except MezzError:
        raise
    except OSError as error:
        culprit = f" ({error.filename})" if error.filename not in (None, str(path)) else ""
        raise OutputDirectoryError(
            f"the output directory {path} cannot {what}: {error.strerror or error}{culprit}",
            hint="Choose another --out, or see to its permissions and to the space on its disk.",
        ) from error
