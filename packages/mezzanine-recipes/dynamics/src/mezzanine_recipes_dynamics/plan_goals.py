"""What is asked: which actions to tell apart, and what to plan for, drawn from a test split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import DataError
from mezzanine_core.worlds import Transitions
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.planning.retrieval import Negatives, draw_candidates
from mezzanine_recipes_dynamics.samples import Samples

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Goals:
    """Goals and how they were reached.

    Attributes:
        latents: Latents to start from, float32 [n, D].
        goals: Latents to reach, float32 [n, D].
        actions: What was done in between, float32 [n, H, A].
        state: What else is known at the start, float32 [n, S], or ``None``.
        episode: Trajectory of each, int64 [n].
        rows: Test row that each starts with, int64 [n].
    """

    latents: Latents
    goals: Latents
    actions: npt.NDArray[np.float32]
    state: npt.NDArray[np.float32] | None
    episode: Rows
    rows: Rows

    def __len__(self) -> int:
        return len(self.latents)

    @classmethod
    def along(cls, samples: Samples, chains: Rows) -> Goals:
        """The goals at the ends of chains of samples, int64 [n, H]."""
        first, last = chains[:, 0], chains[:, -1]
        return cls(
            latents=samples.latents[first],
            goals=samples.next_latents[last],
            actions=samples.actions[chains],
            state=None if samples.state is None else samples.state[first],
            episode=samples.episode[first],
            rows=first,
        )


@dataclass(frozen=True, eq=False)
class Questions:
    """Test transitions whose action is to be told from others.

    Attributes:
        queries: Rows whose true action is asked for, int64 [q].
        candidates: Rows whose actions to choose from, int64 [q, C]; the query itself comes first.
        negatives: Where the others are from.
    """

    queries: Rows
    candidates: Rows
    negatives: Negatives

    @classmethod
    def draw(
        cls,
        actions: npt.NDArray[np.float32],
        episode: Rows,
        config: LatentDynamicsConfig,
        rng: np.random.Generator,
    ) -> Questions:
        """Draw as many as the settings say, of at least two episodes.

        Args:
            actions: Actions of the test split, float [n, A].
            episode: Trajectory of each, int64 [n], of at least two.
            config: Says how many questions and candidates, and where wrong actions are from.
            rng: Decides which.

        Raises:
            DataError: If there are more candidates than items with another action.
        """
        queries = draw_rows(episode, config.plan_eval, rng)
        negatives = config.plan_negatives
        drawn = draw_candidates(actions, episode, queries, config.plan_candidates, rng, negatives)
        return cls(queries, drawn, negatives)


def draw_rows(episode: Rows, count: int, rng: np.random.Generator) -> Rows:
    """Some rows, in order, of at least two episodes: from one alone no interval can be told.

    All rows are as likely. Only where all that were drawn are of one episode, one of them gives way
    to a row of another.

    Args:
        episode: Trajectory of each row, int64 [n], of at least two.
        count: How many, at least 2; all rows where there are fewer.
        rng: Decides which.
    """
    drawn: Rows = rng.choice(len(episode), min(count, len(episode)), replace=False)
    others = np.flatnonzero(episode != episode[drawn[0]])
    if not np.isin(drawn, others).any():
        drawn[-1] = rng.choice(others)
    return np.sort(drawn)


def chains(split: Transitions, horizon: int) -> Rows:
    """Rows of transitions that follow each other, int64 [m, H]: all that start at some row.

    One follows another if it is of the same episode and its observation is, by key, the other's
    outcome. Where several do, the first of them is taken.

    Args:
        split: The transitions.
        horizon: How many in a row, H, at least 1.

    Raises:
        DataError: If there are not two chains, of different episodes.
    """
    episodes = split.episode.tolist()
    starts: dict[tuple[int, bytes], int] = {}
    for row, key in enumerate(split.obs.keys):
        starts.setdefault((episodes[row], key.tobytes()), row)
    following = np.array(
        [
            starts.get((episodes[row], key.tobytes()), -1)
            for row, key in enumerate(split.next_obs.keys)
        ],
        dtype=np.int64,
    )
    found = np.arange(len(split), dtype=np.int64)[:, None]
    for _ in range(horizon - 1):
        after = following[found[:, -1]]
        # A transition into its own observation, as in a scene at rest, leads nowhere.
        goes_on = (after >= 0) & (after != found[:, -1])
        found = np.concatenate([found[goes_on], after[goes_on, None]], axis=1)
    if len(np.unique(split.episode[found[:, 0]])) < 2:
        raise DataError(
            f"{len(found)} chains of plan_horizon={horizon} consecutive test transitions are too "
            "few to plan along: they must be of at least two episodes",
            hint="Lower plan_horizon, or draw more test transitions, so that more of them follow "
            "each other.",
        )
    return found
