"""Training of an adapter on pairs of views: what the teacher believes, and the same for both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mezzanine_core.errors import LatentError
from mezzanine_core.executors import Executor
from mezzanine_core.progress import Task
from mezzanine_core.warrant import ViewGroups
from mezzanine_core.worlds import Column
from mezzanine_recipes_distill.adapter import (
    AdapterSettings,
    AdapterStudent,
    Floats,
    passes,
)
from mezzanine_recipes_distill.adapter_checkpoints import Checkpoints, Identity
from mezzanine_recipes_distill.fitting import Curves, divergence

_WINDOW_BATCHES = 16
"""Batches among which items are sorted by size: little padding, and yet batches differ by epoch."""


@dataclass(frozen=True, eq=False)
class TaughtViews:
    """Items with their views and what a student is to learn of them.

    Attributes:
        column: All views, V items, those of one item after the other, the identity first.
        groups: Which rows of the column belong to which of the n items.
        targets: What the teacher believes, float64 [n, C]; rows sum to 1.
        label: Class indices, int64 [n].
    """

    column: Column
    groups: ViewGroups
    targets: Floats
    label: npt.NDArray[np.int64]


def adapter_steps(items: int, settings: AdapterSettings) -> int:
    """How many optimiser steps the training takes at most: the length of its progress.

    Args:
        items: How many items it trains on.
        settings: How it trains.
    """
    return settings.epochs * -(-items // settings.batch_items)


def fit_adapter(
    student: AdapterStudent,
    train: TaughtViews,
    validation: TaughtViews,
    *,
    generator: torch.Generator,
    executor: Executor,
    task: Task,
    checkpoints: Checkpoints | None = None,
) -> Curves:
    """Train a student in place; it is left as it was after its best epoch.

    In each epoch every item gives a random pair of distinct views (an item with one view that
    view). Minimised is, on average over items,

        (1 − label_weight)·KL(teacher ‖ student) + label_weight·cross-entropy,

    averaged over both views, + consistency · mean over classes of the squared difference of the
    two views' logits, each centred over classes: what
    :func:`~mezzanine_recipes_distill.fitting.fit_head` minimises, with one random pair of views in
    place of all. The best epoch is that of the least value of the same on the validation items,
    each with its identity and the first of its other views.

    The outcome is deterministic given the generator, the device and the number of threads, whether
    or not the training was interrupted and resumed.

    Args:
        student: What to train; as it was constructed.
        train: What to train on.
        validation: What to choose the epoch by.
        generator: Draws batches and pairs; on the CPU.
        executor: Where the columns may render or decode.
        task: Advances by a step for each optimiser step: :func:`adapter_steps` of them.
        checkpoints: Where to save progress and to resume from. What is saved last is the finished
            training, so that a run that is killed later need not repeat it; remove it when the
            student is stored elsewhere.

    Returns:
        Mean loss of each epoch on both.

    Raises:
        LatentError: If the loss is no longer finite.
        ConfigError: If the checkpoint is that of another training.
    """
    fitting = _Fitting(student, _Data(student, train, executor), generator)
    held_out = _Data(student, validation, executor)
    if checkpoints is not None:
        checkpoints.identify(_identity(student, train, validation, generator))
        saved = checkpoints.load()
        if saved is not None:
            fitting.restore(saved)
            task.advance(fitting.steps)
    while not fitting.finished:
        for _ in fitting.epoch():
            task.advance()
            if checkpoints is not None and checkpoints.due():
                checkpoints.save(fitting.state())
        fitting.conclude(_validation_loss(student, held_out))
        if checkpoints is not None:
            checkpoints.save(fitting.state())
    student.load(fitting.best)
    return fitting.curves


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Items with one or two views each.

    Attributes:
        item: Which items, int64 [m].
        first: The row of one view of each, int64 [m].
        second: That of another, int64 [m]; the same row again where there is no other.
    """

    item: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]

    def __getitem__(self, chosen: npt.NDArray[np.int64]) -> _Pairs:
        return _Pairs(self.item[chosen], self.first[chosen], self.second[chosen])

    def __len__(self) -> int:
        return len(self.item)


