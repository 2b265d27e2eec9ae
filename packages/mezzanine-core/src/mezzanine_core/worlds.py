"""The world contract: where data comes from.

A world gives named splits of columns. A column is lazy: how many items it has and *which* ones
(their keys) is known at once, what they look like only when rows are fetched. So a world renders or
decodes nothing for items whose latents are cached.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from mezzanine_core.config import WorldConfig
from mezzanine_core.errors import DataError
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import KEY_BYTES, Keys, content_keys
from mezzanine_core.progress import SILENT, Progress

ItemKind = Literal["image", "vector", "text"]
"""What the items of a column are, and so which encoders take them."""

Batch = npt.NDArray[Any] | Sequence[str]
"""Items: uint8 [B, H, W, 3] RGB images, float32 [B, D] vectors, or a sequence of B texts."""

Rows = npt.NDArray[np.int64]
"""Row numbers into a column: int64 [B]."""

C = TypeVar("C", bound=WorldConfig)


class Column(ABC):
    """A lazy sequence of items, each with an identity that is known without materialising it.

    Attributes:
        kind: What the items are.
        keys: Item keys, uint8 [n, 16]; equal keys promise equal items.
    """

    kind: ItemKind
    keys: Keys

    def __len__(self) -> int:
        return len(self.keys)

    @abstractmethod
    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """Materialise rows, in whatever order is fastest.

        Args:
            rows: Distinct row numbers, int64 [B], each in [0, len(self)).
            executor: Where rendering or decoding may run in parallel. The items never depend on it.

        Yields:
            Pairs of row numbers and their items. Every requested row comes exactly once; each pair
            is small enough to be held in memory (a few hundred images).

        Raises:
            DataError: If an item cannot be materialised; the message says which.
        """


class ArrayColumn(Column):
    """A column whose items lie in memory already: vectors, small images, or texts.

    Args:
        items: float32 [n, D], uint8 [n, H, W, 3] or n strings.
        kind: What they are.
        keys: Item keys, uint8 [n, 16]; by default those of the items' content.

    Raises:
        DataError: If there are more or fewer keys than items.
    """

    _FETCH_ROWS = 256

    def __init__(self, items: Batch, kind: ItemKind, keys: Keys | None = None) -> None:
        self.kind = kind
        self._items = items
        self.keys = content_keys(iter(items)) if keys is None else keys
        _check_keys(self.keys, len(items), "items")

    def fetch(self, rows: Rows, executor: Executor) -> Iterator[tuple[Rows, Batch]]:
        """See :meth:`Column.fetch`; nothing is rendered, so the executor is not used."""
        for start in range(0, len(rows), self._FETCH_ROWS):
            part = rows[start : start + self._FETCH_ROWS]
            if isinstance(self._items, np.ndarray):
                yield part, self._items[part]
            else:
                yield part, [self._items[row] for row in part]


@dataclass(frozen=True, eq=False)
class Transitions:
    """One split of action-conditioned pairs: what was seen, what was done, what was seen then.

    Attributes:
        obs: Observations at t, a column of n items.
        next_obs: Observations at t + Δ, a column of n items of the same kind.
        action: Features of everything done in between, float32 [n, A], finite.
        action_names: What each of the A features means.
        episode: Which trajectory each pair is from, int64 [n]. Pairs of one trajectory are not
            independent, so intervals resample episodes.
        keys: Identity of each whole transition, uint8 [n, 16]: equal keys promise the same
            observation, action and outcome. Overlap of splits is counted with them.
        state: What else is known at t, such as the joints of a robot, float32 [n, S], finite;
            ``None`` where there is nothing else. Models get it as a further input.
        state_names: What each of the S features means; none without a state.

    Raises:
        DataError: If the lengths differ, or an action or state is not finite.
    """

    obs: Column
    next_obs: Column
    action: npt.NDArray[np.float32]
    action_names: tuple[str, ...]
    episode: npt.NDArray[np.int64]
    keys: Keys
    state: npt.NDArray[np.float32] | None = None
    state_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.obs)
        if len(self.next_obs) != n or self.action.shape[:1] != (n,) or self.episode.shape != (n,):
            raise DataError(
                f"transitions of unequal length: obs {n}, next_obs {len(self.next_obs)}, "
                f"action {self.action.shape}, episode {self.episode.shape}"
            )
        _check_features(self.action, self.action_names, "action")
        if self.state is not None:
            if self.state.shape[:1] != (n,):
                raise DataError(f"{n} transitions but states of shape {self.state.shape}")
            _check_features(self.state, self.state_names, "state")
        elif self.state_names:
            raise DataError(f"there is no state, but it has the names {list(self.state_names)}")
        _check_keys(self.keys, n, "transitions")

    def __len__(self) -> int:
        return len(self.obs)


@dataclass(frozen=True, eq=False)
class Frame:
    """What stands around each text of a column where an encoder reads it: a prompt, a question.

    A symmetry acts on the text alone, so that the question keeps its place while the sentences of
    the passage change theirs.

    Attributes:
        before: What stands before each text, n texts.
        after: What stands after it, n texts.
    """

    before: Sequence[str]
    after: Sequence[str]

    def around(self, row: int, text: str) -> str:
        """The text of that row, or a view of it, as an encoder reads it."""
        return f"{self.before[row]}{text}{self.after[row]}"


@dataclass(frozen=True, eq=False)
class Labelled:
    """One split of labelled items.

    Attributes:
        input: A column of n items: what symmetries act on.
        label: Class indices, int64 [n], each in [0, number of label names).
        label_names: What each class means.
        frame: What stands around each text where an encoder reads it; ``None`` for nothing.

    Raises:
        DataError: If the lengths differ, a label is out of range, or there is a frame around items
            that are no texts.
    """

    input: Column
    label: npt.NDArray[np.int64]
    label_names: tuple[str, ...]
    frame: Frame | None = None

    def __post_init__(self) -> None:
        if self.frame is not None:
            sides = {len(self.frame.before), len(self.frame.after)}
            if self.input.kind != "text" or sides != {len(self.input)}:
                raise DataError(
                    f"a frame of {sorted(sides)} texts around {len(self.input)} items of kind "
                    f"{self.input.kind}; expected one for each of as many texts"
                )
        if self.label.shape != (len(self.input),):
            raise DataError(f"{len(self.input)} items but labels of shape {self.label.shape}")
        classes = len(self.label_names)
        if self.label.size and not 0 <= self.label.min() <= self.label.max() < classes:
            raise DataError(
                f"labels reach from {self.label.min()} to {self.label.max()}, but there are "
                f"{classes} label names"
            )

    def __len__(self) -> int:
        return len(self.input)


Split = Transitions | Labelled


@dataclass(frozen=True, eq=False)
class WorldData:
    """What a world loads to.

    Attributes:
        splits: Splits by name; ``train`` and ``test`` at least.
        report: What a reader of the results should know of how the data came about (quotas,
            replaced duplicates, …), as plain JSON values.
    """

    splits: Mapping[str, Split]
    report: Mapping[str, Any] = field(default_factory=dict)

    def transitions(self, name: str) -> Transitions:
        """The split ``name``, which must hold transitions.

        Raises:
            DataError: If there is no such split, or it holds something else.
        """
        split = self._split(name)
        if not isinstance(split, Transitions):
            raise DataError(f"split {name!r} holds {type(split).__name__}, not Transitions")
        return split

    def labelled(self, name: str) -> Labelled:
        """The split ``name``, which must hold labelled items.

        Raises:
            DataError: If there is no such split, or it holds something else.
        """
        split = self._split(name)
        if not isinstance(split, Labelled):
            raise DataError(f"split {name!r} holds {type(split).__name__}, not Labelled")
        return split

    def _split(self, name: str) -> Split:
        if name not in self.splits:
            raise DataError(f"there is no split {name!r}; there are {sorted(self.splits)}")
        return self.splits[name]


class World(ABC, Generic[C]):
    """Where data comes from. Constructing a world is cheap; :meth:`load` may simulate.

    Args:
        config: The world's settings.

    Attributes:
        progress: Where a world shows how far long work is, such as playing episodes; a run sets it,
            and nothing is shown otherwise.
    """

    progress: Progress = SILENT

    def __init__(self, config: C) -> None:
        self.config = config

    @abstractmethod
    def source(self) -> Mapping[str, Any]:
        """Where items come from, as JSON values: simulator and version, or dataset and revision.

        Rendering belongs to it; subsampling, splits and seeds do not. Item keys are derived from
        its fingerprint, so that runs of any size share cached latents.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """Names the data set that :meth:`load` gives: source, subsampling, splits and seed."""

    @abstractmethod
    def load(self) -> WorldData:
        """Draw the splits. Deterministic in the configuration; materialises no items.

        Raises:
            DataError: If the configuration asks for more than there is.
        """


def _check_features(features: npt.NDArray[np.float32], names: tuple[str, ...], what: str) -> None:
    if features.ndim != 2 or features.shape[1] != len(names):
        raise DataError(
            f"{what}s of shape {features.shape} with {len(names)} names; "
            "expected [n, number of names]"
        )
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise DataError(f"the {what} of transition {row} is not finite: {features[row]}")


def _check_keys(keys: Keys, n: int, what: str) -> None:
    if keys.shape != (n, KEY_BYTES) or keys.dtype != np.uint8:
        raise DataError(
            f"{n} {what} but keys of shape {keys.shape} and dtype {keys.dtype}; "
            f"expected uint8 [{n}, {KEY_BYTES}]"
        )
