"""Fitting of heads: to labels, which gives the base model, and to what a teacher believes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import DataError, LatentError
from mezzanine_core.warrant import ViewGroups
from mezzanine_recipes_distill.heads import Floats, Head, logits_of

Labels = npt.NDArray[np.int64]

_VALIDATION_ITEMS = 1024
"""Items whose validation loss is computed at once, to bound memory."""

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class FitSettings:
    """How a head is fitted.

    Attributes:
        hidden: Width of the hidden layer; 0 for a linear head.
        lr: Learning rate of AdamW.
        weight_decay: Its decay of weights; biases are left alone.
        batch_items: Items in a batch, each with all of the views that are used.
        epochs: Passes over the training items at most.
        patience: Epochs without a better validation loss after which fitting ends.
        views: Whether the canonical view of each item is learnt from, or every view.
        consistency: Weight of the penalty on differences between the views of an item.
        label_weight: Share in [0, 1] of the true label in the loss; the rest is the teacher's.
    """

    hidden: int = 0
    lr: float = 5e-3
    weight_decay: float = 1e-2
    batch_items: int = 256
    epochs: int = 200
    patience: int = 20
    views: Literal["canonical", "all"] = "all"
    consistency: float = 0.0
    label_weight: float = 0.0


@dataclass(frozen=True, eq=False)
class Taught:
    """Latents of the views of n items, and what is to be learnt of each item.

    Attributes:
        latents: Of all views, float32 [V, D].
        groups: Which rows are views of which item, the identity first.
        targets: What the teacher makes of each item: beliefs, float64 [n, C] with rows that sum to
            1, or a mean latent, [n, D].
        label: Class indices, int64 [n].

    Raises:
        DataError: If the lengths differ.
        LatentError: If latents or targets are not finite.
    """

    latents: Latents
    groups: ViewGroups
    targets: Floats
    label: Labels

    def __post_init__(self) -> None:
        n, views = len(self.groups.sizes), int(self.groups.sizes.sum())
        if self.latents.shape[:1] != (views,) or self.latents.ndim != 2:
            raise DataError(f"latents of shape {self.latents.shape} for {views} views")
        if self.targets.shape[:1] != (n,) or self.targets.ndim != 2 or self.label.shape != (n,):
            raise DataError(
                f"targets of shape {self.targets.shape} and labels of shape {self.label.shape} "
                f"for {n} items"
            )
        for name, values in (("latents", self.latents), ("targets", self.targets)):
            if not np.isfinite(values).all():
                raise LatentError(f"{name} to learn from are not finite")

    def __len__(self) -> int:
        return len(self.groups.sizes)


@dataclass(frozen=True, eq=False)
class Curves:
    """Loss in the course of training, a point for each epoch.

    Attributes:
        train: Mean over the batches of the epoch.
        validation: On the validation items after it.
        best: Index of the epoch whose weights were kept: the first of the least validation loss.
    """

    train: Sequence[float]
    validation: Sequence[float]
    best: int


def fit_base(
    latents: Latents,
    label: Labels,
    validation_latents: Latents,
    validation_label: Labels,
    classes: int,
    settings: FitSettings,
    generator: torch.Generator,
    device: torch.device,
) -> tuple[Head, Curves]:
    """Fit the base model: a head on canonical latents, by cross-entropy with the labels.

    Args:
        latents: Of the canonical view of each training item, float32 [n, D].
        label: Class indices in [0, classes), int64 [n]; a class may be missing, but not all but
            one.
        validation_latents: Of the canonical view of each validation item, float32 [m, D].
        validation_label: Their class indices, int64 [m].
        classes: Number C of classes.
        settings: As for :func:`fit_head`; what they say of views and the teacher does not apply.
        generator: Draws weights and batches; on the CPU.
        device: Where to fit.

    Raises:
        DataError: If there are no validation items, all training items have one label, or a label
            is out of range.
        LatentError: If latents are not finite, or the loss no longer is.
    """
    if len(np.unique(label)) < 2:
        raise DataError(
            f"the {len(label)} items to fit a head on have fewer than two labels",
            hint="Take more training items, or a sample of them that holds every class.",
        )
    if not len(validation_label):
        raise DataError(
            "there are no validation items to stop the fitting by",
            hint="Take more training items, or a larger share of them for validation.",
        )
    plain = replace(settings, views="canonical", consistency=0.0, label_weight=0.0)
    train = _labelled(latents, label, classes)
    validation = _labelled(validation_latents, validation_label, classes)
    return fit_head(train, validation, plain, generator, device)


def fit_head(
    train: Taught,
    validation: Taught,
    settings: FitSettings,
    generator: torch.Generator,
    device: torch.device,
) -> tuple[Head, Curves]:
    """Fit a head to what a teacher believes.

    Minimised is, on average over items,

        (1 − label_weight) · KL(teacher ‖ student) + label_weight · cross-entropy with the label,

    averaged over the views that are learnt from, + consistency · mean over all pairs of the item's
    views of the mean over classes of the squared difference of their logits, centred over classes.
    The difference of logits, rather than a divergence of beliefs, because its gradient does not
    vanish where beliefs are near 0 or 1; the scale of the logits is held by the teacher's beliefs.
    All drawn views of an item count alike, the canonical one among them. An item's views are always
    in one batch. The weights of the epoch of the least value of the same on the validation items
    are kept.

    The outcome is deterministic given the generator, the device and the number of threads.

    Args:
        train: What to fit to; its latents also give the mean and spread that standardise.
        validation: What to stop by.
        settings: How to fit.
        generator: Draws weights and batches; on the CPU.
        device: Where to fit.

    Returns:
        The head, on ``device`` and without gradients, and its losses.

    Raises:
        DataError: If the latents or the targets of both are of different lengths.
        LatentError: If the loss is no longer finite.
    """
    check_alike(train, validation)
    head = Head(train.latents.shape[1], train.targets.shape[1], settings.hidden)
    head.standardise(train.latents if settings.views == "all" else _canonical(train))
    head.initialise(generator)
    head.to(device)
    parts = [_Items(part, head, settings, device) for part in (train, validation)]

    def losses(part: int, items: Tensor) -> Tensor:
        return parts[part].losses(head, items)

    return descend(head, losses, (len(train), len(validation)), settings, generator)


def check_alike(train: Taught, validation: Taught) -> None:
    """See that training and validation items are of one kind.

    Raises:
        DataError: If the latents or the targets of both are of different lengths.
    """
    shapes = [(part.latents.shape[1], part.targets.shape[1]) for part in (train, validation)]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"training items have latents and targets of {shapes[0]} numbers, validation items of "
            f"{shapes[1]}"
        )


def descend(
    model: M,
    losses: Callable[[int, Tensor], Tensor],
    counts: tuple[int, int],
    settings: FitSettings,
    generator: torch.Generator,
) -> tuple[M, Curves]:
    """Minimise a mean over items with AdamW, stopped early; the best epoch's weights are kept.

    Args:
        model: What to train, in place.
        losses: From 0 for training or 1 for validation items, and row numbers of such items on the
            model's device, int64 [B], to the loss of each, [B].
        counts: Numbers of training and of validation items, each at least 1.
        settings: Of them ``lr``, ``weight_decay``, ``batch_items``, ``epochs`` and ``patience``.
        generator: Draws the batches; on the CPU.

    Returns:
        The model, without gradients, and the losses.

    Raises:
        LatentError: If the loss is no longer finite.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    device = trained[0].device
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=settings.lr,
        # A quarter of the time of the default one on a CPU.
        fused=True,
    )
    train: list[float] = []
    validation: list[float] = []
    best = 0
    kept: list[Tensor] = []
    for epoch in range(settings.epochs):
        total = torch.zeros((), device=device)
        order = torch.randperm(counts[0], generator=generator)
        for items in torch.split(order, settings.batch_items):
            loss = losses(0, items.to(device)).mean()
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            total += loss.detach() * len(items)
        train.append(float(total) / counts[0])
        validation.append(_mean_loss(losses, counts[1], device))
        if not np.isfinite((train[-1], validation[-1])).all():
            raise LatentError(
                f"fitting diverged: the loss is no longer finite in epoch {epoch + 1}",
                hint=f"Lower the learning rate of the heads (it is {settings.lr}).",
            )
        if not kept or validation[-1] < validation[best]:
            best, kept = epoch, [parameter.detach().clone() for parameter in trained]
        elif epoch - best >= settings.patience:
            break
    with torch.no_grad():
        for parameter, value in zip(trained, kept, strict=True):
            parameter.copy_(value)
    return model.requires_grad_(requires_grad=False), Curves(train, validation, best)


