"""The cross-entropy method over action sequences, for all goals in one tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mezzanine_core.errors import ConfigError
from mezzanine_recipes_dynamics.planning.actions import Prior
from mezzanine_recipes_dynamics.planning.bounds import Bounds
from mezzanine_recipes_dynamics.planning.noise import GoalNoise
from mezzanine_recipes_dynamics.planning.protocols import Costable, Info, Plan
from mezzanine_recipes_dynamics.planning.search import Search, Start, check_counts


@dataclass(frozen=True, slots=True)
class CEMSettings:
    """How the cross-entropy method searches. The defaults are plain CEM.

    Attributes:
        num_samples: Candidates of a goal in the first iteration.
        n_steps: Iterations at most.
        topk: Elites: the best candidates, to which the distribution is fitted.
        min_std: Floor of the standard deviation, as a share of the prior's.
        momentum: Share of the old mean and standard deviation that each iteration keeps, in [0, 1).
        keep_elites: How many of the best candidates stay in the competition in the next iteration;
            their costs are known, so they need no model call.
        decay: What the number of candidates is multiplied by in each iteration, in (0, 1]; at least
            2 · ``topk`` are drawn, or ``num_samples`` where that is less.
        colour: Exponent of the noise's spectrum; see :func:`~.noise.colouring`.
        tolerance: A goal stops when its lowest cost has fallen by no more than this share of it
            since the check before; ``None``: never.
        check_every: Iterations between two checks. A check waits for the device, so it is not made
            in each: one wait in five iterations is hidden by the four others, and what a goal
            computes in vain is at most four iterations.
    """

    num_samples: int = 300
    n_steps: int = 30
    topk: int = 30
    min_std: float = 0.0
    momentum: float = 0.0
    keep_elites: int = 0
    decay: float = 1.0
    colour: float = 0.0
    tolerance: float | None = None
    check_every: int = 5

    def __post_init__(self) -> None:
        check_counts(self.num_samples, self.topk, self.n_steps)
        if not 0 <= self.momentum < 1:
            raise ConfigError(f"momentum={self.momentum} must be in [0, 1)")
        if not 0 < self.decay <= 1:
            raise ConfigError(f"decay={self.decay} must be in (0, 1]")
        if not 0 <= self.keep_elites <= self.topk:
            raise ConfigError(
                f"keep_elites={self.keep_elites} must be between 0 and topk={self.topk}"
            )
        if self.min_std < 0 or (self.tolerance is not None and self.tolerance < 0):
            raise ConfigError("min_std and tolerance must be at least 0")
        if self.check_every < 1:
            raise ConfigError(f"check_every={self.check_every} must be at least 1")

    @classmethod
    def frugal(cls, **settings: float | None) -> CEMSettings:
        """Settings that need far fewer model calls, mostly iCEM's; how good plans are, depends.

        Coloured noise, elites kept, momentum, and fewer candidates from iteration to iteration are
        as in iCEM (Pinneri et al. 2020); a stop where a goal gets no better is not. Start it from
        the last plan or from a proposal (:class:`~.proposals.RidgeProposal`) where there is one.

        Args:
            settings: What is to differ.
        """
        chosen = {**_FRUGAL, **settings}
        return cls(**chosen)  # type: ignore[arg-type]

    def samples_at(self, step: int) -> int:
        """How many candidates are drawn in an iteration, counted from 0."""
        least = min(self.num_samples, 2 * self.topk)
        return max(least, math.ceil(self.num_samples * self.decay**step))


_FRUGAL: dict[str, float | None] = {
    "num_samples": 128,
    "topk": 16,
    "n_steps": 30,
    "keep_elites": 8,
    "decay": 0.8,
    "momentum": 0.1,
    "colour": 1.0,
    "tolerance": 0.002,
    "check_every": 3,
}


@dataclass(eq=False)
class _State:
    """Goals that are still searched, g of them.

    Attributes:
        goals: Which goals, on the host.
        rows: The same on the device, int64 [g].
        mean: float32 [g, H, A].
        std: float32 [g, H, A].
        elites: Best candidates so far, best first, [g, K, H, A]; none before the first iteration.
        costs: Their costs, [g, K].
        lowest: Lowest cost of each goal so far, [g].
        at_check: The same at the last check, [g].
    """

    goals: list[int]
    rows: Tensor
    mean: Tensor
    std: Tensor
    elites: Tensor
    costs: Tensor
    lowest: Tensor
    at_check: Tensor

    @classmethod
    def of(cls, start: Start) -> _State:
        count, horizon, features = start.mean.shape
        device = start.mean.device
        infinite = torch.full((count,), torch.inf, device=device)
        return cls(
            goals=list(range(count)),
            rows=torch.arange(count, device=device),
            mean=start.mean,
            std=start.std,
            elites=torch.empty(count, 0, horizon, features, device=device),
            costs=torch.empty(count, 0, device=device),
            lowest=infinite,
            at_check=infinite,
        )

    def select(self, places: list[int]) -> _State:
        """Some of the goals, by their places among those that are searched."""
        index = torch.tensor(places, dtype=torch.int64, device=self.rows.device)
        parts = ("rows", "mean", "std", "elites", "costs", "lowest", "at_check")
        return _State(
            goals=[self.goals[place] for place in places],
            **{name: getattr(self, name)[index] for name in parts},
        )


@dataclass(eq=False)
class _Outcome:
    """What is known of all goals when their search is over; tensors as in :class:`Plan`."""

    mean: Tensor
    std: Tensor
    elites: Tensor
    calls: Tensor
    iterations: Tensor
    converged: Tensor

    @classmethod
    def of(cls, start: Start, topk: int) -> _Outcome:
        count, horizon, features = start.mean.shape
        counts = torch.zeros(count, dtype=torch.int64)
        return cls(
            mean=torch.empty_like(start.mean),
            std=torch.empty_like(start.std),
            elites=start.mean.new_empty(count, topk, horizon, features),
            calls=counts,
            iterations=counts.clone(),
            converged=torch.zeros(count, dtype=torch.bool),
        )

    def end(self, state: _State, *, converged: bool) -> None:
        """Write down goals whose search is over."""
        self.mean[state.rows] = state.mean
        self.std[state.rows] = state.std
        self.elites[state.rows] = state.elites
        self.converged[state.goals] = converged


class CEM(Search):
    """The cross-entropy method (Rubinstein 1999), with what iCEM adds to it.

    In each iteration every goal draws candidates from its normal distribution, of which the first
    is the mean; they are brought within the bounds and scored; and the distribution is fitted to
    the best of them by maximum likelihood: their mean and (divided by their number, not by one
    less) their standard deviation. In the end the elites and the mean are scored by the exact cost,
    and the best one is the plan; so what is searched in bfloat16 is decided in float32.

    Goals share their tensors and nothing else: each draws from its own generator. On a CPU a goal's
    plan is the same to the bit whichever goals are planned beside it, with a
    :class:`~.costs.LatentCost` and a given number of threads; elsewhere up to how matrix products
    of different sizes are rounded.

    Args:
        model: What is lowered.
        horizon: Number H of actions in a plan, at least 1.
        prior: Where actions are looked for at first.
        bounds: Where actions may lie; anywhere by default.
        settings: How it searches.
        seed: From which the seeds of goals are made where none are given.

    Raises:
        ConfigError: If the horizon is below 1.
    """

    def __init__(
        self,
        model: Costable,
        *,
        horizon: int,
        prior: Prior,
        bounds: Bounds | None = None,
        settings: CEMSettings | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(model, horizon=horizon, prior=prior, bounds=bounds, seed=seed)
        self.settings = settings or CEMSettings()

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
        start = self._start(info_dict, init_action, init_std, seeds)
        noise = GoalNoise(
            start.seeds,
            self.horizon,
            self.action_dim,
            colour=self.settings.colour,
            device=start.device,
        )
        outcome = _Outcome.of(start, self.settings.topk)
        state = _State.of(start)
        for step in range(self.settings.n_steps):
            count = self.settings.samples_at(step)
            candidates = _candidates(start, state, noise.draw(state.goals, count))
            costs = self._cost(info_dict, candidates, state.rows)
            self._update(state, candidates, costs, start.unit)
            outcome.calls[state.goals] += count * self.horizon
            outcome.iterations[state.goals] += 1
            if self._is_check(step):
                state = self._stop(state, outcome)
                if not state.goals:
                    break
        outcome.end(state, converged=False)
        return self._finish(info_dict, start, outcome)

    def _update(self, state: _State, candidates: Tensor, costs: Tensor, unit: Tensor) -> None:
        """Fit the distribution of every goal to its best; ``unit`` is the prior's spread."""
        settings = self.settings
        if settings.keep_elites and state.elites.shape[1]:
            candidates = torch.cat([state.elites[:, : settings.keep_elites], candidates], dim=1)
            costs = torch.cat([state.costs[:, : settings.keep_elites], costs], dim=1)
        state.costs, index = costs.topk(settings.topk, dim=1, largest=False)
        state.elites = candidates[torch.arange(len(index), device=index.device)[:, None], index]
        state.lowest = torch.minimum(state.lowest, state.costs[:, 0])
        old = settings.momentum
        std = (1 - old) * state.elites.std(dim=1, correction=0) + old * state.std
        state.mean = (1 - old) * state.elites.mean(dim=1) + old * state.mean
        state.std = torch.maximum(std, settings.min_std * unit)

    def _is_check(self, step: int) -> bool:
        done = step + 1
        return (
            self.settings.tolerance is not None
            and done % self.settings.check_every == 0
            and done < self.settings.n_steps
        )

    def _stop(self, state: _State, outcome: _Outcome) -> _State:
        """Write down the goals that get no better; what is left to search."""
        assert self.settings.tolerance is not None
        gained = state.at_check - state.lowest
        still = (gained > self.settings.tolerance * state.lowest.abs()).tolist()
        state.at_check = state.lowest
        if all(still):
            return state
        stopped = [place for place, goes_on in enumerate(still) if not goes_on]
        outcome.end(state.select(stopped), converged=True)
        return state.select([place for place, goes_on in enumerate(still) if goes_on])

    def _finish(self, info: Info, start: Start, outcome: _Outcome) -> Plan:
        finalists = torch.cat([start.clip(outcome.mean).unsqueeze(1), outcome.elites], dim=1)
        actions, costs = self._best(info, finalists)
        return Plan(
            actions=actions,
            costs=costs,
            calls=outcome.calls + finalists.shape[1] * self.horizon,
            iterations=outcome.iterations,
            converged=outcome.converged,
            mean=outcome.mean,
            std=outcome.std,
        )


def _candidates(start: Start, state: _State, noise: Tensor) -> Tensor:
    """What is tried, within the bounds, the mean first: [g, S, H, A]."""
    candidates = noise.mul_(state.std.unsqueeze(1)).add_(state.mean.unsqueeze(1))
    candidates[:, 0] = state.mean
    return start.clip(candidates)
