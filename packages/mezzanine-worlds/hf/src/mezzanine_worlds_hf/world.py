"""What both worlds do: find the rows, draw the splits, and say what became of them."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from mezzanine_core.cache.index import KeyIndex
from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.worlds import Frame, Labelled, World, WorldData
from mezzanine_worlds_hf.config import HFWorldConfig
from mezzanine_worlds_hf.contents import Contents, arrow_column
from mezzanine_worlds_hf.fields import listed
from mezzanine_worlds_hf.labels import Raw, Truth, read_labels
from mezzanine_worlds_hf.plan import Plan, choose_splits
from mezzanine_worlds_hf.sampling import SAMPLER, Drawn, Rows, draw_apart, draw_splits
from mezzanine_worlds_hf.sources import Source, open_source

if TYPE_CHECKING:
    from datasets import Dataset

C = TypeVar("C", bound=HFWorldConfig)

_ELSEWHERE = ("name", "dataset", "revision", "subset", "train_split", "test_split")
"""Settings that the source and the chosen splits stand for in a fingerprint."""


@dataclass(frozen=True, eq=False)
class _Opened:
    """The rows that a world draws from: split → rows, and role → field."""

    source: Source
    plan: Plan
    rows: Mapping[str, Dataset]
    fields: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class _Candidates:
    """The rows of a split that may become items: not blank, and labelled."""

    split: str
    contents: Contents
    rows: Rows
    label: npt.NDArray[np.int64]


class HFWorld(World[C]):
    """Labelled items out of the rows of a data set.

    Files are opened when something is asked that needs them, and ``datasets`` is imported then.

    Args:
        config: The world's settings.

    Attributes:
        family: Name of the world, part of the source.
        truth: What truth values are, and are called.
    """

    family: ClassVar[str]
    truth: ClassVar[Truth]

    @abstractmethod
    def frame_records(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[str], Frame | None]:
        """Texts of new items, and what stands around them, as in the data of this world.

        Args:
            records: Field → value; the fields are called as in the data, or by their usual names.

        Returns:
            What symmetries act on, one text a record; and the frame around them, if there is one.

        Raises:
            DataError: If a record lacks a field, or the field holds no text; the message says
                which record.
        """

    @abstractmethod
    def _fields(self, names: Sequence[str], where: str) -> dict[str, str]:
        """Role → field; the role ``label`` is among them."""

    @abstractmethod
    def _contents(self, rows: Dataset, fields: Mapping[str, str], split: str) -> Contents:
        """The items of the rows of a split."""

    def source(self) -> Mapping[str, Any]:
        """What rows there are: the hub's commit, or the digests of the files; and the fields.

        Raises:
            MezzError: If the data set cannot be found or opened; see :func:`open_source`.
        """
        return self._source

    def fingerprint(self) -> str:
        """Names the data set: source, splits, everything that decides what is drawn, and seed."""
        settings = self.config.fingerprint_payload()
        sampling = {
            name: value
            for name, value in settings.items()
            if name not in _ELSEWHERE and not name.endswith("_field")
        }
        plan = self._opened.plan
        return fingerprint(
            {
                "source": self.source(),
                "splits": {"train": plan.train, "test": plan.test},
                "sampler": SAMPLER,
                "sampling": sampling,
            }
        )

    def load(self) -> WorldData:
        """Draw the splits ``train`` and ``test``; no image is decoded.

        Raises:
            ConfigError: If a split or field is not there, or which one is meant is not plain.
            DataError: If texts are empty, labels are missing or unknown, there are fewer items than
                asked for, or a file is broken.
            DatasetNotFoundError: If the data set is not to be had.
        """
        found, names = self._candidates()
        train, test = found[0], found[-1]
        drawn = self._draw(found)
        splits = {
            "train": _labelled(train, drawn.train, names),
            "test": _labelled(test, drawn.test, names),
        }
        report = {
            "source": dict(self._opened.source.describe()),
            "fields": dict(self._opened.fields),
            "splits": {
                name: self._summary(part, splits[name])
                for name, part in (("train", train), ("test", test))
            },
            "overlap": {
                "policy": self.config.overlap,
                "set_apart": len(found) == 1,
                "shared_rows": drawn.shared,
                "rows_dropped": drawn.dropped,
                "shared_test_items_left": _shared(splits["train"], splits["test"]),
            },
            "conflicts": _conflicts(found),
        }
        return WorldData(splits=splits, report=report)

    @cached_property
    def _opened(self) -> _Opened:
        config = self.config
        source = open_source(config)
        plan = choose_splits(source.splits, config.train_split, config.test_split)
        rows = {split: source.read(split) for split in plan.names}
        names = rows[plan.train].column_names
        fields = self._fields(names, f"the split {plan.train!r} of {config.dataset!r}")
        for split, there in rows.items():
            missing = [field for field in fields.values() if field not in there.column_names]
            if missing:
                raise ConfigError(
                    f"the split {split!r} of {config.dataset!r} has the fields "
                    f"{listed(there.column_names)}, but not {listed(missing)}, which the split "
                    f"{plan.train!r} has",
                    hint="Name fields that both have, or another split with --test_split.",
                )
        return _Opened(source, plan, rows, fields)

    @cached_property
    def _source(self) -> dict[str, Any]:
        opened = self._opened
        types = {
            split: {field: repr(rows.features[field]) for field in opened.fields.values()}
            for split, rows in opened.rows.items()
        }
        source = {
            "world": self.family,
            **opened.source.identity(opened.plan.names),
            "fields": dict(opened.fields),
            "types": types,
        }
        if "image" in opened.fields:
            # Rows may hold paths of images, whose files are no part of the data set's own.
            source["images"] = {
                split: hashlib.sha256(part.keys.tobytes()).hexdigest()
                for split, part in self._all_contents().items()
            }
        return source

    def _all_contents(self) -> dict[str, Contents]:
        """The items of each split; not kept, because texts may fill the memory."""
        opened = self._opened
        return {
            split: self._contents(rows, opened.fields, split) for split, rows in opened.rows.items()
        }

    def _candidates(self) -> tuple[list[_Candidates], tuple[str, ...]]:
        """What each split that is read has to draw from, and the names of the classes."""
        opened = self._opened
        contents = self._all_contents()
        kept = {split: self._kept(split, part) for split, part in contents.items()}
        raw = [self._raw(split, kept[split]) for split in contents]
        labels, names = read_labels(raw, self.config.label_names, self.truth, opened.source.splits)
        found = [
            _Candidates(split, contents[split], kept[split], label)
            for split, label in zip(contents, labels, strict=True)
        ]
        return found, names

    def _kept(self, split: str, contents: Contents) -> Rows:
        """The rows of a split that have content."""
        blank = np.flatnonzero(contents.blank)
        if blank.size and self.config.empty == "error":
            raise DataError(
                f"{blank.size} of {len(contents.blank)} items of the split {split!r} are empty, "
                f"the first in row {blank[0]}",
                hint="Leave them out with --empty drop.",
            )
        return np.flatnonzero(~contents.blank)

    def _raw(self, split: str, kept: Rows) -> Raw:
        from datasets import ClassLabel

        rows, field = self._opened.rows[split], self._opened.fields["label"]
        values = arrow_column(rows, field).to_pylist()
        feature = rows.features[field]
        names = tuple(feature.names) if isinstance(feature, ClassLabel) else ()
        return Raw(split, kept.tolist(), [values[row] for row in kept.tolist()], names)

    def _draw(self, found: Sequence[_Candidates]) -> Drawn:
        """Numbers into the candidates of the training and of the test split."""
        config, rng = self.config, np.random.default_rng(self.config.seed)
        train, test = (part.contents.keys[part.rows] for part in (found[0], found[-1]))
        if len(found) == 1:
            return draw_apart(train, config.n_train, config.n_test, rng)
        drop = config.overlap == "drop"
        return draw_splits(train, test, config.n_train, config.n_test, rng, drop_shared=drop)

    def _summary(self, part: _Candidates, items: Labelled) -> dict[str, Any]:
        rows = len(part.contents.blank)
        counts = np.bincount(items.label, minlength=len(items.label_names))
        distinct = len(np.unique(KeyIndex(items.input.keys).find(items.input.keys)))
        return {
            "from": part.split,
            "rows": rows,
            "empty_dropped": rows - len(part.rows),
            "items": len(items),
            "repeated": len(items) - distinct,
            "labels": dict(zip(items.label_names, counts.tolist(), strict=True)),
        }


def _labelled(part: _Candidates, drawn: Rows, names: tuple[str, ...]) -> Labelled:
    rows = part.rows[drawn]
    return Labelled(part.contents.column(rows), part.label[drawn], names, part.contents.frame(rows))


def _shared(train: Labelled, test: Labelled) -> int:
    """How many test items have content that a training item has too."""
    return int((KeyIndex(train.input.keys).find(test.input.keys) >= 0).sum())


def _conflicts(found: Sequence[_Candidates]) -> dict[str, int]:
    """Items of equal content and different labels, over all rows that were read."""
    keys = np.concatenate([part.contents.whole[part.rows] for part in found])
    label = np.concatenate([part.label for part in found])
    first = KeyIndex(keys).find(keys)
    mixed = np.unique(first[label != label[first]])
    return {"contents": len(mixed), "rows": int(np.isin(first, mixed).sum())}
