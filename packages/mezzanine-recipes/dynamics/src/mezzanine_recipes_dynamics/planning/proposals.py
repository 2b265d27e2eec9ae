"""A first guess of the actions between a latent and a goal, learnt from a data set."""

from __future__ import annotations

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
        std: Error of each feature of a guess on rows that it was not fitted to, float32 [H, A].
        penalty: The penalty, as a share of the mean squared length of the inputs.
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
    ) -> RidgeProposal:
        """Fit it; the penalty is the one with the smallest leave-one-out error.

        That error has a closed form: the residual divided by what of the row's own target is not
        in its prediction (Allen 1974).

        Args:
            latents: Where sequences started, float [n, D].
            goals: Where they ended, float [n, D].
            actions: The actions in between, float [n, H, A].

        Raises:
            DataError: If the actions are not finite or all the same, or there are fewer than three.
            LatentError: If latents are not finite, or shapes do not fit.
        """
        count = len(actions)
        if actions.ndim != 3 or latents.shape != goals.shape or len(latents) != count:
            raise LatentError(
                f"latents {latents.shape}, goals {goals.shape} and actions {actions.shape} do not "
                "belong together; expected [n, D], [n, D] and [n, H, A]"
            )
        if count < 3:
            raise DataError(f"{count} action sequences are too few to learn from")
        targets = check_actions_differ(actions.reshape(count, -1)).astype(np.float64)
        inputs = np.concatenate([latents, goals], axis=1).astype(np.float64)
        if not np.isfinite(inputs).all():
            raise LatentError("latents or goals of the data set hold NaN or infinities")
        centre, middle = inputs.mean(axis=0), targets.mean(axis=0)
        left, sizes, right = np.linalg.svd(inputs - centre, full_matrices=False)
        scores = left.T @ (targets - middle)
        unit = float((sizes**2).mean()) or 1.0
        errors = {
            share: _left_out(left, sizes, scores, targets - middle, share * unit)
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
) -> npt.NDArray[np.float64]:
    """Errors on each row by the regression on all others, float64 [n, H · A]."""
    shrink = sizes**2 / (sizes**2 + penalty)
    own = (left**2 * shrink).sum(axis=1) + 1 / len(targets)
    errors: npt.NDArray[np.float64] = (targets - left @ (shrink[:, None] * scores)) / (
        1 - np.minimum(own, 1 - 1e-9)
    )[:, None]
    return errors
