"""A first guess of the actions between a latent and a goal, learnt from a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import DataError, LatentError
from mezzanine_recipes_dynamics.planning.actions import check_actions_differ

_SHARES = 10.0 ** np.arange(-6, 3)


@dataclass(frozen=True, eq=False)
class RidgeProposal:
    """An inverse model by ridge regression: [z, z_goal] → action sequence.

    Its guess is where a planner starts (``init_action``), and its error how far around it looks
    (``init_std``).

    Attributes:
        weights: float32 [2 D, H · A].
        bias: float32 [H · A].
        std: Error of each feature of a guess on episodes that it was not fitted to, root mean
            square, float32 [H, A].
        penalty: The penalty, as a share of the mean squared singular value of the centred inputs.
    """

    weights: Tensor
    bias: Tensor
    std: Tensor
    penalty: float

    @classmethod
    def fit(
        cls,
        latents: Latents,
        goals: Latents,
        actions: npt.NDArray[np.float32],
        episode: npt.NDArray[np.int64],
    ) -> RidgeProposal:
        """Fit it; the penalty is the one with the smallest error on episodes that are left out.

        Each episode is left out once, as a whole: its rows are near copies of each other, so rows
        left out one by one would be predicted from their neighbours. The error has a closed form:
        the residuals of the episode, times the inverse of what of its own targets is not in its
        predictions (Allen 1974 for single rows).

        Args:
            latents: Where sequences started, float [n, D].
            goals: Where they ended, float [n, D].
            actions: The actions in between, float [n, H, A].
            episode: Trajectory of each, int64 [n]; all different where rows are independent.

        Raises:
            DataError: If the actions are not finite or all the same, or there are fewer than three,
                or they are of one episode.
            LatentError: If latents are not finite, or shapes do not fit.
        """
        count = len(actions)
        fits = latents.ndim == 2 and latents.shape == goals.shape and episode.shape == (count,)
        if actions.ndim != 3 or not fits or len(latents) != count:
            raise LatentError(
                f"latents {latents.shape}, goals {goals.shape}, actions {actions.shape} and "
                f"episodes {episode.shape} do not belong together; expected [n, D], [n, D], "
                "[n, H, A] and [n]"
            )
        if count < 3:
            raise DataError(f"{count} action sequences are too few to learn from")
        groups = [np.flatnonzero(episode == one) for one in np.unique(episode)]
        if len(groups) < 2:
            raise DataError(
                f"all {count} action sequences are of one episode, so there is no other on which "
                "to see the error of a guess",
                hint="Take data of two episodes at least.",
            )
        targets = check_actions_differ(actions.reshape(count, -1)).astype(np.float64)
        inputs = np.concatenate([latents, goals], axis=1).astype(np.float64)
        if not np.isfinite(inputs).all():
            raise LatentError("latents or goals of the data set hold NaN or infinities")
        centre, middle = inputs.mean(axis=0), targets.mean(axis=0)
        left, sizes, right = np.linalg.svd(inputs - centre, full_matrices=False)
        scores = left.T @ (targets - middle)
        unit = float((sizes**2).mean()) or 1.0
        errors = {
            share: _left_out(left, sizes, scores, targets - middle, share * unit, groups)
            for share in _SHARES.tolist()
        }
        best = min(errors, key=lambda share: float((errors[share] ** 2).mean()))
        shrink = sizes / (sizes**2 + best * unit)
        weights = (right.T * shrink) @ scores
        std = np.sqrt((errors[best] ** 2).mean(axis=0)).reshape(actions.shape[1:])
        return cls(
            weights=torch.from_numpy(weights.astype(np.float32)),
            bias=torch.from_numpy((middle - centre @ weights).astype(np.float32)),
            std=torch.from_numpy(std.astype(np.float32)),
            penalty=best,
        )

    def __call__(self, latents: Tensor, goals: Tensor) -> Tensor:
        """Guesses, float32 [G, H, A], of latents and goals, float32 [G, D] each."""
        inputs = torch.cat([latents, goals], dim=-1)
        guess = inputs @ self.weights.to(inputs.device) + self.bias.to(inputs.device)
        return guess.view(len(inputs), *self.std.shape)


def _left_out(
    left: npt.NDArray[np.float64],
    sizes: npt.NDArray[np.float64],
    scores: npt.NDArray[np.float64],
    targets: npt.NDArray[np.float64],
    penalty: float,
    groups: Sequence[npt.NDArray[np.int64]],
) -> npt.NDArray[np.float64]:
    """Errors on the rows of each group by the regression on all others, float64 [n, H · A]."""
    shrink = sizes**2 / (sizes**2 + penalty)
    residuals = targets - left @ (shrink[:, None] * scores)
    # Predictions are roots @ roots.T @ targets; the last column is the intercept's.
    ones = np.full((len(targets), 1), len(targets) ** -0.5)
    roots = np.concatenate([left * np.sqrt(shrink), ones], axis=1)
    errors = np.empty_like(residuals)
    for rows in groups:
        errors[rows] = _without_own(roots[rows], residuals[rows])
    return errors


def _without_own(
    roots: npt.NDArray[np.float64], residuals: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(1 - R Rᵀ)⁻¹ residuals, by the smaller of the two systems that say so (Woodbury)."""
    rows, columns = roots.shape
    if rows <= columns:
        solved = np.linalg.solve(np.eye(rows) - roots @ roots.T, residuals)
    else:
        inner = np.linalg.solve(np.eye(columns) - roots.T @ roots, roots.T @ residuals)
        solved = residuals + roots @ inner
    return np.asarray(solved, dtype=np.float64)
