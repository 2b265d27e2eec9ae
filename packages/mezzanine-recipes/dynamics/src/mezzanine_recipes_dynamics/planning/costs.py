"""The cost of a plan in latent space: how far from the goal a model says that it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from mezzanine_core.errors import ConfigError, LatentError
from mezzanine_recipes_dynamics.planning.protocols import Info

Energy = Literal["cosine", "squared", "l1"]
"""How far a latent is from another: 1 - cosine, mean squared or mean absolute difference."""

Over = Literal["last", "sum"]
"""What of a rollout counts: where it ends, or every step alike."""


class LatentModel(Protocol):
    """One step of latent dynamics."""

    def __call__(
        self, latents: Tensor, actions: Tensor, context: Tensor | None = None, /
    ) -> Tensor:
        """Next latents.

        Args:
            latents: float32 [N, D].
            actions: float32 [N, A].
            context: What else is known, float32 [N, C], the same at every step of a rollout; not
                given where the goals have none.

        Returns:
            float32 or bfloat16 [N, D].
        """
        ...


class LatentCost:
    """Rolls a latent model over an action sequence and measures the energy to a goal latent.

    It needs to know, of each goal, ``latent`` and ``goal``, float32 [G, D] each, and hands
    ``context`` [G, C] on to the model where it is there. It can be differentiated by the actions
    if the model can. In a planner it takes the place of a world model's ``get_cost``.

    Args:
        model: The model.
        energy: Measure of distance to the goal. The cosine is computed as half the squared distance
            of unit vectors, which stays exact where latents are nearly alike.
        over: What of a rollout counts.
        search_model: A cheaper version of the model, such as one in bfloat16, by which
            :meth:`get_cost` searches; :meth:`get_exact_cost` is by ``model`` always.
        goals_per_call: Of how many goals the model gets the samples in one call. By default one on
            a CPU, where that is as fast, and bounds the memory, and makes the numbers of a goal
            the same to the bit whichever goals are beside it; elsewhere all.

    Raises:
        ConfigError: If a setting is unknown or out of range.
    """

    def __init__(
        self,
        model: LatentModel,
        *,
        energy: Energy = "cosine",
        over: Over = "last",
        search_model: LatentModel | None = None,
        goals_per_call: int | None = None,
    ) -> None:
        if energy not in _ENERGIES:
            raise ConfigError(f"no energy {energy!r}; there are {', '.join(_ENERGIES)}")
        if over not in ("last", "sum"):
            raise ConfigError(f"a cost is over 'last' or over 'sum', not {over!r}")
        if goals_per_call is not None and goals_per_call < 1:
            raise ConfigError(f"goals_per_call={goals_per_call} must be at least 1")
        self._model = model
        self._search_model = search_model or model
        self._energy = _ENERGIES[energy]
        self._sums = over == "sum"
        self._goals_per_call = goals_per_call

    @property
    def is_exact(self) -> bool:
        """Whether what is searched by is what is meant."""
        return self._search_model is self._model

    def get_cost(self, info_dict: dict[str, Any], action_candidates: Tensor) -> Tensor:
        """Energies by the model that searches; see :class:`~.protocols.Costable`.

        Args:
            info_dict: ``latent`` and ``goal``, float32 [G, S, D] or [G, 1, D], perhaps ``context``.
            action_candidates: float32 [G, S, H, A].

        Returns:
            float32 [G, S].

        Raises:
            LatentError: If something is missing, or shapes do not fit.
        """
        return self._cost(self._search_model, info_dict, action_candidates)

    def get_exact_cost(self, info_dict: dict[str, Any], action_candidates: Tensor) -> Tensor:
        """Energies by the model itself, arguments and result as in :meth:`get_cost`."""
        return self._cost(self._model, info_dict, action_candidates)

    def _cost(self, model: LatentModel, info: dict[str, Any], candidates: Tensor) -> Tensor:
        latents, goals, context = _read(info, candidates)
        size = self._goals_per_call or (1 if candidates.device.type == "cpu" else len(candidates))
        parts = [
            self._roll(
                model,
                latents[start : start + size],
                goals[start : start + size],
                None if context is None else context[start : start + size],
                candidates[start : start + size],
            )
            for start in range(0, len(candidates), size)
        ]
        return torch.cat(parts)

    def _roll(
        self,
        model: LatentModel,
        latents: Tensor,
        goals: Tensor,
        context: Tensor | None,
        candidates: Tensor,
    ) -> Tensor:
        """Energies [g, S] of some goals, computed as one batch."""
        count, samples, horizon, _ = candidates.shape
        here = _flat(latents, samples)
        known = () if context is None else (_flat(context, samples),)
        total = torch.zeros(count, samples, device=candidates.device)
        for step in range(horizon):
            here = model(here, candidates[:, :, step].flatten(0, 1), *known)
            if here.shape != (count * samples, latents.shape[-1]):
                raise LatentError(
                    f"the model gave next latents of shape {list(here.shape)}; expected "
                    f"{[count * samples, latents.shape[-1]]}"
                )
            if self._sums or step == horizon - 1:
                total = total + self._energy(here.float().view(count, samples, -1), goals)
        return total


def expand_info(info: Info, samples: int, rows: Tensor | None = None) -> dict[str, Any]:
    """What is known of goals, for each of their samples: tensors [G, …] as views [G, S, …].

    Args:
        info: Name → tensor [G, …]; what is no tensor is handed on as it is.
        samples: Number S of samples.
        rows: Which goals, int64 [g]; all by default.
    """
    return {
        name: _expand(value if rows is None else value[rows], samples)
        if isinstance(value, Tensor)
        else value
        for name, value in info.items()
    }


def _expand(value: Tensor, samples: int) -> Tensor:
    return value.unsqueeze(1).expand(-1, samples, *value.shape[1:])


def _flat(value: Tensor, samples: int) -> Tensor:
    """[g, S or 1, D] as [g · S, D]."""
    return value.expand(-1, samples, -1).flatten(0, 1)


def _read(info: dict[str, Any], candidates: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    if candidates.ndim != 4:
        raise LatentError(
            f"action candidates of shape {list(candidates.shape)}; expected [G, S, H, A]"
        )
    missing = [name for name in ("latent", "goal") if name not in info]
    if missing:
        raise LatentError(
            f"a latent cost needs {' and '.join(missing)} of each goal, but was told "
            f"{', '.join(info) or 'nothing'}",
            hint="Give planners {'latent': float [G, D], 'goal': float [G, D]}.",
        )
    latents, goals, context = info["latent"], info["goal"], info.get("context")
    goals_count, samples = candidates.shape[:2]
    for name, value in (("latent", latents), ("goal", goals), ("context", context)):
        if value is None and name == "context":
            continue
        shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        if not isinstance(value, Tensor) or (
            value.ndim != 3 or len(value) != goals_count or value.shape[1] not in (1, samples)
        ):
            raise LatentError(
                f"{name} of shape {shape} does not fit candidates of shape "
                f"{list(candidates.shape)}; expected [{goals_count}, {samples} or 1, …]"
            )
    if latents.shape[2] != goals.shape[2]:
        raise LatentError(
            f"latents of {latents.shape[2]} features and goals of {goals.shape[2]} do not compare"
        )
    return latents, goals[:, :1], context


def _cosine(latents: Tensor, goals: Tensor) -> Tensor:
    apart = functional.normalize(latents, dim=-1) - functional.normalize(goals, dim=-1)
    return apart.square().sum(dim=-1) / 2


def _squared(latents: Tensor, goals: Tensor) -> Tensor:
    return (latents - goals).square().mean(dim=-1)


def _l1(latents: Tensor, goals: Tensor) -> Tensor:
    return (latents - goals).abs().mean(dim=-1)


_ENERGIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cosine": _cosine,
    "squared": _squared,
    "l1": _l1,
}
