"""Looking after a cache: listing, checking, collecting, deleting."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from mezzanine_core.cache.catalogue import Catalogue, segment_names
from mezzanine_core.cache.entries import (
    EncoderEntry,
    EncoderInfo,
    GcReport,
    Problem,
    RmReport,
    SegmentEntry,
    ViewEntry,
)
from mezzanine_core.cache.failures import reading, write_error
from mezzanine_core.cache.layout import (
    CARD,
    COMMIT,
    KEYS,
    LATENTS,
    LOCK,
    ViewRecord,
    read_card,
)
from mezzanine_core.cache.liveness import WriterLock
from mezzanine_core.cache.segment import Segment
from mezzanine_core.errors import CacheError, CorruptSegmentError, UnknownNameError
from mezzanine_core.files import TEMPORARY

# A temporary file lives for milliseconds; one that is older was left by a writer that died.
_TEMPORARY_SECONDS = 3600.0

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def ls(root: Path) -> list[EncoderEntry]:
    """See :meth:`LatentCache.ls <mezzanine_core.cache.LatentCache.ls>`."""
    entries = [_entry(directory) for directory in _encoders(root)]
    return sorted(entries, key=lambda entry: entry.modified or "", reverse=True)


def info(root: Path, prefix: str) -> EncoderInfo:
    """See :meth:`LatentCache.info <mezzanine_core.cache.LatentCache.info>`."""
    directory = _encoder(root, prefix)
    segments, _, _ = _segments(directory)
    catalogue = Catalogue(directory)
    catalogue.refresh()
    return EncoderInfo(
        entry=_entry(directory),
        path=str(directory),
        items=catalogue.distinct(),
        segments=tuple(sorted((_segment_entry(s) for s in segments), key=lambda s: s.created)),
        views=tuple(_views(directory)),
    )


def verify(root: Path, prefix: str | None, *, remove: bool) -> list[Problem]:
    """See :meth:`LatentCache.verify <mezzanine_core.cache.LatentCache.verify>`."""
    problems = []
    for directory in _encoders(root) if prefix is None else [_encoder(root, prefix)]:
        for name in sorted(segment_names(directory)):
            path = directory / "segments" / name
            try:
                segment = Segment.open(path)
                if segment is not None:
                    segment.verify()
            except CacheError as error:
                # A segment of a later layout, or one that is not ours to read, is no damage.
                removed = remove and isinstance(error, CorruptSegmentError)
                if removed:
                    _remove_segment(path)
                problems.append(
                    Problem(directory.name, str(path), error.message, error.hint or "", removed)
                )
    return problems


def gc(root: Path, *, dry_run: bool) -> GcReport:
    """See :meth:`LatentCache.gc <mezzanine_core.cache.LatentCache.gc>`."""
    removed, size, in_flight = [], 0, 0
    for directory in _encoders(root):
        abandoned, alive = _abandoned(directory)
        in_flight += alive
        for path, claim in (*abandoned, *_stale_temporaries(directory)):
            removed.append(str(path))
            size += _size(path)
            if claim is not None and not dry_run:
                _remove_segment(path, claim)
            elif claim is not None:
                claim.release()
            elif not dry_run:
                _remove(path)
    return GcReport(tuple(removed), size, in_flight)


def rm(root: Path, prefix: str | None, *, dry_run: bool) -> RmReport:
    """See :meth:`LatentCache.rm <mezzanine_core.cache.LatentCache.rm>`."""
    directories = list(_encoders(root)) if prefix is None else [_encoder(root, prefix)]
    segments = rows = size = in_flight = 0
    for directory in directories:
        entry = _entry(directory)
        segments, rows, size = segments + entry.segments, rows + entry.rows, size + entry.bytes
        in_flight += _remove_encoder(directory, dry_run=dry_run)
    names = tuple(directory.name for directory in directories)
    return RmReport(names, segments, rows, size, in_flight)


def _encoders(root: Path) -> Iterator[Path]:
    """Directories of encoders: what else lies in the root is not ours.

    An encoder's directory has a card that can be read, or, where its card was damaged, at least a
    name that is a fingerprint and segments.
    """
    with reading(root):
        if not root.exists():
            return
        for path in sorted(root.iterdir()):
            named = _FINGERPRINT.fullmatch(path.name) and (path / "segments").is_dir()
            if named or read_card(path) is not None:
                yield path


def _encoder(root: Path, prefix: str) -> Path:
    matches = [path for path in _encoders(root) if prefix and path.name.startswith(prefix)]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise UnknownNameError(
            f"no encoder in the cache at {root} has a fingerprint that begins with {prefix!r}",
            hint="`mezz cache ls` shows what there is.",
        )
    names = ", ".join(path.name[: len(prefix) + 8] for path in matches)
    raise UnknownNameError(
        f"{len(matches)} encoders begin with {prefix!r}: {names}", hint="Give more digits."
    )


def _entry(directory: Path) -> EncoderEntry:
    segments, broken, uncommitted = _segments(directory)
    card = read_card(directory)
    records = [segment.record for segment in segments]
    times = sorted(record.created for record in records)
    dims = [record.dim for record in records] if card is None else [card.dim]
    return EncoderEntry(
        fingerprint=directory.name,
        name="?" if card is None else str(card.encoder.get("name", "?")),
        dim=dims[0] if dims else None,
        dtype=",".join(sorted({record.dtype for record in records})),
        segments=len(records),
        rows=sum(record.rows for record in records),
        bytes=_size(directory),
        created=times[0] if times else None,
        modified=times[-1] if times else None,
        views=len(list((directory / "views").glob("*.json"))),
        broken=broken,
        uncommitted=uncommitted,
        card={} if card is None else card.encoder,
    )


def _segments(directory: Path) -> tuple[list[Segment], int, int]:
    """Committed segments, and the numbers of those with a broken record and of uncommitted ones."""
    segments, broken, uncommitted = [], 0, 0
    for name in segment_names(directory):
        try:
            segment = Segment.open(directory / "segments" / name)
        except CacheError:
            broken += 1
            continue
        if segment is None:
            uncommitted += 1
        else:
            segments.append(segment)
    return segments, broken, uncommitted


def _segment_entry(segment: Segment) -> SegmentEntry:
    record = segment.record
    return SegmentEntry(
        segment.directory.name, record.rows, record.dtype, _size(segment.directory), record.created
    )


def _views(directory: Path) -> Iterator[ViewEntry]:
    for path in sorted((directory / "views").glob("*.json")):
        try:
            record = ViewRecord.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue  # a note for people that cannot be read is not worth an error
        yield ViewEntry(path.stem, record.created, record.summary)


def _abandoned(directory: Path) -> tuple[list[tuple[Path, WriterLock]], int]:
    """Uncommitted segments whose writer died, and the number of those whose writer may live.

    Each of the former with its lock, which keeps others from it until it is removed.
    """
    abandoned, alive = [], 0
    for name in segment_names(directory):
        path = directory / "segments" / name
        if (path / COMMIT).exists():
            continue
        claim = WriterLock.claim(path)
        if claim is None:
            alive += 1
            continue
        if (path / COMMIT).exists():
            claim.remove()  # its writer finished and let go just before the lock was claimed
        else:
            abandoned.append((path, claim))
    return abandoned, alive


def _stale_temporaries(directory: Path) -> Iterator[tuple[Path, None]]:
    for folder in (directory, directory / "views"):
        for path in folder.glob(f"*{TEMPORARY}"):
            if time.time() - path.stat().st_mtime > _TEMPORARY_SECONDS:
                yield path, None


def _remove_encoder(directory: Path, *, dry_run: bool) -> int:
    """Delete all that is not being written; the number of segments that are."""
    abandoned, alive = _abandoned(directory)
    if dry_run:
        for _, claim in abandoned:
            claim.release()
        return alive
    for name in segment_names(directory):
        if (directory / "segments" / name / COMMIT).exists():
            _remove_segment(directory / "segments" / name)
    for path, claim in abandoned:
        _remove_segment(path, claim)
    views = directory / "views"
    for path in (*views.glob("*.json"), *views.glob(f"*{TEMPORARY}")):
        _remove(path)
    if not alive:
        for path in (directory / CARD, *directory.glob(f"*{TEMPORARY}")):
            _remove(path)
        _remove_if_empty(views, directory / "segments", directory)
    return alive


def _remove_segment(path: Path, claim: WriterLock | None = None) -> None:
    """Delete a segment, so that it stops to exist before it begins to be incomplete.

    Only what a writer makes is deleted, never a file that somebody else put there.
    """
    for name in (COMMIT, LATENTS, KEYS):
        _remove(path / name)
    with contextlib.suppress(FileNotFoundError):  # its writer removes it at the same time
        for temporary in path.glob(f"*{TEMPORARY}"):
            _remove(temporary)
    if claim is None:
        _remove(path / LOCK)
    else:
        claim.remove()
    _remove_if_empty(path)


def _remove_if_empty(*directories: Path) -> None:
    for directory in directories:
        try:
            directory.rmdir()
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise write_error(directory, error) from error


def _remove(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return  # another process was faster
    except OSError as error:
        raise write_error(path, error) from error


def _size(path: Path) -> int:
    """Bytes of all files at and below ``path``; what vanishes meanwhile counts nothing."""
    below = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
    total = 0
    for file in (path, *below):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total
