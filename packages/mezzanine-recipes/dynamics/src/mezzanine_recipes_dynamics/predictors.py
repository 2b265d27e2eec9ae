"""The two predictors of the next latent, for all seeds at once.

``action`` sees the latent and the action, ``no_action`` the latent alone; where a world gives a
state, both see that too. Both have the same architecture, the same number of weights and, for a
given seed, the same initial ones; the standardised action that ``no_action`` is fed is zero,
always. So they differ in nothing but what they are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import LatentError, UnknownNameError
from mezzanine_recipes_distill.heads import feature_scale

Model = Literal["action", "no_action"]
"""Which of the two predictors."""

MODELS: tuple[Model, ...] = get_args(Model)

Actions = npt.NDArray[np.float32]
"""Action features: float32 [n, A]."""

States = npt.NDArray[np.float32]
"""State features at t: float32 [n, S]."""

_PREDICT_ROWS = 4096


class Predictors(nn.Module):
    """Residual multilayer perceptrons, one for each model and seed, computed together.

    Each maps a standardised latent and action to a change of the latent::

        z' = z + σ ⊙ MLP([(z − μ) / σ, (a − μ_a) / σ_a])

    with the standardised state behind the action where there is one, GELU between layers, and a
    last layer that starts at zero, so that training starts from persistence. Only the direction of
    z' has a meaning: the loss and the retrieval use cosines.

    All of them are computed by one batched matrix product a layer, which on a CPU is faster than
    one after the other. Members are ordered by model, then by seed.

    Args:
        dim: Length D of a latent.
        actions: Number A of action features.
        hidden: Width of the hidden layers.
        depth: Number of hidden layers; 0 gives linear predictors.
        seeds: Seed of each repetition; there are twice as many members, M.
        states: Number S of state features, 0 for no state.
    """

    def __init__(
        self,
        *,
        dim: int,
        actions: int,
        hidden: int,
        depth: int,
        seeds: Sequence[int],
        states: int = 0,
    ) -> None:
        super().__init__()
        self.dim, self.actions, self.hidden, self.depth = dim, actions, hidden, depth
        self.states = states
        self.seeds = tuple(seeds)
        members = len(MODELS) * len(self.seeds)
        widths = [dim + actions + states, *[hidden] * depth, dim]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.zeros(members, narrow, wide)) for narrow, wide in pairwise(widths)
        )
        self.biases = nn.ParameterList(
            nn.Parameter(torch.zeros(members, 1, wide)) for wide in widths[1:]
        )
        self.latent_mean: Tensor
        self.latent_scale: Tensor
        self.action_mean: Tensor
        self.action_scale: Tensor
        self.state_mean: Tensor
        self.state_scale: Tensor
        self.sees: Tensor
        self.register_buffer("latent_mean", torch.zeros(dim))
        self.register_buffer("latent_scale", torch.ones(dim))
        self.register_buffer("action_mean", torch.zeros(actions))
        self.register_buffer("action_scale", torch.ones(actions))
        # Files of predictors without a state hold nothing of it, as before there were states.
        self.register_buffer("state_mean", torch.zeros(states), persistent=states > 0)
        self.register_buffer("state_scale", torch.ones(states), persistent=states > 0)
        self.register_buffer("sees", self._visible_inputs())

    def _visible_inputs(self) -> Tensor:
        """Factor of each input of each member, 0 for what ``no_action`` may not see."""
        sees = torch.ones(len(MODELS), len(self.seeds), 1, self.dim + self.actions + self.states)
        sees[MODELS.index("no_action"), :, :, self.dim : self.dim + self.actions] = 0
        return sees.flatten(0, 1)

    def initialise(self, generators: Sequence[torch.Generator]) -> None:
        """Draw the initial weights: uniform in ±1/√(inputs), the last layer zero.

        Args:
            generators: One CPU generator a seed; both models of a seed start from the same weights.
        """
        with torch.no_grad():
            for layer in range(self.depth):
                weight, bias = self.weights[layer], self.biases[layer]
                bound = weight.shape[1] ** -0.5
                for parameter in (weight, bias):
                    drawn = torch.stack(
                        [
                            torch.empty(parameter.shape[1:]).uniform_(
                                -bound, bound, generator=generator
                            )
                            for generator in generators
                        ]
                    )
                    parameter.copy_(drawn.repeat(len(MODELS), 1, 1))

    def standardise(self, latents: Tensor, actions: Tensor, states: Tensor | None = None) -> None:
        """Take mean and spread of the inputs from training data, [n, D], [n, A] and [n, S].

        A feature that does not vary keeps the scale 1; one that hardly varies is scaled as if it
        varied by a thousandth of the one that varies most.
        """
        self.latent_mean.copy_(latents.mean(dim=0))
        self.latent_scale.copy_(feature_scale(latents))
        self.action_mean.copy_(actions.mean(dim=0))
        self.action_scale.copy_(feature_scale(actions))
        if states is not None:
            self.state_mean.copy_(states.mean(dim=0))
            self.state_scale.copy_(feature_scale(states))

    def features(self, latents: Tensor, actions: Tensor, states: Tensor | None = None) -> Tensor:
        """Standardised inputs [..., D + A + S] of latents, actions and, where S > 0, states."""
        parts = [
            (latents - self.latent_mean) / self.latent_scale,
            (actions - self.action_mean) / self.action_scale,
        ]
        if states is not None:
            parts.append((states - self.state_mean) / self.state_scale)
        return torch.cat(parts, dim=-1)

    def forward(self, features: Tensor, latents: Tensor, members: slice = slice(None)) -> Tensor:
        """Predict with some or all members.

        Args:
            features: From :meth:`features`, [M, B, D + A + S], or with a first axis of 1 for all
                members alike.
            latents: The latents they were made of, [M, B, D] or [1, B, D].
            members: Which members, M of them.

        Returns:
            Predicted next latents, [M, B, D].
        """
        x = features * self.sees[members]
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if layer:
                x = nn.functional.gelu(x)
            x = torch.baddbmm(bias[members], x, weight[members])
        return latents + self.latent_scale * x

    @torch.no_grad()
    def predict(
        self,
        model: Model,
        seed: int,
        latents: Latents,
        actions: Actions | None = None,
        states: States | None = None,
    ) -> Latents:
        """Predict next latents with one trained model.

        Args:
            model: ``action`` or ``no_action``.
            seed: Which of :attr:`seeds`.
            latents: float32 [n, D].
            actions: float32 [n, A]; may be left out for ``no_action``, which ignores them.
            states: float32 [n, S], where these predictors take a state, and ``None`` otherwise.

        Returns:
            float32 [n, D]; their directions are meant, not their lengths.

        Raises:
            UnknownNameError: If there is no such model or seed.
            LatentError: If the shapes do not fit.
        """
        member = self._member(model, seed)
        if actions is None and model == "no_action":
            actions = np.zeros((len(latents), self.actions), dtype=np.float32)
        if (
            actions is None
            or latents.shape != (len(latents), self.dim)
            or actions.shape != (len(latents), self.actions)
        ):
            raise LatentError(
                f"latents of shape {latents.shape} with actions of shape "
                f"{None if actions is None else actions.shape}; these predictors take "
                f"[n, {self.dim}] and [n, {self.actions}]"
            )
        wanted = (len(latents), self.states) if self.states else None
        if wanted != (None if states is None else states.shape):
            raise LatentError(
                f"states of shape {None if states is None else states.shape}; these predictors "
                f"take {f'[n, {self.states}]' if self.states else 'no state'}"
            )
        predicted = np.empty((len(latents), self.dim), dtype=np.float32)
        for start in range(0, len(latents), _PREDICT_ROWS):
            rows = slice(start, start + _PREDICT_ROWS)
            z = self._tensor(latents[rows])
            s = None if states is None else self._tensor(states[rows])
            x = self.features(z, self._tensor(actions[rows]), s)
            out = self(x[None], z[None], slice(member, member + 1))
            predicted[rows] = out[0].cpu().numpy()
        return predicted

    def _member(self, model: str, seed: int) -> int:
        if model not in MODELS:
            raise UnknownNameError(f"there is no model {model!r}; there are {', '.join(MODELS)}")
        if seed not in self.seeds:
            raise UnknownNameError(f"there is no seed {seed}; there are {list(self.seeds)}")
        return MODELS.index(model) * len(self.seeds) + self.seeds.index(seed)

    def _tensor(self, array: npt.NDArray[np.float32]) -> Tensor:
        array = np.ascontiguousarray(array, dtype=np.float32)
        return torch.from_numpy(array).to(self.latent_mean.device)
