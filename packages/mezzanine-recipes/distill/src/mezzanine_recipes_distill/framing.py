"""New texts as an encoder reads those of a world, and edits among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.views import SplitViews
from mezzanine_core.warrant import ViewGroups
from mezzanine_core.worlds import ArrayColumn, Frame, Labelled
from mezzanine_recipes_distill.edits import Edits, load_edits, packaged_edits


@runtime_checkable
class FramesRecords(Protocol):
    """A world that puts new texts as those of its data are put where an encoder reads them."""

    def frame_records(
        self, records: Sequence[Mapping[str, Any]]
    ) -> tuple[Sequence[str], Frame | None]:
        """Texts of new items and what stands around them; loads no data."""


@dataclass(frozen=True, eq=False)
class FramedEdits:
    """Edits as an encoder reads them.

    Attributes:
        edits: The edits.
        texts: All originals, then all edited texts, in their frames.
        label_names: What the classes mean.
    """

    edits: Edits
    texts: tuple[str, ...]
    label_names: tuple[str, ...]

    def views(self) -> SplitViews:
        """Each text as an item of one view."""
        groups = ViewGroups(np.ones(len(self.texts), np.int64))
        return SplitViews(ArrayColumn(self.texts, "text"), groups)

    def split(self) -> Labelled:
        """The texts as items; their labels play no part."""
        labels = np.zeros(len(self.texts), np.int64)
        return Labelled(self.views().column, labels, self.label_names)


def framed(world: Any, records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """New texts as an encoder reads those of a world.

    Raises:
        ConfigError: If the world cannot tell.
        DataError: If a record lacks a field.
    """
    if not isinstance(world, FramesRecords):
        raise ConfigError(
            f"the world {world.config.name!r} does not say how a new item is read",
            hint="A world of texts says it by a method frame_records, as hf_dataset does.",
        )
    texts, frame = world.frame_records(records)
    if frame is None:
        return tuple(texts)
    return tuple(frame.around(row, text) for row, text in enumerate(texts))


def framed_edits(name_or_path: str, world: Any, test: Labelled) -> FramedEdits:
    """Edits as an encoder reads them.

    Args:
        name_or_path: Which edits, as :func:`~mezzanine_recipes_distill.edits.load_edits` takes it.
        world: The world whose items they are like.
        test: Its test items.

    Raises:
        ConfigError: If the world is not one of texts, cannot tell how they are read, or reads items
            of another form: with questions or without.
        DataError: If the edits cannot be read, or have classes that the world has not.
        UnknownNameError: If there are none of this name.
    """
    if test.input.kind != "text":
        raise ConfigError(
            f"edits change texts, but the world {world.config.name!r} holds "
            f"{test.input.kind} items",
            hint="Leave `edits` out.",
        )
    edits = load_edits(name_or_path)
    try:
        texts = framed(world, _records(edits))
    except DataError as error:
        form = "texts without a question" if edits.questions is None else "passages with a question"
        raise ConfigError(
            f"the edits {edits.name!r} are {form}, which the world {world.config.name!r} does not "
            "take",
            hint=_fitting(world, len(test.label_names)),
        ) from error
    edits.check_classes(len(test.label_names))
    return FramedEdits(edits, texts, test.label_names)


def _records(edits: Edits) -> list[dict[str, str]]:
    """The texts as records of new items, the originals first."""
    texts = (*edits.originals, *edits.edited)
    if edits.questions is None:
        return [{"text": text} for text in texts]
    asked = (*edits.questions, *edits.questions)
    return [
        {"passage": text, "question": question} for text, question in zip(texts, asked, strict=True)
    ]


def _fitting(world: Any, classes: int) -> str:
    """Which packaged edits a world of so many classes takes, as a hint."""
    found = []
    for name in packaged_edits():
        edits = load_edits(name)
        try:
            edits.check_classes(classes)
            framed(world, _records(edits))
        except DataError:
            continue
        found.append(name)
    return (
        f"Packaged edits that it takes: {', '.join(found) or 'none'}. In a file, each line has a "
        '"question" where the world asks one, and none where it does not.'
    )
