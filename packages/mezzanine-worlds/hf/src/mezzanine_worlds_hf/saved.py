"""What ``save_to_disk`` of ``datasets`` wrote: a data set, or several splits of one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import file_digest
from mezzanine_worlds_hf.quiet import without_bars
from mezzanine_worlds_hf.sources import Source

if TYPE_CHECKING:
    from datasets import Dataset

_STATE = "state.json"
_SPLITS = "dataset_dict.json"


def was_saved(path: Path) -> bool:
    """Whether ``save_to_disk`` wrote this folder."""
    return (path / _SPLITS).is_file() or (path / _STATE).is_file()


class Saved(Source):
    """A folder that ``save_to_disk`` wrote; its rows are mapped into memory, not copied.

    Args:
        name: What the user called it.
        folder: The folder.

    Raises:
        DataError: If the list of its splits is broken.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        if (folder / _SPLITS).is_file():
            names = _read_json(folder / _SPLITS).get("splits", [])
            self._folders = {str(split): folder / str(split) for split in names}
        else:
            self._folders = {"train": folder}
        self.splits = tuple(self._folders)

    def read(self, split: str) -> Dataset:
        """See :meth:`Source.read`."""
        from datasets import Dataset

        folder = self._folders[split]
        try:
            with without_bars():
                return Dataset.load_from_disk(str(folder), keep_in_memory=False)
        # A broken folder is answered with errors of Arrow, JSON or the file system.
        except Exception as error:
            raise DataError(
                f"{folder} cannot be read as save_to_disk writes it ({error})",
                hint="Write it again with save_to_disk.",
            ) from error

    def identity(self, splits: Sequence[str]) -> Mapping[str, Any]:
        """See :meth:`Source.identity`."""
        return {"files": {split: self._digests(self._folders[split]) for split in splits}}

    def describe(self) -> Mapping[str, Any]:
        """See :meth:`Source.describe`."""
        return {"dataset": self.name, "path": str(self._folder), "kind": "save_to_disk"}

    def _digests(self, folder: Path) -> list[str]:
        files = _read_json(folder / _STATE).get("_data_files", [])
        return [file_digest(folder / str(file["filename"])) for file in files]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON ({error})") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} holds no JSON object")
    return content
