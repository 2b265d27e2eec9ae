"""Folders of images: ``train/cat/1.png``, or ``cat/1.png`` where there is one split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mezzanine_worlds_hf.files import SPLIT_WORDS
from mezzanine_worlds_hf.readers import READERS
from mezzanine_worlds_hf.sources import Source

if TYPE_CHECKING:
    from datasets import Dataset

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")

_Found = list[tuple[str, Path]]
"""Class and file of each image, in their order."""


class ImageFolder(Source):
    """Images whose folder says their class, in folders that may say their split.

    The layout is that of the ``imagefolder`` builder of ``datasets``; nothing is copied. The
    classes are the folders of all splits, sorted.

    Args:
        name: What the user called it.
        folder: The folder.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self._images = _find(folder)
        self.splits = tuple(self._images)
        self._classes = sorted({label for found in self._images.values() for label, _ in found})

    def read(self, split: str) -> Dataset:
        """See :meth:`Source.read`; the fields are ``image`` (a path) and ``label``."""
        from datasets import ClassLabel, Dataset, Features, Image

        found = self._images[split]
        columns = {
            "image": [str(path) for _, path in found],
            "label": [self._classes.index(label) for label, _ in found],
        }
        features = Features({"image": Image(), "label": ClassLabel(names=self._classes)})
        return Dataset.from_dict(columns, features=features)

    def identity(self, splits: Sequence[str]) -> Mapping[str, Any]:
        """See :meth:`Source.identity`; here the labels, as the images themselves are digested."""
        labels = {
            split: hashlib.sha256("\0".join(label for label, _ in self._images[split]).encode())
            for split in splits
        }
        return {"labels": {split: digest.hexdigest() for split, digest in labels.items()}}

    def describe(self) -> Mapping[str, Any]:
        """See :meth:`Source.describe`."""
        return {"dataset": self.name, "path": str(self._folder), "kind": "image folder"}


def holds_images(folder: Path) -> bool:
    """Whether a folder is one of images by class, and holds no data files of another kind."""
    near = [*folder.glob("*"), *folder.glob("*/*")]
    if any(path.suffix.lower() in READERS for path in near):
        return False
    return any(_find(folder).values())


def _find(folder: Path) -> dict[str, _Found]:
    inner = _folders(folder)
    if inner and all(path.name.lower() in SPLIT_WORDS for path in inner):
        return {path.name.lower(): _by_class(path) for path in inner}
    return {"train": _by_class(folder)}


def _by_class(folder: Path) -> _Found:
    return [
        (inner.name, path)
        for inner in _folders(folder)
        for path in sorted(inner.iterdir())
        if path.suffix.lower() in SUFFIXES
    ]


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
