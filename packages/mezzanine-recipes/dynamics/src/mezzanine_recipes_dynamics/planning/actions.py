"""Actions of a data set: what they must be, and what they say of where to look for others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mezzanine_core.errors import ConfigError, DataError


def check_actions(actions: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Actions of a data set as float32 [n, A].

    Raises:
        DataError: If they have another shape, are none, or hold NaN or infinities.
    """
    found = np.asarray(actions, dtype=np.float32)
    if found.ndim != 2 or 0 in found.shape:
        raise DataError(f"actions of shape {found.shape}; expected [n, A], neither of them 0")
    finite = np.isfinite(found)
    if not finite.all():
        row, feature = np.argwhere(~finite)[0].tolist()
        raise DataError(
            f"{(~finite).any(axis=1).sum()} of {len(found)} actions are not finite, "
            f"the first in row {row}, feature {feature}",
            hint="Leave those rows out, or mend what recorded them.",
        )
    return found


def check_actions_differ(actions: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """As :func:`check_actions`, and refuse actions that are all the same.

    Raises:
        DataError: If they are, or as :func:`check_actions`.
    """
    found = check_actions(actions)
    if (found == found[0]).all():
        raise DataError(
            f"all {len(found)} actions are the same, so no action effect can be measured and there "
            "is nothing to plan",
            hint="Take data in which different things are done.",
        )
    return found


@dataclass(frozen=True, eq=False)
class Prior:
    """Where actions are looked for at first: normal, each feature for itself.

    Attributes:
        mean: float32 [A].
        std: float32 [A], not negative; a feature of 0 stays at its mean.
    """

    mean: Tensor
    std: Tensor

    def __post_init__(self) -> None:
        if self.mean.ndim != 1 or self.mean.shape != self.std.shape or len(self.mean) == 0:
            raise ConfigError(
                f"a prior has a mean and a std of shape [A] each, "
                f"not {list(self.mean.shape)} and {list(self.std.shape)}"
            )
        if not bool((self.mean.isfinite() & self.std.isfinite()).all()) or bool(
            (self.std < 0).any()
        ):
            raise ConfigError("the mean and the std of a prior are finite, and no std is negative")

    @classmethod
    def of(cls, actions: npt.ArrayLike, scale: float = 1.0) -> Prior:
        """Mean and standard deviation of the actions of a data set.

        Args:
            actions: float [n, A].
            scale: What the standard deviation is multiplied by.

        Raises:
            DataError: If actions are not finite, or all the same.
        """
        found = check_actions_differ(actions).astype(np.float64)
        spread = np.where((found == found[0]).all(axis=0), 0.0, found.std(axis=0))
        mean, std = (
            torch.from_numpy(part.astype(np.float32))
            for part in (found.mean(axis=0), scale * spread)
        )
        return cls(mean, std)