class _Data:
    """Views, ready for the encoder, and what is to be learnt of them, on the student's device."""

    def __init__(self, student: AdapterStudent, taught: TaughtViews, executor: Executor) -> None:
        rows = np.arange(len(taught.column))
        self._prepared = student.prepare_column(taught.column, rows, executor)
        self._view_sizes = student.sizes(self._prepared)
        self._counts = taught.groups.sizes
        self._starts = taught.groups.starts()
        self.targets = torch.from_numpy(taught.targets).float().to(student.device)
        self.label = torch.from_numpy(taught.label).to(student.device)

    def __len__(self) -> int:
        return len(self._counts)

    def prepared(self, rows: npt.NDArray[np.int64]) -> list[Any]:
        """Views as the encoder takes them."""
        return [self._prepared[row] for row in rows]

    def sizes(self, pairs: _Pairs) -> npt.NDArray[np.int64]:
        """Size of the larger view of each pair, int64 [m]."""
        return np.maximum(self._view_sizes[pairs.first], self._view_sizes[pairs.second])

    def first_pairs(self) -> _Pairs:
        """The identity of each item and the first of its other views."""
        return self._pairs(np.zeros_like(self._counts), np.minimum(self._counts - 1, 1))

    def random_pairs(self, generator: torch.Generator) -> _Pairs:
        """Two distinct views of each item, uniform over the pairs."""
        first = _below(self._counts, generator)
        shift = 1 + _below(np.maximum(self._counts - 1, 1), generator)
        return self._pairs(first, (first + shift) % self._counts)

    def _pairs(self, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> _Pairs:
        return _Pairs(np.arange(len(self)), self._starts + first, self._starts + second)


class _Fitting:
    """A training and where it stands: after an optimiser step, or at the end of an epoch."""

    def __init__(self, student: AdapterStudent, data: _Data, generator: torch.Generator) -> None:
        self._student = student
        self._settings = student.settings
        self._data = data
        self._generator = generator
        self._parameters = student.parameters()
        settings = student.settings
        matrices = [parameter for parameter in self._parameters if parameter.ndim > 1]
        biases = [parameter for parameter in self._parameters if parameter.ndim <= 1]
        self._optimiser = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": settings.weight_decay},
                {"params": biases, "weight_decay": 0.0},
            ],
            lr=settings.lr,
            fused=True,
        )
        self._total_steps = adapter_steps(len(data), settings)
        self._epoch_begin = generator.get_state()
        self._position = 0
        self._loss = 0.0
        self.steps = 0
        self.best: dict[str, Tensor] = {}
        self.curves = Curves(train=[], validation=[], best=0)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the last ones were no better than the best."""
        done = len(self.curves.validation)
        waited = done - 1 - self.curves.best
        return done >= self._settings.epochs or (done > 0 and waited >= self._settings.patience)

    def epoch(self) -> Iterator[int]:
        """Take the steps that are left of the epoch, yielding the number of each once taken."""
        self._generator.set_state(self._epoch_begin)
        batches = _batches(self._data, self._settings.batch_items, self._generator)
        for batch in batches[self._position :]:
            self._loss += self._step(batch) * len(batch)
            self._position += 1
            self.steps += 1
            yield self.steps

    def conclude(self, validation: float) -> None:
        """End an epoch, given the loss on the validation items."""
        self._check(validation)
        train = [*self.curves.train, self._loss / len(self._data)]
        held_out = [*self.curves.validation, validation]
        best = int(np.argmin(held_out))
        if best == len(held_out) - 1:
            self.best = self._student.state()
        self.curves = Curves(train=train, validation=held_out, best=best)
        self._epoch_begin, self._position, self._loss = self._generator.get_state(), 0, 0.0

    def state(self) -> dict[str, Any]:
        """All that a training in another process needs to go on exactly as this one would."""
        return {
            "student": self._student.state(),
            "best": self.best,
            "optimiser": self._optimiser.state_dict(),
            "generator": self._epoch_begin,
            "position": self._position,
            "steps": self.steps,
            "loss": self._loss,
            "curves": asdict(self.curves),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._student.load(state["student"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._generator.set_state(state["generator"])
        self._epoch_begin = state["generator"]
        self._position, self.steps = state["position"], state["steps"]
        self._loss, self.best = state["loss"], state["best"]
        self.curves = Curves(**state["curves"])

    def _step(self, batch: _Pairs) -> float:
        """One optimiser step; returns the mean loss of the batch's items before it."""
        loss = 0.0
        self._optimiser.zero_grad(set_to_none=True)
        for part in np.array_split(np.arange(len(batch)), self._settings.accumulate):
            if part.size:
                losses = _losses(self._student, self._data, batch[part])
                (losses.sum() / len(batch)).backward()  # type: ignore[no-untyped-call]
                loss += float(losses.detach().sum()) / len(batch)
        self._check(loss)
        nn.utils.clip_grad_norm_(self._parameters, self._settings.clip)
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.lr * _schedule(
                self.steps, self._total_steps, self._settings.warmup
            )
        self._optimiser.step()
        return loss

    def _check(self, loss: float) -> None:
        if not np.isfinite(loss):
            raise LatentError(
                f"training diverged: the adapter's loss is no longer finite at step {self.steps}",
                hint=f"Lower the learning rate (adapter_lr is {self._settings.lr}).",
            )