def belief_divergence(model: nn.Module, taught: Taught) -> Floats:
    """KL(teacher ‖ student) in nats, averaged over all views of each item alike, float64 [n].

    Args:
        model: A student: latents [B, D] to logits [B, C].
        taught: Items, whose targets are beliefs.
    """
    logits = torch.from_numpy(logits_of(model, taught.latents))
    groups = taught.groups
    targets = torch.from_numpy(groups.repeat(taught.targets))
    means: Floats = groups.sum(divergence(targets, logits).numpy()) / groups.sizes
    return means


def divergence(targets: Tensor, logits: Tensor) -> Tensor:
    """KL(teacher ‖ student) in nats, [...], of beliefs and logits, both [..., C]."""
    believed = torch.log_softmax(logits, dim=-1)
    kl: Tensor = (torch.special.xlogy(targets, targets) - targets * believed).sum(dim=-1)
    return kl


@torch.no_grad()
def _mean_loss(losses: Callable[[int, Tensor], Tensor], count: int, device: torch.device) -> float:
    parts = torch.split(torch.arange(count, device=device), _VALIDATION_ITEMS)
    return float(torch.stack([losses(1, items).sum() for items in parts]).sum()) / count


class ViewTable:
    """The rows of each item's views, for items that are looked up in batches.

    Args:
        groups: Which rows are views of which item, the identity first.
        settings: Of them ``views`` and ``consistency``, which say what views are needed.
        device: Where to keep it.

    Attributes:
        rows: Rows of the K needed views of each item, int64 [n, K]; an item with fewer views
            repeats its last one.
        there: 1 for a view, 0 for a repeated one, float32 [n, K].
        weights: Weight of each view in what is learnt from; they sum to 1 for each item.
    """

    def __init__(self, groups: ViewGroups, settings: FitSettings, device: torch.device) -> None:
        canonical = settings.views == "canonical"
        alone = canonical and not settings.consistency
        sizes = np.ones_like(groups.sizes) if alone else groups.sizes
        place = np.arange(sizes.max())
        rows = groups.starts()[:, None] + np.minimum(place, sizes[:, None] - 1)
        there = place < sizes[:, None]
        weights = np.where(canonical, place == 0, there / sizes[:, None])
        self.rows = torch.from_numpy(rows).to(device)
        self.there = torch.from_numpy(there.astype(np.float32)).to(device)
        self.weights = torch.from_numpy(weights.astype(np.float32)).to(device)


