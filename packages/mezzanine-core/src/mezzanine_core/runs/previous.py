"""What lies in a run directory, and how an earlier run is moved aside.

Only files that a run lists as its own are moved. A directory that holds anything else is refused.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from mezzanine_core.errors import OutputDirectoryError
from mezzanine_core.files import TEMPORARY
from mezzanine_core.results import RunRecord
from mezzanine_core.runs.state import (
    COMPARISON,
    DOCUMENTS,
    LOCK,
    PARTIAL,
    PREVIOUS,
    REPORT,
    RESULTS,
    STATE,
    folder_stamp,
    is_in_use,
    is_inside,
    read_state,
    write_state,
)

_OVERLOOKED = frozenset(
    {LOCK, *(f".{name}{TEMPORARY}" for name in (STATE, RESULTS, PARTIAL, REPORT, COMPARISON))}
    # What file managers leave in every folder they show.
    | {".DS_Store", "Thumbs.db", "desktop.ini"}
)
_NAMED = 3


def files_of(directory: Path) -> Iterator[str]:
    """Files below a directory, as relative POSIX paths; an empty folder counts, with a ``/``.

    Earlier runs, and what nobody owns (locks, remains of file managers), are left out. Links are
    not followed.

    Raises:
        OSError: If a folder cannot be listed.
    """
    for folder, folders, names in os.walk(directory, onerror=_raise):
        here = Path(folder)
        if here == directory:
            if PREVIOUS in folders and not (here / PREVIOUS).is_symlink():
                folders.remove(PREVIOUS)
            names = [name for name in names if name not in _OVERLOOKED]
        links = [name for name in folders if (here / name).is_symlink()]
        for name in sorted(names + links):
            yield (here / name).relative_to(directory).as_posix()
        if here != directory and not folders and not names:
            yield here.relative_to(directory).as_posix() + "/"


def _raise(error: OSError) -> None:
    raise error


def run_in(directory: Path) -> tuple[str, frozenset[str]] | None:
    """The run that lies in a directory: when it started, and which files are its own.

    A directory that lost its ``run.json`` is still known by its ``results.json``.

    Returns:
        Start time, ISO 8601 in UTC, and relative POSIX paths; ``None`` where there is no run.

    Raises:
        OSError: If a file that should tell cannot be read.
    """
    state = read_state(directory)
    if state is not None:
        return state.started, DOCUMENTS | frozenset(state.files)
    try:
        record = RunRecord.model_validate_json((directory / RESULTS).read_bytes())
        folder_stamp(record.started)
    except (FileNotFoundError, IsADirectoryError, ValueError):
        return None
    return record.started, DOCUMENTS | {name for name in record.artifacts if is_inside(name)}


def is_of_run(directory: Path, path: Path) -> bool:
    """Whether a path is that of a file of the run in a directory, or of an earlier one there.

    Raises:
        OSError: If a file that should tell cannot be read.
    """
    target, root = path.resolve(), directory.resolve()
    if not target.is_relative_to(root):
        return False
    name = target.relative_to(root)
    run = run_in(directory)
    own = DOCUMENTS | {LOCK} if run is None else run[1] | {LOCK}
    return name.parts[:1] == (PREVIOUS,) or name.as_posix() in own


def adopt_unfinished(directory: Path) -> None:
    """Have a run that was killed own all that its directory holds, so that it can be moved aside.

    For a directory that nobody but runs writes into.

    Raises:
        OSError: If it cannot be listed, read or written.
    """
    state = read_state(directory)
    if state is not None and state.status == "running" and not is_in_use(directory):
        found = (name for name in files_of(directory) if name not in DOCUMENTS)
        write_state(directory, state.model_copy(update={"files": tuple(found)}))


def refuse_others(directory: Path) -> None:
    """Check that a directory holds nothing but a run, earlier runs, or nothing at all.

    Raises:
        OutputDirectoryError: If it holds anything else; the message names some of it.
        OSError: If it cannot be listed or read.
    """
    run = run_in(directory)
    own = frozenset() if run is None else run[1]
    others = (name for name in files_of(directory) if not _is_among(name, own))
    foreign = list(islice(others, _NAMED + 1))
    if run is None and not foreign and not _is_history(directory / PREVIOUS):
        foreign = [f"{PREVIOUS}/"]
    if not foreign:
        return
    named = ", ".join(foreign[:_NAMED]) + (", …" if len(foreign) > _NAMED else "")
    raise OutputDirectoryError(
        f"the output directory {directory} holds files that are not of a run: {named}",
        hint="Nothing was touched. Choose another --out, or move these files away.",
    )


def _is_among(name: str, own: frozenset[str]) -> bool:
    """Whether a path is one of a run's own, or a folder that it made for one and did not fill."""
    is_folder = name.endswith("/")
    return name in own or (is_folder and any(each.startswith(name) for each in own))


def _is_history(previous: Path) -> bool:
    """Whether a folder is absent, or holds a run that was moved into it."""
    if not previous.exists():
        return True
    return previous.is_dir() and any(read_state(child) for child in previous.iterdir())


def set_aside(directory: Path) -> Path | None:
    """Move the run that lies in a directory to ``previous/<its start time>/`` inside it.

    ``run.json`` is moved last: should the process die in between, the directory still holds a run,
    and the next call moves the rest to the same place.

    Returns:
        Where it was moved to, or ``None`` where there was no run.

    Raises:
        OSError: If a file cannot be moved.
    """
    run = run_in(directory)
    if run is None:
        return None
    started, own = run
    found = (name for name in files_of(directory) if _is_among(name, own))
    names = sorted(found, key=_state_last)
    target = _vacant(directory / PREVIOUS, folder_stamp(started), names)
    for name in names:
        _move(directory, target, name)
    return target


def _state_last(name: str) -> tuple[bool, bool, str]:
    return name == STATE, name == RESULTS, name


def _vacant(previous: Path, stamp: str, names: list[str]) -> Path:
    """A folder for a run: a new one, or the one that an interrupted move has begun to fill."""
    for number in count(1):
        target = previous / (stamp if number == 1 else f"{stamp}-{number}")
        if not target.exists():
            break
        begun = target.is_dir() and read_state(target) is None
        files = [name for name in names if not name.endswith("/")]
        if begun and not any((target / name).exists() for name in files):
            break
    target.mkdir(parents=True, exist_ok=True)
    return target


def _move(directory: Path, target: Path, name: str) -> None:
    destination = target / name
    if name.endswith("/"):
        destination.mkdir(parents=True, exist_ok=True)
    else:
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(directory / name, destination)
    folder = directory / name if name.endswith("/") else (directory / name).parent
    while folder != directory and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
