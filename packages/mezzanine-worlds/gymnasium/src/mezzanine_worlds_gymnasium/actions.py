"""Actions as numbers: how each kind of action space becomes features, and comes back.

One-hot where an action is a choice, 0 or 1 where it is a switch, and scaled to [-1, 1] by the
bounds of the space where it is a quantity. A quantity without two finite bounds stays as it is.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import DataError
from mezzanine_worlds_gymnasium.environments import gymnasium_library

Features = npt.NDArray[np.float32]


def one_line(space: Any) -> str:
    """A space as it describes itself, in one line."""
    return " ".join(str(space).split())


class ActionCodec(ABC):
    """Between the actions of a space and their features.

    Attributes:
        names: What each of the A features means.
        low: Smallest value of each feature, float32 [A]; -inf where there is none.
        high: Largest value of each feature, float32 [A]; inf where there is none.
        dtype: What actions are recorded as.
        shape: Shape of one recorded action.
        continuous: Whether all values between ``low`` and ``high`` are different actions.
        idle: Features of doing nothing, float32 [A]: quantities of 0, or as near to it as their
            bounds allow, switches that are off; ``None`` for choices, which do not say.
    """

    names: tuple[str, ...]
    low: Features
    high: Features
    continuous: bool = False
    idle: Features | None = None
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def __init__(self, space: Any) -> None:
        self._space = space
        self.dtype = np.dtype(space.dtype)
        self.shape = tuple(space.shape)

    @property
    def size(self) -> int:
        """A, the number of features of one action."""
        return len(self.names)

    @property
    def unscaled(self) -> tuple[str, ...]:
        """Names of the features that stay as they are, for want of finite bounds."""
        free = ~(np.isfinite(self.low) & np.isfinite(self.high))
        return tuple(name for name, is_free in zip(self.names, free, strict=True) if is_free)

    def checked(self, action: Any, whose: str) -> Any:
        """An action in the form that the space has it.

        Args:
            action: What a policy gave.
            whose: Who gave it and when, for the message.

        Raises:
            DataError: If it is not in the action space, or not finite.
        """
        given = np.asarray(action)
        kinds = "biuf" if self.dtype.kind == "f" else "biu"
        if given.dtype.kind not in kinds or given.shape != self.shape:
            raise self._refused(action, whose)
        cast = given.astype(self.dtype)[()]
        is_same = self.dtype.kind == "f" or np.array_equal(cast, given)
        if not is_same or not np.isfinite(cast).all() or not self._space.contains(cast):
            raise self._refused(action, whose)
        return cast

    def _refused(self, action: Any, whose: str) -> DataError:
        return DataError(
            f"{whose} gave the action {action!r}, which is not in {one_line(self._space)}",
            hint="Actions must be finite and within the bounds; they are not clipped.",
        )

    def chunk_names(self, delta: int) -> tuple[str, ...]:
        """Names of the features of ``delta`` actions in a row, such as ``action2@0``."""
        return tuple(f"{name}@{step}" for step in range(delta) for name in self.names)

    def sample(self, count: int, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Draw actions from the space, [count, *shape]."""
        # A copy, so that nothing is drawn from the generator of the environment's own.
        space = copy.deepcopy(self._space)
        space.seed(int(rng.integers(2**31)))
        return np.array([space.sample() for _ in range(count)], self.dtype)

    @abstractmethod
    def features(self, actions: npt.NDArray[Any]) -> Features:
        """Features of recorded actions.

        Args:
            actions: [n, *shape].

        Returns:
            float32 [n, A].
        """

    @abstractmethod
    def decode(self, features: npt.NDArray[Any]) -> Any:
        """The action of the space that comes nearest to some features, float [A].

        It is the inverse of :meth:`features`, to the precision of float32, and takes everything
        that a planner may propose: the largest of one-hot features is chosen, switches are on above
        1/2, quantities are clipped to their bounds.
        """


