"""The document ``run.json``: what a run directory belongs to, and how far its run came.

It is written when a run starts and again whenever the run creates files, so that the directory says
which of its files are the run's, whatever becomes of the process.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from filelock import FileLock
from pydantic import ConfigDict, Field, ValidationError, field_validator

from mezzanine_core.config import MezzModel
from mezzanine_core.files import write_atomically

STATE = "run.json"
RESULTS = "results.json"
ERROR_LOG = "error.log"
COMPARISON = "comparison.json"
PARTIAL = "partial.json"
REPORT = "report.html"
DOCUMENTS = frozenset({STATE, RESULTS, ERROR_LOG, PARTIAL, REPORT, COMPARISON})
"""Files in a run directory that are no artifacts."""
LOCK = ".mezz.lock"
PREVIOUS = "previous"

Status = Literal["running", "finished", "failed", "interrupted"]


class RunState(MezzModel):
    """The document ``run.json``."""

    # A newer version may know more of a run; what this one knows is enough to list and to move it.
    model_config = ConfigDict(extra="ignore")

    format: Literal["mezzanine-run"] = "mezzanine-run"
    schema_version: int = Field(default=1, ge=1)
    recipe: str
    fingerprint: str
    started: str = Field(description="ISO 8601 in UTC")
    ended: str | None = Field(default=None, description="ISO 8601 in UTC")
    status: Status = "running"
    error: str | None = Field(default=None, description="What ended a run that did not finish")
    pid: int = Field(ge=0)
    command: str
    files: tuple[str, ...] = Field(
        default=(), description="The run's files, relative to its directory"
    )

    @field_validator("started")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        datetime.fromisoformat(text)
        return text

    @field_validator("files")
    @classmethod
    def _stay_inside(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse names that lead out of the directory: files of this list are moved."""
        for name in files:
            if not is_inside(name):
                raise ValueError(f"{name!r} is not inside the run directory")
        return files


def is_inside(name: str) -> bool:
    """Whether a relative POSIX path stays inside the directory that it starts from."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def timestamp(moment: datetime) -> str:
    """A time as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def folder_stamp(moment: str) -> str:
    """An ISO 8601 time as a folder's name, to the second; it sorts as the times do."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")


def read_state(directory: Path) -> RunState | None:
    """What ``run.json`` of a directory says, or ``None`` where it has none of ours.

    Raises:
        OSError: If it is there but cannot be read.
    """
    try:
        return RunState.model_validate_json((directory / STATE).read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValidationError):
        return None


def write_state(directory: Path, state: RunState) -> None:
    """Write ``run.json``, whole or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    write_atomically(directory / STATE, state.model_dump_json(indent=2) + "\n")


def run_lock(directory: Path) -> FileLock:
    """The lock that a run holds on its directory; the system releases it when the process dies."""
    return FileLock(directory / LOCK)


def is_in_use(directory: Path) -> bool:
    """Whether a live process is running in a directory."""
    if not (directory / LOCK).exists():
        return False
    lock = run_lock(directory)
    try:
        with lock.acquire(timeout=0):
            return False
    except OSError:
        # Held, or not ours to try.
        return True
