"""Telling a segment that is being written from one whose writer died.

A writer holds a lock on a file in its segment's directory. The operating system drops the lock when
the process ends, however it ends, so no process number has to be trusted. Nobody ever waits for it:
it says *alive*, and orders nothing. Hosts that share a cache must share a file system that passes
locks on, as NFS does by default. Where there are none, what a dead writer left may stay for longer.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Self

from mezzanine_core.cache.layout import LOCK

# A directory with files but without that of the lock: there are no locks here.
_ABANDONED_AFTER_SECONDS = 24 * 3600.0


class WriterLock:
    """A sign of life, held while the object is not released and the process lives.

    Args:
        directory: The segment's directory.

    Raises:
        TimeoutError: If another holds the lock.
        OSError: If the lock file cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        from filelock import FileLock  # not at import: it alone takes half as long as `mezz list`

        self._path = directory / LOCK
        # A writer may be closed from another thread than the one that opened it.
        self._lock = FileLock(str(self._path), timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except NotImplementedError:
            # No locks on this file system: without the file, a reader goes by age.
            self._path.unlink(missing_ok=True)

    @classmethod
    def claim(cls, directory: Path) -> Self | None:
        """Take over a directory whose writer died; ``None`` where it lives, or may live.

        An empty directory is taken too, where there are locks: its writer died before it had its
        own. One that lives finds the lock taken, and begins elsewhere.
        """
        try:
            files = [path.name for path in directory.iterdir()]
            if LOCK in files or _is_old(directory):
                return cls(directory)
            lock = None if files else cls(directory)
            return lock if lock is not None and lock._lock.is_locked else None
        except OSError:  # held by its writer (a Timeout), somebody else's file, or just removed
            return None

    def release(self) -> None:
        """Give up the lock; its file stays. Idempotent."""
        self._lock.release(force=True)

    def remove(self) -> None:
        """Remove the lock's file and give up the lock. Idempotent."""
        if os.name == "nt":  # where a file that is open cannot be removed
            self.release()
        # While it is held, so that nobody gets hold of a file that is about to go.
        self._path.unlink(missing_ok=True)
        self.release()


def _is_old(directory: Path) -> bool:
    newest = max(path.stat().st_mtime for path in (directory, *directory.rglob("*")))
    return time.time() - newest > _ABANDONED_AFTER_SECONDS