class _Items:
    """Items laid out for fitting, their latents standardised once."""

    def __init__(
        self, taught: Taught, head: Head, settings: FitSettings, device: torch.device
    ) -> None:
        self._settings = settings
        self._table = ViewTable(taught.groups, settings, device)
        latents = torch.tensor(taught.latents, dtype=torch.float32, device=device)
        self._features = head.features(latents)
        self._targets = torch.tensor(taught.targets, dtype=torch.float32, device=device)
        self._label = torch.tensor(taught.label, device=device)

    def losses(self, head: Head, items: Tensor) -> Tensor:
        """The loss of each of B items, [B]."""
        settings = self._settings
        logits = head.of_features(self._features[self._table.rows[items]])
        loss = divergence(self._targets[items][:, None], logits) * (1 - settings.label_weight)
        if settings.label_weight:
            believed = torch.log_softmax(logits, dim=-1)
            index = self._label[items][:, None, None].expand(-1, logits.shape[1], 1)
            loss = loss - settings.label_weight * believed.gather(2, index)[:, :, 0]
        total = (loss * self._table.weights[items]).sum(dim=1)
        if settings.consistency:
            total = total + settings.consistency * self._disagreement(logits, items)
        return total

    def _disagreement(self, logits: Tensor, items: Tensor) -> Tensor:
        """Mean squared difference of centred logits over all pairs of views, [B].

        Twice the variance about the mean, so that pairs need not be enumerated.
        """
        there = self._table.there[items][:, :, None]
        sizes = there.sum(dim=(1, 2))
        centred = (logits - logits.mean(dim=-1, keepdim=True)) * there
        mean = centred.sum(dim=1, keepdim=True) / sizes[:, None, None]
        squares = ((centred - mean) ** 2 * there).mean(dim=-1).sum(dim=1)
        return 2 * squares / (sizes - 1).clamp(min=1)


def _labelled(latents: Latents, label: Labels, classes: int) -> Taught:
    """Items with one view and certain beliefs, whose divergence is the cross-entropy."""
    if label.min() < 0 or label.max() >= classes:
        raise DataError(f"labels from {label.min()} to {label.max()} with {classes} classes")
    groups = ViewGroups(np.ones(len(label), dtype=np.int64))
    return Taught(latents, groups, np.eye(classes)[label], label)


def _canonical(taught: Taught) -> Latents:
    """Latents of the canonical views, float32 [n, D]."""
    canonical: Latents = taught.latents[taught.groups.starts()]
    return canonical
