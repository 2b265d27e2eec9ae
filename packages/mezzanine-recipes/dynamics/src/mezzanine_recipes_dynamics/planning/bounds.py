"""Where actions may lie: a box, or an L1 ball with a radius learnt from data."""

from __future__ import annotations

import copy
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mezzanine_core.errors import ConfigError
from mezzanine_recipes_dynamics.planning.actions import check_actions


class Bounds(Protocol):
    """A convex set of actions; the mean of actions within it is within it too."""

    def clip(self, actions: Tensor) -> Tensor:
        """Actions [..., A] brought into the set; those within it stay as they are."""
        ...

    def to(self, device: torch.device) -> Bounds:
        """The same on a device, so that clipping there copies nothing to it."""
        ...


class Box:
    """Each action feature between a lowest and a highest value.

    Args:
        low: Lowest values, float [A] or a number.
        high: Highest values, float [A] or a number.

    Raises:
        ConfigError: If a bound is NaN, the shapes are others, or ``low`` is above ``high``
            somewhere.
    """

    def __init__(self, low: npt.ArrayLike, high: npt.ArrayLike) -> None:
        given = np.asarray(low, dtype=np.float32), np.asarray(high, dtype=np.float32)
        shapes = {each.shape for each in given if each.shape}
        if len(shapes) > 1 or any(len(shape) > 1 for shape in shapes):
            raise ConfigError(
                f"the bounds of a box are numbers or of shape [A], not {given[0].shape} and "
                f"{given[1].shape}"
            )
        lows, highs = np.broadcast_arrays(*given)
        if np.isnan(lows).any() or np.isnan(highs).any():
            raise ConfigError("a bound of the box is NaN")
        if (lows > highs).any():
            feature = int(np.flatnonzero(lows > highs)[0])
            raise ConfigError(
                f"the bounds are the wrong way round: low {lows.flat[feature]:g} is above high "
                f"{highs.flat[feature]:g} at action feature {feature}",
                hint="Give low before high.",
            )
        self.low, self.high = torch.tensor(lows), torch.tensor(highs)

    def to(self, device: torch.device) -> Box:
        """The same box on a device."""
        moved = copy.copy(self)
        moved.low, moved.high = self.low.to(device), self.high.to(device)
        return moved

    @classmethod
    def of(cls, actions: npt.ArrayLike) -> Box:
        """The smallest box around actions of a data set, float [n, A]."""
        checked = check_actions(actions)
        return cls(checked.min(axis=0), checked.max(axis=0))

    def clip(self, actions: Tensor) -> Tensor:
        """Each feature of actions [..., A] moved to the nearest value within its bounds.

        The actions must be where the box is; see :meth:`to`.

        Raises:
            ConfigError: If the box is of another number of features.
        """
        if self.low.ndim and len(self.low) != actions.shape[-1]:
            raise ConfigError(
                f"a box of {len(self.low)} features does not bound actions of {actions.shape[-1]}"
            )
        return torch.clamp(actions, self.low, self.high)


class L1Ball:
    """Actions whose absolute values sum to a radius at most.

    Args:
        radius: At least 0.
        method: ``scale`` shortens an action that is too long and keeps its direction; ``project``
            takes the nearest action of the ball, which sets small features to zero.

    Raises:
        ConfigError: If the radius is negative or not finite.
    """

    def __init__(self, radius: float, method: Literal["scale", "project"] = "scale") -> None:
        if not 0 <= radius < float("inf"):
            raise ConfigError(f"an L1 ball has a radius of at least 0, finite, not {radius}")
        self.radius = float(radius)
        self.method = method

    @classmethod
    def of(
        cls,
        actions: npt.ArrayLike,
        quantile: float = 0.95,
        method: Literal["scale", "project"] = "scale",
    ) -> L1Ball:
        """The ball whose radius is a quantile of the L1 norms of actions of a data set.

        Args:
            actions: float [n, A].
            quantile: Share of them that lies within, in [0, 1].
            method: As for the class.

        Raises:
            ConfigError: If the quantile is out of range.
            DataError: If the actions are not finite.
        """
        if not 0 <= quantile <= 1:
            raise ConfigError(f"a quantile lies between 0 and 1, not at {quantile}")
        norms = np.abs(check_actions(actions)).sum(axis=1, dtype=np.float64)
        return cls(float(np.quantile(norms, quantile)), method)

    def to(self, device: torch.device) -> L1Ball:
        """The ball itself, which is on no device."""
        return self

    def clip(self, actions: Tensor) -> Tensor:
        """Actions [..., A] brought into the ball."""
        if self.method == "project":
            return project_l1(actions, self.radius)
        norms = actions.abs().sum(dim=-1, keepdim=True)
        # A number over a tensor is rounded twice, which would move an action just on the edge.
        return torch.where(norms > self.radius, actions * (self.radius / norms), actions)


def project_l1(actions: Tensor, radius: float) -> Tensor:
    """The nearest points of the L1 ball, in the Euclidean sense.

    Soft thresholding by what makes the norm equal the radius; the threshold is found by sorting
    (Duchi et al. 2008, "Efficient Projections onto the l1-Ball", figure 1).

    Args:
        actions: float [..., A].
        radius: At least 0.
    """
    sizes = actions.abs()
    ordered = sizes.sort(dim=-1, descending=True).values
    excess = ordered.cumsum(dim=-1) - radius
    places = torch.arange(1, actions.shape[-1] + 1, device=actions.device)
    # How many features stay above the threshold; where radius is 0 the first counts all the same.
    count = (ordered * places > excess).sum(dim=-1, keepdim=True).clamp(min=1)
    threshold = excess.gather(-1, count - 1) / count
    outside = sizes.sum(dim=-1, keepdim=True) > radius
    shrunk = actions.sign() * (sizes - threshold).clamp(min=0)
    return torch.where(outside, shrunk, actions)
