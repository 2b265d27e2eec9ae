"""The symmetry ``action_shuffle``: a counterfactual that gives each sample another one's action."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from mezzanine_core.builtin.configs import ActionShuffleConfig
from mezzanine_core.builtin.permutations import Parts, Permutation, PermutationSymmetry
from mezzanine_core.errors import DataError

Actions = npt.NDArray[Any]
"""The actions of a batch: an array of shape [n, A]."""

_DERANGED_BELOW = 2
"""A permutation of fewer samples leaves one with its own action."""


class ActionShuffle(PermutationSymmetry[ActionShuffleConfig, Actions]):
    """Deals the actions of a batch out anew: a permutation of its rows.

    The elements are all permutations of the n samples. :meth:`sample` draws uniformly from those
    without a fixed point, so that every sample gets the action of another: actions keep their
    distribution exactly and lose their relation to what happened. (A cyclic shift would do so too,
    but neighbours in a batch often share an episode.) Samples whose new action happens to equal
    their own, because many did the same, are not avoided: forbidding it would change the
    distribution. :meth:`unchanged` counts them.

    Acts on the parts ``input`` and ``action``; observations come back unchanged.
    """

    family: ClassVar[str] = "action_shuffle"
    code_version: ClassVar[int] = 1
    moves: ClassVar[frozenset[str]] = frozenset({"input", "action"})

    def parts(self, x: Actions) -> Parts[Actions]:
        """The rows of the batch; equal rows are interchangeable.

        Raises:
            DataError: If ``x`` is not an array of rows.
        """
        given: Any = x  # types say what callers should give, not what they do
        if not isinstance(given, np.ndarray) or given.ndim != 2:
            found = getattr(given, "shape", type(given).__name__)
            raise DataError(f"action_shuffle takes actions of shape [n, A], not {found}")
        return Parts(
            [row.tobytes() for row in x], lambda order: x[np.asarray(order, dtype=np.intp)]
        )

    def sample(self, x: Actions, rng: np.random.Generator) -> Permutation:
        """A permutation without fixed points, drawn uniformly by rejection (e draws on average).

        Raises:
            DataError: If there are fewer than two samples.
        """
        n = len(x)
        if n < _DERANGED_BELOW:
            raise DataError(f"{n} samples: no sample can get the action of another")
        while True:
            drawn = rng.permutation(n)
            if not np.any(drawn == np.arange(n)):
                return tuple(drawn.tolist())

    def unchanged(self, element: Permutation, x: Actions) -> npt.NDArray[np.bool_]:
        """Which samples keep an action equal to their own under ``element``, bool [n]."""
        same: npt.NDArray[np.bool_] = (self.act(element, x) == x).all(axis=1)
        return same
