"""Where the files of a data set are: the interface, and the local folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.fingerprint import file_digest
from mezzanine_worlds_lerobot.metadata import EPISODES, INFO, Metadata, read_info, read_metadata


class Source(ABC):
    """The files of a data set, of which only the metadata need to be here yet.

    Attributes:
        name: What the data set is called in messages.
        folder: Where its metadata lie.
    """

    name: str
    folder: Path

    @abstractmethod
    def file(self, name: str) -> Path:
        """A file of the data set, fetched if it is not here yet.

        Args:
            name: Its name in the data set, with slashes.

        Raises:
            DataError: If there is no such file.
            DatasetNotFoundError: If it has to be fetched and cannot be.
        """

    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """What all files have in common, as JSON values; enters the source fingerprint."""

    @abstractmethod
    def file_identity(self, name: str) -> str:
        """What tells the content of a file from any other of the same :meth:`identity`.

        Raises:
            DataError: If there is no such file, or it cannot be read.
        """

    @abstractmethod
    def describe(self) -> Mapping[str, Any]:
        """Where the data set is from, for the report, as JSON values."""

    def metadata(self) -> Metadata:
        """Read what the data set says of itself.

        Raises:
            DataError: If it cannot be read.
            FormatError: If it is in another version of LeRobot's format.
        """
        info = read_info(self.folder / INFO, self.name)
        files = [self.folder / name for name in self.metadata_files() if name != INFO]
        if not files:
            raise DataError(
                f"{self.folder / EPISODES} holds no parquet file",
                hint="The data set is damaged; one that is being recorded has to be finalized: "
                "call `finalize()` of the LeRobotDataset that writes it.",
            )
        return read_metadata(info, files, self.name)

    def metadata_files(self) -> list[str]:
        """Names of the files that metadata are read from."""
        found = sorted((self.folder / EPISODES).glob("*/*.parquet"))
        return [INFO, *(file.relative_to(self.folder).as_posix() for file in found)]


class LocalFolder(Source):
    """A data set in a local folder; its files are identified by their content.

    Args:
        folder: The folder, with ``meta`` in it.
        name: What to call it.

    Raises:
        ConfigError: If there is no data set in it.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder
        if not (folder / INFO).is_file():
            there = "there is no such folder" if not folder.is_dir() else f"it has no {INFO}"
            raise ConfigError(
                f"{folder} is no LeRobot data set: {there}",
                hint="Give --root the folder that meta/, data/ and videos/ lie in, or leave it out "
                "to take the data set --repo_id from the hub.",
            )
        self._digest = cache(file_digest)

    def file(self, name: str) -> Path:
        """See :meth:`Source.file`."""
        path = self.folder / name
        if not path.is_file():
            raise DataError(
                f"data set {self.name!r} has no file {path}, which its metadata name",
                hint="The data set is incomplete: copy or download it again, or leave the episodes "
                "in that file out with --episodes.",
            )
        return path

    def identity(self) -> Mapping[str, Any]:
        """See :meth:`Source.identity`; the digests of the files say all."""
        return {"kind": "files"}

    def file_identity(self, name: str) -> str:
        """See :meth:`Source.file_identity`: the sha256 of the file, computed once."""
        return self._digest(self.file(name))

    def describe(self) -> Mapping[str, Any]:
        """See :meth:`Source.describe`."""
        return {"dataset": self.name, "kind": "folder", "folder": str(self.folder)}
