"""Goal-conditioned action retrieval: which of these actions leads to the goal?"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mezzanine_core.errors import ConfigError, DataError, LatentError
from mezzanine_core.ranks import Ranks
from mezzanine_recipes_dynamics.planning.actions import check_actions_differ
from mezzanine_recipes_dynamics.planning.costs import expand_info
from mezzanine_recipes_dynamics.planning.protocols import Costable, Info

Negatives = Literal["any", "episode"]
"""Where wrong candidates are from: anywhere in the data set, or the true action's own episode."""

TIE_TOLERANCE = 1e-4
"""Costs that differ from the true action's by no more than this share of it are tied: beyond what
float32 resolves of the energy between nearly equal latents."""

_GOALS = 64

Rows = npt.NDArray[np.int64]


def draw_candidates(
    actions: npt.NDArray[np.float32],
    episode: Rows,
    queries: Rows,
    count: int,
    rng: np.random.Generator,
    negatives: Negatives = "any",
) -> Rows:
    """Draw the candidates of each query: its true action, then others of the data set.

    Wrong candidates are rows whose action is a different one, drawn without replacement: of two
    equal actions none is the true one, so no model could tell them apart.

    Args:
        actions: Actions of the data set, float [n, A].
        episode: Trajectory of each, int64 [n].
        queries: Rows whose true action is asked for, int64 [q].
        count: Number C of candidates, at least 2.
        rng: Decides which.
        negatives: Where wrong candidates are from.

    Returns:
        Rows, int64 [q, C]; the first of each is the query itself.

    Raises:
        ConfigError: If ``count`` is below 2 or ``negatives`` unknown.
        DataError: If actions are not finite or all the same, or there are more candidates than
            items to draw from.
    """
    if count < 2:
        raise ConfigError(f"ranking needs at least 2 candidates, not {count}")
    if negatives not in ("any", "episode"):
        raise ConfigError(f"negatives are from 'any' or from 'episode', not {negatives!r}")
    kinds = np.unique(check_actions_differ(actions), axis=0, return_inverse=True)[1].reshape(-1)

    def others(query: int) -> Rows:
        eligible = kinds != kinds[query]
        if negatives == "episode":
            eligible &= episode == episode[query]
        return np.flatnonzero(eligible)

    counts = ((len(others(query)), query) for query in queries.tolist())
    fewest, row = min(counts, default=(count, 0))
    if fewest < count - 1:
        inside = negatives == "episode"
        fewer = f"Rank among {fewest + 1} candidates or fewer, or take" if fewest else "Take"
        raise DataError(
            f"{count} candidates are more than there are items: row {row} has {fewest} rows with "
            f"another action in {'its own episode' if inside else 'the data set'}",
            hint=f"{fewer} more data{', or negatives from any episode' if inside else ''}.",
        )
    drawn = np.empty((len(queries), count), dtype=np.int64)
    drawn[:, 0] = queries
    for place, query in enumerate(queries.tolist()):
        drawn[place, 1:] = rng.choice(others(query), count - 1, replace=False)
    return drawn


@torch.no_grad()
def candidate_costs(model: Costable, info_dict: Info, candidates: Tensor) -> Tensor:
    """What the candidates of each query cost, in blocks of queries of bounded memory.

    Args:
        model: The cost.
        info_dict: Name → tensor [q, …] of what it needs to know of each query.
        candidates: float32 [q, C, H, A].

    Returns:
        float32 [q, C].
    """
    parts = []
    for start in range(0, len(candidates), _GOALS):
        part = candidates[start : start + _GOALS]
        rows = torch.arange(start, start + len(part), device=candidates.device)
        parts.append(model.get_cost(expand_info(info_dict, part.shape[1], rows), part))
    return torch.cat(parts)


def rank_true(costs: npt.NDArray[np.floating], *, tie_tolerance: float = TIE_TOLERANCE) -> Ranks:
    """Where the true candidate stands among all, the cheapest first.

    Args:
        costs: float [q, C]; the true candidate's are in the first column.
        tie_tolerance: Share of the true candidate's cost within which others tie with it.

    Returns:
        Counts for each query, ties as expectations over their orders.

    Raises:
        LatentError: If a cost is not finite.
    """
    if not np.isfinite(costs).all():
        query = int(np.argwhere(~np.isfinite(costs))[0, 0])
        raise LatentError(
            f"the costs of the candidates of query {query} are not finite",
            hint="The model diverges on these actions, or its inputs are not finite.",
        )
    values = costs.astype(np.float64)
    true = values[:, :1]
    slack = tie_tolerance * np.abs(true)
    cheaper = (values[:, 1:] < true - slack).sum(axis=1)
    as_cheap = (values[:, 1:] <= true + slack).sum(axis=1) - cheaper
    return Ranks(
        greater=cheaper.astype(np.int64),
        tied=as_cheap.astype(np.int64) + 1,
        targets=costs.shape[1],
    )
