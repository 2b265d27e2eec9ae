"""Data sets of local files: which file belongs to which split, and their rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.fingerprint import file_digest
from mezzanine_worlds_hf.readers import READERS, read_table
from mezzanine_worlds_hf.sources import Source

if TYPE_CHECKING:
    from datasets import Dataset

SPLIT_WORDS = ("train", "training", "test", "testing", "validation", "valid", "val", "dev", "eval")
"""Words by which the name of a file says its split."""

_SHARD = re.compile(r"[-_.]?\d+-of-\d+$")


class LocalFiles(Source):
    """Parquet, CSV, TSV or JSON-lines files in a folder, or one such file.

    The name of a file says its split: ``train.parquet``, ``train-00000-of-00002.parquet``,
    ``reviews_test.csv``; or its folder does, ``train/part-0.parquet``. A file whose name says none
    is a split of its own, called like the file, and ``train`` where it is the only one. Other
    subfolders are subsets. Files are read by Arrow into memory; nothing is written anywhere.

    Args:
        name: What the user called it.
        path: The folder or file.
        subset: Which subfolder, where the data lie in subfolders.

    Raises:
        ConfigError: If the subset is not there, or has to be named.
        DataError: If there are no data files, or a split has files of several formats.
    """

    def __init__(self, name: str, path: Path, subset: str | None = None) -> None:
        self.name = name
        self.path = path
        self._files = _find(path, subset)
        self.splits = tuple(self._files)
        for split, files in self._files.items():
            if len({file.suffix for file in files}) > 1:
                raise DataError(
                    f"the split {split!r} of {path} has files of several formats: {_names(files)}",
                    hint="Keep one of the formats, or give --dataset one of the files.",
                )

    def read(self, split: str) -> Dataset:
        """See :meth:`Source.read`."""
        import pyarrow as pa
        from datasets import Dataset

        tables = [read_table(file) for file in self._files[split]]
        try:
            whole = pa.concat_tables(tables, promote_options="permissive")
            return Dataset(whole.replace_schema_metadata(tables[0].schema.metadata))
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
            raise DataError(
                f"the files {_names(self._files[split])} of {self.path} do not fit together as "
                f"one split ({error})"
            ) from error

    def identity(self, splits: Sequence[str]) -> Mapping[str, Any]:
        """See :meth:`Source.identity`."""
        return {
            "files": {split: [file_digest(file) for file in self._files[split]] for split in splits}
        }

    def describe(self) -> Mapping[str, Any]:
        """See :meth:`Source.describe`."""
        return {
            "dataset": self.name,
            "path": str(self.path),
            "kind": "files",
            "files": {split: [file.name for file in files] for split, files in self._files.items()},
        }


def _find(path: Path, subset: str | None) -> dict[str, list[Path]]:
    if path.is_file():
        if subset is not None:
            raise ConfigError(f"{path} is a file and has no subset {subset!r}")
        if path.suffix.lower() not in READERS:
            raise DataError(
                f"{path} is no data file; known are {', '.join(READERS)}",
                hint="Give --dataset a file of one of these formats, or a folder that holds some.",
            )
        return _by_split([path], _split_in_name)
    direct = _data_files(path)
    folders = {
        folder.name: files
        for folder in sorted(path.iterdir())
        if folder.is_dir() and not folder.name.startswith(".") and (files := _data_files(folder))
    }
    if subset is not None:
        if subset not in folders:
            raise ConfigError(
                f"{path} has no subset {subset!r}: there is no subfolder of that name with data "
                f"files; {_there_are('subfolders', folders)}"
            )
        return _by_split(folders[subset], _split_in_name)
    if direct:
        return _by_split(direct, _split_in_name)
    if not folders:
        raise DataError(
            f"{path} holds no data files ({', '.join(READERS)}); "
            f"{_there_are('entries', [entry.name for entry in sorted(path.iterdir())])}",
            hint="Give --dataset a folder with files such as train.parquet and test.parquet.",
        )
    if all(name.lower() in SPLIT_WORDS for name in folders):
        return {name.lower(): files for name, files in folders.items()}
    if len(folders) > 1:
        raise ConfigError(
            f"{path} holds several subsets: {', '.join(folders)}",
            hint="Name one of them with --subset.",
        )
    return _by_split(next(iter(folders.values())), _split_in_name)


def _data_files(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.iterdir()
        if file.is_file() and file.suffix.lower() in READERS and not file.name.startswith(".")
    )


def _by_split(
    files: Iterable[Path], split_of: Callable[[Path], str | None]
) -> dict[str, list[Path]]:
    splits: dict[str, list[Path]] = {}
    for file in files:
        splits.setdefault(split_of(file) or _SHARD.sub("", file.stem) or file.stem, []).append(file)
    if len(splits) == 1:
        ((name, only),) = splits.items()
        return {name if name in SPLIT_WORDS else "train": only}
    return splits


def _split_in_name(file: Path) -> str | None:
    """The one split that the name of a file says; ``None`` if it says none, or several."""
    words = re.split(r"[-_. ]+", _SHARD.sub("", file.stem).lower())
    found = {word for word in words if word in SPLIT_WORDS}
    return found.pop() if len(found) == 1 else None


def _there_are(what: str, names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:20]) + (", …" if len(listed) > 20 else "")
    return f"there are the {what} {shown}" if listed else f"there are no {what}"


def _names(files: Iterable[Path]) -> str:
    return ", ".join(file.name for file in files)
