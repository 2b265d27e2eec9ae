"""Gradient descent on action sequences, through the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzanine_core.errors import ConfigError
from mezzanine_recipes_dynamics.planning.actions import Prior
from mezzanine_recipes_dynamics.planning.bounds import Bounds
from mezzanine_recipes_dynamics.planning.noise import GoalNoise
from mezzanine_recipes_dynamics.planning.protocols import Costable, Info, Plan
from mezzanine_recipes_dynamics.planning.search import Search, check_counts


@dataclass(frozen=True, slots=True)
class GradientSettings:
    """How gradient descent searches.

    Attributes:
        num_samples: From how many starts each goal descends; the first is the mean, others are
            drawn around it.
        n_steps: Steps of Adam.
        lr: Learning rate, in standard deviations of the prior; above 0.
    """

    num_samples: int = 8
    n_steps: int = 60
    lr: float = 0.1

    def __post_init__(self) -> None:
        check_counts(self.num_samples, 1, self.n_steps)
        if self.lr <= 0:
            raise ConfigError(f"lr={self.lr} must be above 0")


class GradientDescent(Search):
    """Projected gradient descent by Adam, from several starts for each goal.

    After each step actions are brought back within the bounds. In the end where all starts have
    come to, and the best that any passed, are scored by the exact cost. The cost must be one that
    can be differentiated by the actions. A step counts as one model call a start and horizon step,
    though its backward pass takes about as long as two more. Arguments are those of
    :class:`~.cem.CEM`.
    """

    def __init__(
        self,
        model: Costable,
        *,
        horizon: int,
        prior: Prior,
        bounds: Bounds | None = None,
        settings: GradientSettings | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(model, horizon=horizon, prior=prior, bounds=bounds, seed=seed)
        self.settings = settings or GradientSettings()

    def solve(
        self,
        info_dict: Info,
        init_action: Tensor | None = None,
        *,
        init_std: Tensor | None = None,
        seeds: Sequence[int] | None = None,
    ) -> Plan:
        """Plan for all goals at once; see :meth:`~.protocols.Planner.solve`.

        Raises:
            ConfigError: If the cost cannot be differentiated, or as said there.
        """
        settings = self.settings
        start = self._start(info_dict, init_action, init_std, seeds)
        device, count = start.device, len(start)
        noise = GoalNoise(start.seeds, self.horizon, self.action_dim, device=device)
        drawn = noise.draw(range(count), settings.num_samples) * start.std.unsqueeze(1)
        drawn[:, 0] = 0
        actions = start.clip(start.mean.unsqueeze(1) + drawn)
        best, lowest = start.mean, torch.full((count,), torch.inf, device=device)
        adam = _Adam(actions, settings.lr * start.unit)
        for _ in range(settings.n_steps):
            costs, slopes = self._slopes(info_dict, actions)
            low, place = costs.min(dim=1)
            found = actions[torch.arange(count, device=device), place]
            best = torch.where((low < lowest)[:, None, None], found, best)
            lowest = torch.minimum(low, lowest)
            actions = start.clip(actions - adam.step(slopes))
        with torch.no_grad():
            plans, costs = self._best(info_dict, torch.cat([best.unsqueeze(1), actions], dim=1))
        steps = settings.num_samples * (settings.n_steps + 1) + 1
        return Plan(
            actions=plans,
            costs=costs,
            calls=torch.full((count,), steps * self.horizon, dtype=torch.int64),
            iterations=torch.full((count,), settings.n_steps, dtype=torch.int64),
            converged=torch.zeros(count, dtype=torch.bool),
            mean=actions.mean(dim=1),
            std=actions.std(dim=1, correction=0),
        )

    def _slopes(self, info: Info, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Costs [G, S], and their derivatives by the actions, [G, S, H, A]."""
        with torch.enable_grad():
            moving = actions.detach().requires_grad_()
            costs = self._cost(info, moving)
            if not costs.requires_grad:
                raise ConfigError(
                    "this cost cannot be differentiated by the actions",
                    hint="Use CEM or MPPI, which need no derivatives.",
                )
            (slopes,) = torch.autograd.grad(costs.sum(), moving)
        return costs.detach(), slopes


class _Adam:
    """Adam (Kingma and Ba 2015) with a learning rate for each feature, without state of torch's."""

    def __init__(self, like: Tensor, rates: Tensor) -> None:
        self._rates = rates
        self._first, self._second = torch.zeros_like(like), torch.zeros_like(like)
        self._count = 0

    def step(self, slopes: Tensor) -> Tensor:
        """By how much to go back."""
        self._count += 1
        self._first = 0.9 * self._first + 0.1 * slopes
        self._second = 0.999 * self._second + 0.001 * slopes.square()
        first = self._first / (1 - 0.9**self._count)
        second = self._second / (1 - 0.999**self._count)
        return self._rates * first / (second.sqrt() + 1e-12)