class Choices(ActionCodec):
    """One-hot features of ``Discrete`` and ``MultiDiscrete`` spaces.

    Args:
        space: The space.
        meanings: Names of the actions of a ``Discrete`` space, where they are known.
    """

    def __init__(self, space: Any, meanings: Sequence[str] | None = None) -> None:
        super().__init__(space)
        single = not hasattr(space, "nvec")
        counts = np.atleast_1d(space.n if single else space.nvec).reshape(-1)
        self._starts = np.atleast_1d(space.start).reshape(-1)
        self._ends = np.cumsum(counts)
        if single and meanings is not None and len(meanings) == space.n:
            self.names = tuple(meaning.lower() for meaning in meanings)
        else:
            self.names = tuple(
                f"action{start + value}" if single else f"action{part}={start + value}"
                for part, (start, count) in enumerate(zip(self._starts, counts, strict=True))
                for value in range(count)
            )
        self.low = np.zeros(len(self.names), np.float32)
        self.high = np.ones(len(self.names), np.float32)

    def features(self, actions: npt.NDArray[Any]) -> Features:
        """See :meth:`ActionCodec.features`."""
        chosen = actions.reshape(len(actions), -1) - self._starts
        columns = chosen + np.concatenate([[0], self._ends[:-1]])
        features = np.zeros((len(actions), self.size), np.float32)
        np.put_along_axis(features, columns.astype(np.int64), 1.0, axis=1)
        return features

    def decode(self, features: npt.NDArray[Any]) -> Any:
        """See :meth:`ActionCodec.decode`."""
        borders = pairwise([0, *self._ends.tolist()])
        chosen = [int(np.argmax(features[begin:end])) for begin, end in borders]
        return (chosen + self._starts).astype(self.dtype).reshape(self.shape)[()]


class Switches(ActionCodec):
    """Features 0 and 1 of ``MultiBinary`` spaces."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        count = int(np.prod(self.shape))
        self.names = tuple(f"action{part}" for part in range(count))
        self.idle = np.zeros(count, np.float32)
        self.low = np.zeros(count, np.float32)
        self.high = np.ones(count, np.float32)

    def features(self, actions: npt.NDArray[Any]) -> Features:
        """See :meth:`ActionCodec.features`."""
        return actions.reshape(len(actions), -1).astype(np.float32)

    def decode(self, features: npt.NDArray[Any]) -> Any:
        """See :meth:`ActionCodec.decode`."""
        return (features > 0.5).astype(self.dtype).reshape(self.shape)


class Quantities(ActionCodec):
    """Features of ``Box`` spaces: scaled to [-1, 1] where both bounds are finite.

    The feature of a quantity whose bounds are one and the same number is 0.
    """

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        low = np.asarray(space.low, np.float64).reshape(-1)
        high = np.asarray(space.high, np.float64).reshape(-1)
        with np.errstate(over="ignore"):
            is_free = ~np.isfinite((high - low).astype(np.float32))
        ends = [np.where(is_free, end, bound) for end, bound in ((-1.0, low), (1.0, high))]
        self._centre, half = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
        self._half = np.where(half == 0, 1.0, half)
        self._limits = (low, high)
        self.names = tuple(f"action{part}" for part in range(len(low)))
        scaled = ((bound - self._centre) / self._half for bound in (low, high))
        self.low, self.high = (bound.astype(np.float32) for bound in scaled)
        self.continuous = self.dtype.kind == "f" and not is_free.any()
        self.idle = self.features(np.clip(0.0, low, high)[None])[0]

    def features(self, actions: npt.NDArray[Any]) -> Features:
        """See :meth:`ActionCodec.features`."""
        flat = actions.reshape(len(actions), -1).astype(np.float64)
        scaled: Features = ((flat - self._centre) / self._half).astype(np.float32)
        return scaled

    def decode(self, features: npt.NDArray[Any]) -> Any:
        """See :meth:`ActionCodec.decode`."""
        flat = np.asarray(features, np.float64) * self._half + self._centre
        if self.dtype.kind != "f":
            flat = np.rint(flat)
        return np.clip(flat, *self._limits).astype(self.dtype).reshape(self.shape)


def action_codec(space: Any, env_id: str, meanings: Sequence[str] | None = None) -> ActionCodec:
    """The codec of an action space.

    Args:
        space: A space of Gymnasium.
        env_id: Whose it is, for the message.
        meanings: Names of the actions of a ``Discrete`` space, where they are known.

    Raises:
        DataError: If it is none of Discrete, MultiDiscrete, MultiBinary and Box.
    """
    spaces = gymnasium_library().spaces
    if isinstance(space, spaces.Discrete):
        return Choices(space, meanings)
    if isinstance(space, spaces.MultiDiscrete):
        return Choices(space)
    if isinstance(space, spaces.MultiBinary):
        return Switches(space)
    if isinstance(space, spaces.Box):
        return Quantities(space)
    raise DataError(
        f"the environment {env_id!r} has the action space {one_line(space)}, "
        "which is not supported",
        hint="Supported are Discrete, MultiDiscrete, MultiBinary and Box; a wrapper such as "
        "gymnasium.wrappers.TransformAction can turn others into one of them.",
    )
