"""Where the rows of a data set come from: the hub, files, or what ``save_to_disk`` wrote."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzanine_core.errors import ConfigError
from mezzanine_worlds_hf.config import HFWorldConfig
from mezzanine_worlds_hf.errors import DatasetNotFoundError

if TYPE_CHECKING:
    from datasets import Dataset


class Source(ABC):
    """A data set: named splits of rows.

    Attributes:
        name: What the user called it.
        splits: The names of its splits.
    """

    name: str
    splits: tuple[str, ...]

    @abstractmethod
    def read(self, split: str) -> Dataset:
        """The rows of a split, as ``datasets`` gives them; images are not decoded.

        Raises:
            DataError: If a file is broken.
        """

    @abstractmethod
    def identity(self, splits: Sequence[str]) -> Mapping[str, Any]:
        """What tells the content of these splits from any other, as JSON values.

        The commit of the hub, or the digests of the files; never a name or a path.

        Raises:
            DataError: If a file cannot be read.
        """

    @abstractmethod
    def describe(self) -> Mapping[str, Any]:
        """Where it was found, for the report of the world: JSON values."""


def open_source(config: HFWorldConfig) -> Source:
    """Find a data set; reads no rows of local files, and downloads what lies on the hub.

    What begins with ``/``, ``./``, ``../`` or ``~``, or exists here, is local.

    Raises:
        ConfigError: If a local path is given a revision, a file a subset, or the subset is not
            there or has to be named.
        DataError: If a folder holds no data files, or its files are not to be told apart.
        DatasetNotFoundError: If a path does not exist, or a data set is not cached and the hub
            does not give it.
    """
    from mezzanine_worlds_hf.files import LocalFiles
    from mezzanine_worlds_hf.hub import open_hub
    from mezzanine_worlds_hf.image_folders import ImageFolder, holds_images
    from mezzanine_worlds_hf.saved import Saved, was_saved

    path = _local_path(config.dataset)
    if path is None:
        return open_hub(config.dataset, config.revision, config.subset)
    if config.revision is not None:
        raise ConfigError(
            f"data set {config.dataset!r} is local, and revision {config.revision!r} is of the hub",
            hint="Leave the revision out.",
        )
    if was_saved(path):
        if config.subset is not None:
            raise ConfigError(
                f"{path} was written by save_to_disk and has no subset {config.subset!r}",
                hint="Leave the subset out.",
            )
        return Saved(config.dataset, path)
    if path.is_dir() and config.subset is None and holds_images(path):
        return ImageFolder(config.dataset, path)
    return LocalFiles(config.dataset, path, config.subset)


def _local_path(name: str) -> Path | None:
    """The path of that name; ``None`` where the name is to be read as a hub id."""
    try:
        path = Path(name).expanduser().absolute()
    except RuntimeError as error:  # the home folder of a user who does not exist
        raise DatasetNotFoundError(f"data set {name!r} cannot be found: {error}") from error
    if path.exists():
        return path
    if name.startswith(("./", "../", "~")) or name in (".", "..") or Path(name).is_absolute():
        raise DatasetNotFoundError(
            f"data set {str(path)!r} does not exist",
            hint="Give --dataset a folder or file that exists, or a hub id.",
        )
    return None
