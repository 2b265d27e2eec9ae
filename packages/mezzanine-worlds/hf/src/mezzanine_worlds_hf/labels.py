"""Labels of rows as class indices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_hf.fields import listed

MAX_CLASSES = 1000
"""More different values than this are taken for something else than classes, unless named."""

Label = bool | int | str
"""A label as the data have it."""

_WORDS: Mapping[frozenset[str], Mapping[str, bool]] = {
    frozenset({"no", "yes"}): {"no": False, "yes": True},
    frozenset({"false", "true"}): {"false": False, "true": True},
}
"""Pairs of words that are truth values."""


@dataclass(frozen=True)
class Raw:
    """The labels of one split as the data have them.

    Attributes:
        split: Name of the split.
        rows: Row numbers, of the rows that count.
        values: Their labels: truth values, numbers, texts, or ``None``.
        names: What the data call the classes 0, 1, …; empty where they do not.
    """

    split: str
    rows: Sequence[int]
    values: Sequence[Any]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Truth:
    """How truth values are called, and whether 0 and 1, no and yes, are truth values too."""

    false: str
    true: str
    words: bool


def read_labels(
    splits: Sequence[Raw], names: Sequence[str], truth: Truth, others: Iterable[str]
) -> tuple[list[npt.NDArray[np.int64]], tuple[str, ...]]:
    """The classes of the rows of splits, and what they are called.

    The classes are those that the data name (ClassLabel), or that the settings name: then a label
    is a number 0 to C - 1, or one of the names. Otherwise they are the different values in the
    first split, sorted, and named by their text; truth values are named as ``truth`` says.

    Args:
        splits: Labels by split, those of the training split first.
        names: Names of the classes from the settings; empty for none.
        truth: What truth values are, and are called.
        others: All splits that there are, for the messages.

    Returns:
        For each split the class index of each row, int64 [n]; and the names of the classes.

    Raises:
        ConfigError: If the settings name more or fewer classes than the data.
        DataError: If a label is missing (``None``, negative, NaN), is no integer, no text and no
            truth value, or is not among the classes; the message says which split and row, and
            lists the classes.
    """
    clean = [[_label(value) for value in raw.values] for raw in splits]
    for raw, labels in zip(splits, clean, strict=True):
        _check_present(raw, labels, others)
    classes = _classes(splits, clean, names, truth)
    return [
        _indices(raw, labels, classes) for raw, labels in zip(splits, clean, strict=True)
    ], tuple(dict.fromkeys(classes.values()))


def _label(value: Any) -> Any:
    """A label, with whole floats as integers; ``None`` for what stands for a missing one."""
    if isinstance(value, float):
        if value != value:
            return None
        value = int(value) if value.is_integer() else value
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return None
    return value


def _check_present(raw: Raw, labels: Sequence[Any], others: Iterable[str]) -> None:
    missing = [place for place, label in enumerate(labels) if label is None]
    if missing:
        first = missing[0]
        raise DataError(
            f"{len(missing)} of {len(labels)} labels of the split {raw.split!r} are missing, the "
            f"first in row {raw.rows[first]} ({raw.values[first]!r}); there are the splits "
            f"{listed(others)}",
            hint="Choose a split that has labels with --train_split and --test_split.",
        )
    wrong = [n for n, label in enumerate(labels) if not isinstance(label, bool | int | str)]
    if wrong:
        first = wrong[0]
        raise DataError(
            f"{len(wrong)} of {len(labels)} labels of the split {raw.split!r} are no classes, the "
            f"first in row {raw.rows[first]}: {raw.values[first]!r:.80}; a label is an integer, a "
            "text or a truth value",
            hint="Name the field of the label with --label_field (--answer_field for hf_qa).",
        )


def _classes(
    splits: Sequence[Raw], clean: Sequence[Sequence[Label]], names: Sequence[str], truth: Truth
) -> dict[Label, str]:
    """Each value that is a class → the name of the class, in the order of the classes."""
    own = splits[0].names
    if any(raw.names != own for raw in splits):
        named = (f"{raw.split!r}: {listed(raw.names)}" for raw in splits)
        raise DataError(
            f"the splits name their classes differently; {'; '.join(named)}",
            hint="Give the splits the same ClassLabel feature.",
        )
    if own:
        return dict(enumerate(_named(names, own, "the data have the classes")))
    kinds = sorted({type(label).__name__ for labels in clean for label in labels})
    if len(kinds) > 1:
        raise DataError(
            f"the labels of the splits {listed(repr(raw.split) for raw in splits)} are of several "
            f"types: {listed(kinds)}",
            hint="Give all rows labels of one type.",
        )
    if kinds == ["bool"]:
        binary = (truth.false, truth.true)
        return dict(zip((False, True), _named(names, binary, "the labels are"), strict=True))
    if names:
        return dict(zip(range(len(names)) if kinds == ["int"] else names, names, strict=True))
    different = {label for labels in clean for label in labels}
    if truth.words and (known := _truth_values(different)) is not None:
        return {label: truth.true if known[label] else truth.false for label in known}
    seen = sorted(set(clean[0]))
    if len(seen) > MAX_CLASSES:
        raise DataError(
            f"the split {splits[0].split!r} has {len(seen)} different labels, such as "
            f"{listed(map(repr, seen[:5]))}: this is hardly a classification",
            hint="Name the field of the label, or the classes with --label_names.",
        )
    return {label: str(label) for label in seen}


def _named(names: Sequence[str], own: Sequence[str], what: str) -> Sequence[str]:
    if names and len(names) != len(own):
        raise ConfigError(
            f"label_names has {len(names)} names ({listed(names)}), but {what} {listed(own)}",
            hint=f"Give {len(own)} names, or leave --label_names out.",
        )
    return names or own


def _truth_values(different: set[Label]) -> dict[Label, bool] | None:
    """Which truth value each of the labels is, false first; ``None`` if they are something else."""
    if different <= {0, 1}:
        return {0: False, 1: True}
    folded = {label: label.strip().casefold() for label in different if isinstance(label, str)}
    for pair, values in _WORDS.items():
        if len(folded) == len(different) and set(folded.values()) <= pair:
            known = {**{word: word for word in values}, **folded}
            return dict(sorted(((label, values[word]) for label, word in known.items()), key=_last))
    return None


def _last(pair: tuple[Label, bool]) -> bool:
    return pair[1]


def _indices(
    raw: Raw, labels: Sequence[Label], classes: Mapping[Label, str]
) -> npt.NDArray[np.int64]:
    order = {name: index for index, name in enumerate(dict.fromkeys(classes.values()))}
    index = {label: order[name] for label, name in classes.items()}
    unknown = [place for place, label in enumerate(labels) if label not in index]
    if unknown:
        different = sorted({repr(labels[place]) for place in unknown})
        raise DataError(
            f"{len(unknown)} labels of the split {raw.split!r} are unknown ("
            f"{listed(different[:10])}), the first in row {raw.rows[unknown[0]]}; known are "
            f"{listed(f'{label!r} ({name})' for label, name in classes.items())}",
            hint="Mend these labels, or name all classes with --label_names.",
        )
    return np.array([index[label] for label in labels], np.int64)