def _schedule(step: int, total: int, warmup: float) -> float:
    """Share of the learning rate at a step, from 0 on: a linear rise, then a linear fall to 0."""
    rise = warmup * total
    return min((step + 1) / (rise + 1), (total - step) / max(total - rise, 1), 1.0)


def _batches(data: _Data, items: int, generator: torch.Generator) -> list[_Pairs]:
    """An epoch's batches: random pairs in random order, those of a batch alike in size."""
    pairs = data.random_pairs(generator)
    pairs = pairs[torch.randperm(len(pairs), generator=generator).numpy()]
    sizes = data.sizes(pairs)
    batches: list[_Pairs] = []
    for start in range(0, len(pairs), items * _WINDOW_BATCHES):
        window = start + np.argsort(-sizes[start : start + items * _WINDOW_BATCHES], kind="stable")
        batches += [pairs[window[at : at + items]] for at in range(0, len(window), items)]
    order = torch.randperm(len(batches), generator=generator)
    return [batches[index] for index in order.tolist()]


def _losses(student: AdapterStudent, data: _Data, pairs: _Pairs) -> Tensor:
    """The loss of each item, float32 [m]; see :func:`fit_adapter`."""
    settings = student.settings
    paired = np.flatnonzero(pairs.first != pairs.second)
    logits = student(data.prepared(np.concatenate([pairs.first, pairs.second[paired]])))
    item = torch.from_numpy(np.concatenate([pairs.item, pairs.item[paired]])).to(logits.device)
    taught = _taught(logits, data.targets[item], data.label[item], settings.label_weight)
    first, second = taught[: len(pairs)], taught[len(pairs) :]
    both = torch.from_numpy(paired).to(logits.device)
    centred = logits - logits.mean(dim=1, keepdim=True)
    apart = (centred[both] - centred[len(pairs) :]).square().mean(dim=1)
    return first.index_add(0, both, (second - first[both]) / 2 + settings.consistency * apart)


def _taught(logits: Tensor, targets: Tensor, label: Tensor, label_weight: float) -> Tensor:
    """What each view is to learn of the teacher and of the labels, float32 [rows]."""
    from_teacher = divergence(targets, logits)
    if not label_weight:
        return from_teacher
    from_labels = nn.functional.cross_entropy(logits, label, reduction="none")
    return (1 - label_weight) * from_teacher + label_weight * from_labels


@torch.no_grad()
def _validation_loss(student: AdapterStudent, data: _Data) -> float:
    """Mean loss over all items, of pairs that are always the same."""
    pairs = data.first_pairs()
    total = 0.0
    for rows in passes(data.sizes(pairs), student.pass_size // 2):
        total += float(_losses(student, data, pairs[rows]).double().sum())
    return total / len(data)


def _below(bounds: npt.NDArray[np.int64], generator: torch.Generator) -> npt.NDArray[np.int64]:
    """A uniform integer from 0 to below each bound, int64, like the bounds."""
    uniform = torch.rand(len(bounds), generator=generator, dtype=torch.float64).numpy()
    drawn: npt.NDArray[np.int64] = (uniform * bounds).astype(np.int64)
    return drawn


def _identity(
    student: AdapterStudent,
    train: TaughtViews,
    validation: TaughtViews,
    generator: torch.Generator,
) -> Identity:
    """What of a training decides its outcome, the encoder and the device apart."""
    start = student.state()
    return {
        **asdict(student.settings),
        "train": _data_digest(train),
        "validation": _data_digest(validation),
        "initial weights": _digest([start[name].numpy() for name in sorted(start)]),
        "generator": _digest([generator.get_state().numpy()]),
    }


def _data_digest(taught: TaughtViews) -> str:
    return _digest([taught.column.keys, taught.groups.sizes, taught.targets, taught.label])


def _digest(arrays: Sequence[npt.NDArray[Any]]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
