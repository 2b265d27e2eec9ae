"""What costs and planners look like, and what a planner gives back.

The shapes and names are those of stable-worldmodel's ``solver`` module where they can be: a cost
is an object with ``get_cost(info_dict, action_candidates)``, candidates are [G, S, H, A] for G
goals, S samples, horizon H and A action features, and a planner's ``solve(info_dict, init_action)``
works on all goals at once. A model that is ``Costable`` there is one here. What differs: a planner
is told its horizon and bounds when it is made, and not by ``configure``; it is seeded for each goal
and not for the batch; and ``solve`` gives a :class:`Plan` and not a dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

Info = Mapping[str, Any]
"""What is known of each goal: name → tensor [G, …], such as ``latent`` and ``goal``, [G, D]."""


class Costable(Protocol):
    """What planners lower: the cost of action sequences."""

    def get_cost(self, info_dict: dict[str, Any], action_candidates: Tensor) -> Tensor:
        """The cost of each candidate; lower is better.

        Args:
            info_dict: Name → tensor [G, S, …]: the same for all samples of a goal, as a view.
            action_candidates: float32 [G, S, H, A].

        Returns:
            float32 [G, S].
        """
        ...


@runtime_checkable
class Rescorable(Costable, Protocol):
    """A cost that is searched with something cheaper than what it means."""

    def get_exact_cost(self, info_dict: dict[str, Any], action_candidates: Tensor) -> Tensor:
        """The cost that is meant, arguments and result as in :meth:`Costable.get_cost`."""
        ...


@dataclass(frozen=True, eq=False)
class Plan:
    """What a planner found for each of G goals.

    Attributes:
        actions: The best action sequences, float32 [G, H, A].
        costs: What they cost, float32 [G]; by the exact cost where there is one.
        calls: How many single steps of the model were computed for each goal (candidates × horizon,
            summed over iterations and what was scored anew at the end), int64 [G].
        iterations: How many iterations each goal took part in, int64 [G].
        converged: Which goals stopped before the last iteration was over, bool [G].
        mean: Mean of the last distribution, float32 [G, H, A]: to start again from.
        std: Its standard deviation, float32 [G, H, A].
    """

    actions: Tensor
    costs: Tensor
    calls: Tensor
    iterations: Tensor
    converged: Tensor
    mean: Tensor
    std: Tensor


class Planner(Protocol):
    """Finds action sequences of low cost."""

    @property
    def horizon(self) -> int:
        """Number H of actions in a plan."""
        ...

    @property
    def action_dim(self) -> int:
        """Number A of features of an action."""
        ...

    def solve(
        self,
        info_dict: Info,
        init_action: Tensor | None = None,
        *,
        init_std: Tensor | None = None,
        seeds: Sequence[int] | None = None,
    ) -> Plan:
        """Plan for all goals at once.

        Args:
            info_dict: Name → tensor [G, …] of what the cost needs to know of each goal.
            init_action: Where to start from, float [G, h, A] with h at most H; steps beyond h start
                from the mean of the prior, as everything does by default.
            init_std: How far around it to look at first, float [G, H, A] or what broadcasts to it;
                by default the prior's.
            seeds: Seed of each goal's own generator, G of them. With the same seed a goal gets the
                same plan whichever goals are planned beside it. By default they are made of the
                planner's seed and the place of the goal.

        Raises:
            ConfigError: If shapes or numbers do not fit each other.
            LatentError: If a cost is not finite.
        """
        ...
