"""What all planners share: the checks, where they start, and how they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzanine_core.errors import ConfigError, LatentError
from mezzanine_recipes_dynamics.planning.actions import Prior
from mezzanine_recipes_dynamics.planning.bounds import Bounds
from mezzanine_recipes_dynamics.planning.costs import expand_info
from mezzanine_recipes_dynamics.planning.noise import goal_seeds
from mezzanine_recipes_dynamics.planning.protocols import Costable, Info, Rescorable


@dataclass(frozen=True, eq=False)
class Start:
    """Where a search starts.

    Attributes:
        mean: float32 [G, H, A], within the bounds.
        std: float32 [G, H, A].
        seeds: Seed of each goal.
        unit: Standard deviation of the prior, float32 [A], on the device of the search.
        bounds: Where actions may lie, on that device too: nothing is copied to it, which would wait
            for it, in the loop of a search.
    """

    mean: Tensor
    std: Tensor
    seeds: list[int]
    unit: Tensor
    bounds: Bounds | None

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def device(self) -> torch.device:
        """Where the search takes place."""
        return self.mean.device

    def clip(self, actions: Tensor) -> Tensor:
        """Actions [..., A] within the bounds."""
        return actions if self.bounds is None else self.bounds.clip(actions)


class Search:
    """Base of the planners: a cost, a horizon, a prior and bounds.

    Args:
        model: What is lowered.
        horizon: Number H of actions in a plan, at least 1.
        prior: Where actions are looked for at first; what it spreads by is also the unit in which
            floors of standard deviations and step sizes are given.
        bounds: Where actions may lie; anywhere by default.
        seed: Seed of the planner, from which those of the goals are made where none are given.

    Raises:
        ConfigError: If the horizon is below 1, the seed is negative, or the bounds are of another
            number of features than the prior.
    """

    def __init__(
        self,
        model: Costable,
        *,
        horizon: int,
        prior: Prior,
        bounds: Bounds | None = None,
        seed: int = 0,
    ) -> None:
        if horizon < 1:
            raise ConfigError(f"a plan has at least one action; horizon={horizon} is less")
        goal_seeds(seed, 0)
        if bounds is not None:
            bounds.to(prior.mean.device).clip(prior.mean)
        self._model = model
        self._horizon = horizon
        self._prior = prior
        self._bounds = bounds
        self._seed = seed

    @property
    def horizon(self) -> int:
        """Number H of actions in a plan."""
        return self._horizon

    @property
    def action_dim(self) -> int:
        """Number A of features of an action."""
        return len(self._prior.mean)

    def _start(
        self,
        info: Info,
        init_action: Tensor | None,
        init_std: Tensor | None,
        seeds: Sequence[int] | None,
    ) -> Start:
        goals, device = _goals(info)
        seeds = goal_seeds(self._seed, goals) if seeds is None else list(seeds)
        if len(seeds) != goals:
            raise ConfigError(f"{len(seeds)} seeds for {goals} goals; each needs one")
        shape = (goals, self.horizon, self.action_dim)
        mean = self._prior.mean.to(device).expand(shape).clone()
        if init_action is not None:
            steps = init_action.shape[1] if init_action.ndim == 3 else 0
            if init_action.shape != (goals, steps, self.action_dim) or steps > self.horizon:
                raise ConfigError(
                    f"init_action of shape {list(init_action.shape)}; expected [{goals}, "
                    f"{self.horizon} or less, {self.action_dim}]"
                )
            mean[:, :steps] = init_action.to(device, torch.float32)
        std = self._prior.std.to(device) if init_std is None else init_std.to(device, torch.float32)
        try:
            std = std.expand(shape).clone()
        except RuntimeError as error:
            raise ConfigError(
                f"init_std of shape {list(std.shape)} does not broadcast to {list(shape)}"
            ) from error
        bounds = None if self._bounds is None else self._bounds.to(device)
        mean = mean if bounds is None else bounds.clip(mean)
        return Start(mean, std, seeds, self._prior.std.to(device), bounds)

    def _cost(self, info: Info, candidates: Tensor, rows: Tensor | None = None) -> Tensor:
        """Costs [g, S] of candidates [g, S, H, A] of all goals or of the rows given.

        Those that are not finite are made infinite: such candidates lose to all others.
        """
        costs = self._model.get_cost(expand_info(info, candidates.shape[1], rows), candidates)
        if costs.shape != candidates.shape[:2]:
            raise LatentError(
                f"the cost of candidates {list(candidates.shape)} has the shape "
                f"{list(costs.shape)}; expected [G, S]"
            )
        return _finite_or_worst(costs)

    def _best(self, info: Info, finalists: Tensor) -> tuple[Tensor, Tensor]:
        """The best of finalists [G, K, H, A] by the exact cost: actions [G, H, A], costs [G].

        Raises:
            LatentError: If no finalist of a goal has a finite cost.
        """
        if isinstance(self._model, Rescorable):
            exact = self._model.get_exact_cost(expand_info(info, finalists.shape[1]), finalists)
            costs = _finite_or_worst(exact)
        else:
            costs = self._cost(info, finalists)
        lowest, place = costs.min(dim=1)
        if not bool(lowest.isfinite().all()):
            goal = int((~lowest.isfinite()).nonzero()[0])
            raise LatentError(
                f"the costs of the plans of goal {goal} are not finite",
                hint="The model diverges on these actions, or latents or goals are not finite; "
                "give bounds, or a shorter horizon.",
            )
        return finalists[torch.arange(len(place), device=place.device), place], lowest


def _finite_or_worst(costs: Tensor) -> Tensor:
    return costs.where(costs.isfinite(), torch.inf)


def _goals(info: Info) -> tuple[int, torch.device]:
    """How many goals there are, and where they are."""
    tensors = {name: value for name, value in info.items() if isinstance(value, Tensor)}
    sizes = {name: len(value) if value.ndim else 0 for name, value in tensors.items()}
    if len(set(sizes.values())) != 1 or 0 in sizes.values():
        raise ConfigError(
            f"what is known of the goals has the lengths {sizes}; all need the same, at least 1"
        )
    return next(iter(sizes.values())), next(iter(tensors.values())).device


def check_counts(num_samples: int, topk: int, n_steps: int) -> None:
    """Check the numbers of samples, elites and iterations of a search.

    Raises:
        ConfigError: If one is below 1, or there are fewer samples than elites.
    """
    for name, value in (("num_samples", num_samples), ("topk", topk), ("n_steps", n_steps)):
        if value < 1:
            raise ConfigError(f"{name}={value} must be at least 1")
    if num_samples < topk:
        raise ConfigError(
            f"num_samples={num_samples} samples are fewer than the topk={topk} elites among them",
            hint="Raise num_samples or lower topk.",
        )
