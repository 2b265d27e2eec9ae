"""What went wrong on disk, said in words that help.

The storage libraries report a full disk in three ways: ``OSError``, a ``RuntimeError`` whose text
ends in ``(os error 28)``, and, for metadata that was damaged, whatever their parser met first.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mezzanine_core.errors import CacheError, CorruptSegmentError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
_NOT_A_DIRECTORY = {errno.ENOTDIR, errno.EEXIST}
_RUST_ERRNO = re.compile(r"\(os error (\d+)\)")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write below ``path`` into a :class:`CacheError` that says what to do."""
    try:
        yield
    except CacheError:
        raise
    except (OSError, RuntimeError) as error:
        raise write_error(path, error) from error


def write_error(path: Path, error: Exception) -> CacheError:
    """The :class:`CacheError` for ``error``, which ended a write below ``path``."""
    code = _errno(error)
    reason = os.strerror(code) if code is not None else str(error)
    elsewhere = "choose another cache directory (--cache-dir or MEZZ_CACHE_DIR)"
    if code in _NO_SPACE:
        hint = (
            f"Free some space (`mezz cache ls`, `mezz cache rm`) or {elsewhere}. "
            "What was committed is kept: the next run encodes only what is missing."
        )
    elif code in _NO_PERMISSION:
        hint = f"Make it writable, or {elsewhere}."
    elif code in _NOT_A_DIRECTORY:
        hint = f"Something else lies where the cache wants a directory; {elsewhere}."
    elif code == errno.ENOENT:
        hint = (
            "If another process removed it while it was written, run again; "
            f"if it cannot be made there at all, {elsewhere}."
        )
    else:
        hint = f"Check the disk, or {elsewhere}."
    return CacheError(f"cannot write the latent cache at {path}: {reason}", hint=hint)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn a failure to list or read ``path`` into a :class:`CacheError`."""
    try:
        yield
    except CacheError:
        raise
    except OSError as error:
        raise CacheError(
            f"cannot read the latent cache at {path}: {error.strerror or error}",
            hint="Check the path and its permissions, or choose another with --cache-dir.",
        ) from error


def corrupt(segment: Path, what: str) -> CorruptSegmentError:
    """The error for a committed segment that does not hold what its record says."""
    return CorruptSegmentError(
        f"cache segment {segment} is corrupt: {what}",
        hint="`mezz cache verify --remove` deletes it; the next run encodes its latents anew.",
    )


def removed(segment: Path) -> CacheError:
    """The error for a segment that another process removed while it was being read."""
    return CacheError(
        f"cache segment {segment} was removed while it was being read",
        hint="Another process ran `mezz cache rm` or `verify --remove`; run again.",
    )


def _errno(error: Exception) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    found = _RUST_ERRNO.search(str(error))
    return int(found.group(1)) if found else None
