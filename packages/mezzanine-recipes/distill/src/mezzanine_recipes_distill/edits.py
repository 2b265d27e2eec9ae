"""The positive control: edits that must change the answer, to show what size of gap matters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field, StrictInt, StrictStr, ValidationError

from mezzanine_core.calibration import softmax
from mezzanine_core.config import MezzModel
from mezzanine_core.errors import DataError, UnknownNameError
from mezzanine_core.results import Estimate
from mezzanine_core.stats import RESAMPLES, bootstrap_mean
from mezzanine_core.warrant import ViewGroups, pairwise_flip_rate, pairwise_total_variation

Floats = npt.NDArray[np.float64]

_LEAST = 2
"""Fewest pairs of which an interval can be made."""

_EXPECTED = (
    'A line is a JSON object: {"original": "…", "edited": "…"}, with "question" and with "label" '
    'and "edited_label" (class numbers) where they are known.'
)


class _Record(MezzModel):
    original: StrictStr
    edited: StrictStr
    question: StrictStr | None = None
    label: StrictInt | None = Field(None, ge=0)
    edited_label: StrictInt | None = Field(None, ge=0)


@dataclass(frozen=True)
class Edits:
    """Pairs of texts that do not mean the same: n of them.

    Attributes:
        name: Name of the packaged set, or path of the file.
        originals: Texts before the edit.
        edited: The same texts after it.
        questions: What is asked of each text, where the file says; for worlds with a frame.
        labels: Class of each text before the edit and after it, int64 [n, 2]; ``None`` where the
            file does not say.
    """

    name: str
    originals: tuple[str, ...]
    edited: tuple[str, ...]
    questions: tuple[str, ...] | None = None
    labels: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.originals)

    def check_classes(self, classes: int) -> None:
        """Refuse labels that a world of so many classes does not have.

        Raises:
            DataError: If there is a larger label.
        """
        if self.labels is not None and self.labels.max() >= classes:
            row = int(self.labels.max(axis=1).argmax())
            raise DataError(
                f"edit {row + 1} of {self.name} has the label {self.labels.max()}, but the world "
                f"has {classes} classes",
                hint="Choose edits that were written for this world, or leave their labels out.",
            )


def packaged_edits() -> tuple[str, ...]:
    """Names of the sets of edits that come with this distribution."""
    folder = files(__package__) / "edit_sets"
    return tuple(sorted(file.name.removesuffix(".jsonl") for file in folder.iterdir()))


def load_edits(name_or_path: str | Path) -> Edits:
    """A set of edits by its name, or from a file of JSON lines.

    Packaged are ``sentiment`` (film reviews; classes negative, positive), ``topics`` (news; World,
    Sports, Business, Sci/Tech) and ``boolq`` (a question about each passage; classes no, yes). Half
    of the sentiment edits and of the boolq edits change the answer in each direction.

    Args:
        name_or_path: One of :func:`packaged_edits`, or a path: what ends in ``.jsonl``, or holds a
            separator, or is an existing file. Empty lines of a file are passed over.

    Raises:
        UnknownNameError: If it is neither a packaged name nor looks like a path.
        DataError: If the file is missing, holds fewer than two edits, or a line is no edit, has
            a blank text, leaves its text as it is, or keeps its label; or if only some of the edits
            have a question or labels. The message says which line.
    """
    name = str(name_or_path)
    if name in packaged_edits():
        return _parse(name, (files(__package__) / "edit_sets" / f"{name}.jsonl").read_bytes())
    path = Path(name_or_path)
    if not (path.suffix == ".jsonl" or len(path.parts) > 1 or path.is_file()):
        raise UnknownNameError(
            f"there are no edits named {name!r}",
            hint=f"Packaged are {', '.join(packaged_edits())}; or give the path of a .jsonl file.",
        )
    try:
        return _parse(name, path.read_bytes())
    except OSError as error:
        raise DataError(
            f"cannot read the edits {name}: {error.strerror}",
            hint=f"Packaged are {', '.join(packaged_edits())}. {_EXPECTED}",
        ) from error


def edit_figures(
    originals: Floats,
    edited: Floats,
    edits: Edits,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """How far a model's belief moves under edits that should move it.

    Args:
        originals: Logits of the texts before the edit, float [S, n, C] for S seeds.
        edited: Logits after it, float [S, n, C].
        edits: What was edited.
        level: Confidence level of the intervals, which resample edits and cover the seeds.
        resamples: Number of bootstrap resamples, at least 100.
        rng: Source of all randomness.

    Returns:
        ``edit_tv``: mean total variation between the beliefs before and after;
        ``edit_flip_rate``: share of edits that change the answer; and, where labels are known,
        ``edit_follow_rate``: share of edits that change the answer, and to the right one.

    Raises:
        DataError: If shapes do not fit, logits are not finite, or a label is out of range.
        ConfigError: If the level or the number of resamples is out of range.
    """
    if originals.shape != edited.shape or originals.ndim != 3 or originals.shape[1] != len(edits):
        raise DataError(
            f"logits of shapes {originals.shape} and {edited.shape} for {len(edits)} edits; "
            "expected [seeds, edits, classes] twice"
        )
    edits.check_classes(originals.shape[2])
    samples: dict[str, list[Floats]] = {}
    for before, after in zip(originals, edited, strict=True):
        for name, values in _moves(softmax(before), softmax(after), edits.labels).items():
            samples.setdefault(name, []).append(values)
    each = np.arange(len(edits))
    found = {
        name: bootstrap_mean(np.stack(rows), each, level=level, resamples=resamples, rng=rng)
        for name, rows in samples.items()
    }
    return {  # Rates, and so their intervals, lie between 0 and 1.
        name: one.model_copy(update={"low": max(0.0, one.low), "high": min(1.0, one.high)})
        for name, one in found.items()
    }


def _moves(
    before: Floats, after: Floats, labels: npt.NDArray[np.int64] | None
) -> dict[str, Floats]:
    """The figures of each edit for one seed, from probabilities [n, C] before and after it."""
    pairs = np.stack([before, after], axis=1).reshape(-1, before.shape[1])
    groups = ViewGroups(np.full(len(before), 2))
    flips = pairwise_flip_rate(pairs, groups)
    moves = {"edit_tv": pairwise_total_variation(pairs, groups), "edit_flip_rate": flips}
    if labels is not None:
        moves["edit_follow_rate"] = flips * (after.argmax(axis=1) == labels[:, 1])
    return moves


def _parse(name: str, content: bytes) -> Edits:
    records = list(_records(name, content))
    if len(records) < _LEAST:
        raise DataError(
            f"{name} holds {len(records)} edits, but at least {_LEAST} are needed", hint=_EXPECTED
        )
    for field in ("question", "label"):
        known = [getattr(record, field) is not None for _, record in records]
        if any(known) and not all(known):
            line = records[known.index(False)][0]
            raise DataError(
                f"line {line} of {name} has no {field}, but others have",
                hint="Say it in every line, or in none.",
            )
    pairs = [record for _, record in records]
    questions = tuple(record.question for record in pairs if record.question is not None)
    labels = [
        (record.label, record.edited_label)
        for record in pairs
        if record.label is not None and record.edited_label is not None
    ]
    return Edits(
        name=name,
        originals=tuple(record.original for record in pairs),
        edited=tuple(record.edited for record in pairs),
        questions=questions or None,
        labels=np.array(labels, dtype=np.int64) if labels else None,
    )


def _records(name: str, content: bytes) -> Iterator[tuple[int, _Record]]:
    """The edits of a file with their line numbers from 1, each checked on its own."""
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {name}"
        try:
            record = _Record.model_validate(json.loads(line))
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, problem["loc"])) or "the line"
            message = f"{where} is no edit: {place}: {problem['msg']}"
            raise DataError(message, hint=_EXPECTED) from error
        except ValueError as error:
            raise DataError(f"{where} is not JSON: {error}", hint=_EXPECTED) from error
        for field in ("original", "edited", "question"):
            if (text := getattr(record, field)) is not None and not text.strip():
                raise DataError(
                    f"{where} has nothing but spaces, or nothing at all, as its {field}: {text!r}",
                    hint=_EXPECTED,
                )
        if record.original == record.edited:
            raise DataError(
                f"{where} leaves its text as it is",
                hint="An edit has to change the answer, and so the text.",
            )
        if (record.label is None) != (record.edited_label is None):
            raise DataError(f"{where} has one of label and edited_label", hint=_EXPECTED)
        if record.label is not None and record.label == record.edited_label:
            raise DataError(
                f"{where} keeps the label {record.label}",
                hint="These edits have to change the answer: others control nothing here.",
            )
        yield number, record
