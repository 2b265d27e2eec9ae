"""Model predictive path integral control: every candidate counts, the better the more."""

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
class MPPISettings:
    """How path integral control searches.

    Attributes:
        num_samples: Candidates of a goal in an iteration.
        n_steps: Iterations.
        temperature: How much worse candidates count, in standard deviations of the costs of the
            goal's candidates, so that it does not depend on the unit of the cost; above 0.
        min_std: Floor of the standard deviation, as a share of the prior's.
        momentum: Share of the old mean and standard deviation that each iteration keeps, in [0, 1).
        colour: Exponent of the noise's spectrum; see :func:`~.noise.colouring`.
    """

    num_samples: int = 300
    n_steps: int = 30
    temperature: float = 0.3
    min_std: float = 0.0
    momentum: float = 0.0
    colour: float = 0.0

    def __post_init__(self) -> None:
        check_counts(self.num_samples, 1, self.n_steps)
        if self.temperature <= 0:
            raise ConfigError(f"temperature={self.temperature} must be above 0")
        if not 0 <= self.momentum < 1 or self.min_std < 0:
            raise ConfigError("momentum must be in [0, 1) and min_std at least 0")


class MPPI(Search):
    """Path integral control (Williams et al. 2015), fitting the spread too, as TD-MPC does.

    In each iteration the mean and the standard deviation become those of all candidates, weighted
    by exp(−cost / temperature); one whose cost is not finite has no weight. In the end the best of
    all candidates and the mean are scored by the exact cost, and the better one is the plan.
    Candidates, bounds and seeds are as in
    :class:`~.cem.CEM`, and so are the arguments.
    """

    def __init__(
        self,
        model: Costable,
        *,
        horizon: int,
        prior: Prior,
        bounds: Bounds | None = None,
        settings: MPPISettings | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(model, horizon=horizon, prior=prior, bounds=bounds, seed=seed)
        self.settings = settings or MPPISettings()

    @torch.no_grad()
    def solve(
        self,
        info_dict: Info,
        init_action: Tensor | None = None,
        *,
        init_std: Tensor | None = None,
        seeds: Sequence[int] | None = None,
    ) -> Plan:
        """Plan for all goals at once; see :meth:`~.protocols.Planner.solve`."""
        settings = self.settings
        start = self._start(info_dict, init_action, init_std, seeds)
        mean, std, device = start.mean, start.std, start.device
        noise = GoalNoise(
            start.seeds, self.horizon, self.action_dim, colour=settings.colour, device=device
        )
        goals = range(len(start))
        floor = settings.min_std * start.unit
        best, lowest = mean, torch.full((len(start),), torch.inf, device=device)
        for _ in range(settings.n_steps):
            drawn = noise.draw(goals, settings.num_samples)
            candidates = drawn.mul_(std.unsqueeze(1)).add_(mean.unsqueeze(1))
            candidates[:, 0] = mean
            candidates = start.clip(candidates)
            costs = self._cost(info_dict, candidates)
            best, lowest = _better(best, lowest, candidates, costs)
            weights = _weights(costs, settings.temperature)
            old, found = settings.momentum, (weights * candidates).sum(dim=1)
            spread = (weights * (candidates - found.unsqueeze(1)).square()).sum(dim=1).sqrt()
            mean = (1 - old) * found + old * mean
            std = torch.maximum((1 - old) * spread + old * std, floor)
        actions, costs = self._best(info_dict, torch.stack([start.clip(mean), best], dim=1))
        steps = settings.num_samples * settings.n_steps + 2
        return Plan(
            actions=actions,
            costs=costs,
            calls=torch.full((len(start),), steps * self.horizon, dtype=torch.int64),
            iterations=torch.full((len(start),), settings.n_steps, dtype=torch.int64),
            converged=torch.zeros(len(start), dtype=torch.bool),
            mean=mean,
            std=std,
        )


def _weights(costs: Tensor, temperature: float) -> Tensor:
    """Weight of each candidate, [G, S, 1, 1], of costs [G, S]; none where they are infinite."""
    finite = costs.isfinite()
    known = costs.where(finite, 0)
    count = finite.sum(dim=1, keepdim=True).clamp(min=1)
    apart = (known - known.sum(dim=1, keepdim=True) / count).where(finite, 0)
    scale = temperature * (apart.square().sum(dim=1, keepdim=True) / count).sqrt()
    # Where all costs are alike every candidate counts the same, also where all are infinite.
    alike = ~finite.any(dim=1, keepdim=True)
    scaled = (costs - costs.amin(dim=1, keepdim=True)) / scale.clamp(min=1e-30)
    return torch.softmax(-scaled.where(~alike, 0), dim=1)[:, :, None, None]


def _better(
    best: Tensor, lowest: Tensor, candidates: Tensor, costs: Tensor
) -> tuple[Tensor, Tensor]:
    """The best candidate of each goal so far, and its cost."""
    low, place = costs.min(dim=1)
    found = candidates[torch.arange(len(place), device=place.device), place]
    return torch.where((low < lowest)[:, None, None], found, best), torch.minimum(low, lowest)
