"""The teacher: the base model averaged over the symmetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from torch import nn

from mezzanine_core.calibration import accuracy, softmax
from mezzanine_core.errors import ConfigError
from mezzanine_core.warrant import ViewGroups, orbit_average, teacher_probabilities
from mezzanine_recipes_distill.heads import Floats, logits_of

Average = Literal["probabilities", "logits", "latents"]
"""What is averaged over the views of an item."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """The base model averaged over views of n items, p*(y|x) = E_g[p(y | g·x)].

    Attributes:
        values: What the average is taken of, for each view: the base model's logits, float [V, C],
            or with ``average="latents"`` the latents, float [V, D].
        groups: Which rows are views of which item.
        average: What is averaged: probabilities, logits, or the latents that ``base`` reads.
        base: The base model; needed for ``average="latents"`` alone.

    Raises:
        ConfigError: If latents are to be averaged without a model that reads them.
    """

    values: npt.NDArray[np.floating]
    groups: ViewGroups
    average: Average
    base: nn.Module | None = None

    def __post_init__(self) -> None:
        if self.average == "latents" and self.base is None:
            raise ConfigError(
                "an average over latents needs a base model that reads latents",
                hint="Average probabilities or logits instead.",
            )

    def beliefs(self) -> Floats:
        """What the teacher believes of each item, float64 [n, C]; rows sum to 1."""
        if self.average == "latents":
            assert self.base is not None
            mean = orbit_average(self.values, self.groups).astype(np.float32)
            return softmax(logits_of(self.base, mean))
        return teacher_probabilities(self.values, self.groups, self.average)

    def of_first(self, views: int) -> Teacher:
        """The teacher that has at most the first ``views`` of each item; at least 1."""
        sizes = self.groups.sizes
        place = np.arange(sizes.sum()) - np.repeat(self.groups.starts(), sizes)
        fewer = ViewGroups(np.minimum(sizes, views), self.groups.orbit_sizes)
        return Teacher(self.values[place < views], fewer, self.average, self.base)


def accuracy_by_views(
    teacher: Teacher, label: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], Floats]:
    """How the teacher's accuracy grows with the number of views it averages.

    Each number takes the first so many views, so those of a smaller one are among those of a
    larger. As in every orbit average, the canonical view, which is always the first, counts as one
    element of its orbit, not as one of the views: with one view the teacher is the base model, with
    two of a large orbit it is nearly the base model on a random other view.

    Args:
        teacher: With K views at most.
        label: Class indices, int64 [n].

    Returns:
        The numbers of views, 1, 2, 4, … and K, int64 [m], and whether the teacher is right, 1 or 0
        for each item, float64 [m, n].

    Raises:
        DataError: If there is not one label for each item.
    """
    most = int(teacher.groups.sizes.max())
    doubling = [2**power for power in range(most.bit_length()) if 2**power < most]
    views = np.array([*doubling, most], dtype=np.int64)
    right = [accuracy(teacher.of_first(count).beliefs(), label) for count in views.tolist()]
    return views, np.stack(right)
