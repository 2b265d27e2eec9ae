"""A student of latents: from the latent of one view to the mean latent of the orbit."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from mezzanine_core.errors import DataError
from mezzanine_recipes_distill.fitting import (
    Curves,
    FitSettings,
    Taught,
    ViewTable,
    check_alike,
    descend,
)
from mezzanine_recipes_distill.heads import Head

LatentLoss = Literal["cosine", "mse"]
"""How far a latent is from the mean latent."""


class LatentStudent(nn.Module):
    """Adds to a latent what brings it near the mean of its orbit, and reads it as the base does.

    The change is that of a linear map, or of one with a hidden layer, of the standardised latent,
    in units of each feature's spread; it starts at zero.

    Args:
        base: Reads the changed latent; it is copied and stays as it is.
        hidden: Width of the hidden layer; 0 for none.

    Attributes:
        base: The copy.
        change: From latents to their change, in units of ``change.scale``.
    """

    def __init__(self, base: Head, hidden: int = 0) -> None:
        super().__init__()
        self.dim, self.classes, self.hidden = base.dim, base.classes, hidden
        self.base = deepcopy(base).requires_grad_(requires_grad=False)
        self.change = Head(base.dim, base.dim, hidden)

    def latents(self, latents: Tensor) -> Tensor:
        """Latents of single views, [..., D], to what should be the means of their orbits."""
        moved: Tensor = latents + self.change.scale * self.change(latents)
        return moved

    def forward(self, latents: Tensor) -> Tensor:
        """Latents [..., D] to logits [..., C]."""
        logits: Tensor = self.base(self.latents(latents))
        return logits


def fit_latent_student(
    train: Taught,
    validation: Taught,
    base: Head,
    loss: LatentLoss,
    settings: FitSettings,
    generator: torch.Generator,
    device: torch.device,
) -> tuple[LatentStudent, Curves]:
    """Fit a student to the mean latents of orbits.

    Minimised is the distance to the mean latent, averaged over items and the views that are learnt
    from: 1 − cosine, or the squared difference in units of each feature's spread, averaged over
    features. The length of a latent is left to the second of these: under the cosine nothing but
    its direction is learnt. Neither labels nor beliefs are used.

    Args:
        train: What to fit to; targets are the orbit averages of latents, [n, D].
        validation: What to stop by.
        base: Reads the latents.
        loss: Which distance.
        settings: How to fit; ``label_weight`` does not apply, nor does ``consistency``: views that
            are drawn to one latent are drawn to each other.
        generator: Draws weights and batches; on the CPU.
        device: Where to fit.

    Returns:
        The student, on ``device`` and without gradients, and its losses.

    Raises:
        DataError: If a target is not as long as a latent.
        LatentError: If the loss is no longer finite.
    """
    check_alike(train, validation)
    if train.targets.shape[1] != train.latents.shape[1]:
        raise DataError(
            f"mean latents of {train.targets.shape[1]} numbers for latents of "
            f"{train.latents.shape[1]}"
        )
    student = LatentStudent(base, settings.hidden)
    student.change.standardise(train.latents)
    student.change.initialise(generator)
    student.to(device)
    plain = replace(settings, consistency=0.0)
    parts = [_Items(part, plain, device) for part in (train, validation)]

    def losses(part: int, items: Tensor) -> Tensor:
        return parts[part].losses(student, items, loss)

    return descend(student, losses, (len(train), len(validation)), settings, generator)


class _Items:
    """Items laid out for fitting."""

    def __init__(self, taught: Taught, settings: FitSettings, device: torch.device) -> None:
        self._table = ViewTable(taught.groups, settings, device)
        self._latents = torch.tensor(taught.latents, dtype=torch.float32, device=device)
        self._targets = torch.tensor(taught.targets, dtype=torch.float32, device=device)

    def losses(self, student: LatentStudent, items: Tensor, loss: LatentLoss) -> Tensor:
        """The loss of each of B items, [B]."""
        moved = student.latents(self._latents[self._table.rows[items]])
        targets = self._targets[items][:, None]
        if loss == "cosine":
            distance = 1 - nn.functional.cosine_similarity(moved, targets, dim=-1)
        else:
            distance = (((moved - targets) / student.change.scale) ** 2).mean(dim=-1)
        return (distance * self._table.weights[items]).sum(dim=1)
