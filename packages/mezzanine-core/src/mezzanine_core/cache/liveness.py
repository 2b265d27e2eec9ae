"""Telling a segment that is being written from one whose writer died.

A writer holds a lock on a file in its segment's directory. The operating system drops the lock when
the process ends, however it ends, so no process number has to be trusted. Nobody ever waits for it:
it says *alive*, and orders nothing. Hosts that share a cache must share a file system that passes
locks on, as NFS does by default. Where there are none, what a dead writer left may stay for longer.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Self

from mezzanine_core.cache.layout import LOCK

# A directory without a lock file: its writer died between two system calls, or there are no locks.
_ABANDONED_AFTER_SECONDS = 24 * 3600.0


class WriterLock:
    """A sign of life, held while the object is not released and the process lives.

    Args:
        directory: The segment's directory.

    Raises:
        OSError: If the lock file cannot be made, or is held by another.
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
        """Take over a directory whose writer died; ``None`` where it lives, or may live."""
        try:
            if not (directory / LOCK).exists() and not _is_old(directory):
                return None
            return cls(directory)
        except OSError:  # held by its writer (a Timeout), somebody else's file, or just removed
            return None

    def release(self) -> None:
        """Give up the lock; its file stays. Idempotent."""
        self._lock.release(force=True)

    def remove(self) -> None:
        """Give up the lock and remove its file. Idempotent."""
        self.release()
        self._path.unlink(missing_ok=True)


def _is_old(directory: Path) -> bool:
    newest = max(path.stat().st_mtime for path in (directory, *directory.rglob("*")))
    return time.time() - newest > _ABANDONED_AFTER_SECONDS
