"""Pairs of frames out of episodes: whole episodes dealt to the splits, pairs drawn within them.

Worlds that give trajectories (robot data, simulators) draw their transitions with these. Frames of
one episode are alike, so an episode on both sides of a split would flatter every model: the split
comes first, and no pair ever crosses the border of an episode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import DataError

Ints = npt.NDArray[np.int64]

_TEST_EPISODES = 2
"""Episodes that the test side gets where it can: intervals resample them, and need two."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Different pairs (t, t + Δ), sorted by episode and start.

    Attributes:
        episode: Which episode each pair is from, int64 [n]: an index into the lengths it was drawn
            with.
        start: t, int64 [n], in [0, length - Δ) of its episode.
    """

    episode: Ints
    start: Ints

    def __len__(self) -> int:
        return len(self.start)


def pairs_available(lengths: Ints, delta: int) -> Ints:
    """How many pairs each episode has.

    Args:
        lengths: Frames of each episode, int64 [E].
        delta: Δ, steps from the first frame of a pair to the second, at least 1.

    Returns:
        max(0, frames - Δ), int64 [E].
    """
    return np.maximum(np.asarray(lengths, np.int64) - delta, 0)


def split_episodes(
    lengths: Ints, delta: int, n_train: int, n_test: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Deal whole episodes to a training and a test side, at random.

    The episodes that have a pair at all are shuffled and cut in two, where the numbers of pairs
    come nearest to the proportion ``n_train`` : ``n_test`` among the cuts that leave each side
    enough. The test side gets two episodes or more where such a cut exists, since intervals
    resample episodes. If no cut leaves both sides enough, a subset of episodes is searched that
    does, so a split is refused only where there is none.

    Args:
        lengths: Frames of each episode, int64 [E].
        delta: Δ, at least 1.
        n_train: Pairs that will be drawn for training, at least 1.
        n_test: Pairs that will be drawn for the test, at least 1.
        rng: Source of the shuffle.

    Returns:
        The episodes of each side, as indices into ``lengths``, ascending, int64 [..]; each side has
        at least as many pairs as are asked of it, and no episode is on both.

    Raises:
        DataError: If Δ is longer than every episode, only one episode has pairs, there are fewer
            pairs than are asked, or whole episodes cannot be dealt so that both sides have enough.
    """
    available = pairs_available(lengths, delta)
    _check_any(lengths, available, delta)
    usable = rng.permutation(np.flatnonzero(available))
    pairs = available[usable]
    _check_enough(len(lengths), pairs, delta, n_train, n_test)
    place = _cut(pairs, n_train, n_test)
    chosen = np.arange(place) if place is not None else _subset(pairs, n_train, n_test)
    is_test = np.isin(np.arange(len(usable)), chosen)
    return np.sort(usable[~is_test]), np.sort(usable[is_test])


def draw_pairs(
    lengths: Ints, episodes: Ints, delta: int, n: int, rng: np.random.Generator
) -> Pairs:
    """Draw different pairs, uniformly among all that the episodes have.

    Args:
        lengths: Frames of each episode, int64 [E].
        episodes: Different indices into ``lengths``: where to draw from.
        delta: Δ, at least 1.
        n: How many pairs.
        rng: Source of all randomness.

    Raises:
        DataError: If the episodes have fewer pairs than that.
    """
    chosen = np.sort(np.asarray(episodes, np.int64))
    ends = np.cumsum(pairs_available(lengths, delta)[chosen])
    total = int(ends[-1]) if len(ends) else 0
    if n > total:
        raise DataError(
            f"{n} pairs are asked for, but {len(chosen)} episodes have {total} pairs of frames "
            f"{delta} steps apart",
            hint="Ask for fewer pairs, or for more episodes.",
        )
    drawn = np.sort(rng.choice(total, size=n, replace=False))
    place = np.searchsorted(ends, drawn, side="right")
    begins = np.concatenate([[0], ends])
    return Pairs(episode=chosen[place], start=drawn - begins[place])


def _check_any(lengths: Ints, available: Ints, delta: int) -> None:
    if not available.any():
        longest = int(np.max(lengths, initial=0))
        raise DataError(
            f"no episode has two frames {delta} steps apart: the longest of {len(lengths)} "
            f"episodes has {longest} frames",
            hint=f"Use a Δ of at most {longest - 1} steps." if longest > 1 else None,
        )


def _check_enough(episodes: int, pairs: Ints, delta: int, n_train: int, n_test: int) -> None:
    total = int(pairs.sum())
    if len(pairs) == 1:
        raise DataError(
            f"only one episode (of {episodes}) has two frames {delta} steps apart, so training and "
            "test cannot be split by episode; the same one on both sides would leak",
            hint="Give at least two episodes (three, for an interval over test episodes), or use a "
            "smaller Δ.",
        )
    if n_train + n_test > total:
        raise DataError(
            f"{n_train} training and {n_test} test pairs are asked for, {n_train + n_test} in all, "
            f"but {len(pairs)} episodes have {total} pairs of frames {delta} steps apart",
            hint="Ask for fewer pairs, give more episodes, or use a smaller Δ.",
        )


def _cut(pairs: Ints, n_train: int, n_test: int) -> int | None:
    """How many of the first episodes make the best test side; ``None`` if no number does."""
    total = int(pairs.sum())
    sums = np.cumsum(pairs)[:-1]
    places = np.flatnonzero((sums >= n_test) & (total - sums >= n_train))
    several = places[places + 1 >= _TEST_EPISODES]
    places = several if len(several) else places
    if not len(places):
        return None
    wanted = total * n_test / (n_train + n_test)
    return int(places[np.argmin(np.abs(sums[places] - wanted))]) + 1


def _subset(pairs: Ints, n_train: int, n_test: int) -> Ints:
    """Episodes that have at least ``n_test`` pairs, and leave ``n_train``: a subset sum.

    Dynamic programme over the sums that can be reached; ``last[s]`` is the episode that reached s
    first, so what stands before it in the sum came earlier, and the walk back ends.
    """
    total = int(pairs.sum())
    top = min(total, n_test + int(pairs.max()))
    last = np.full(top + 1, -1, np.int64)
    last[0] = len(pairs)
    for episode, size in enumerate(pairs.tolist()):
        new = (last[size:] < 0) & (last[: top + 1 - size] >= 0)
        last[size:][new] = episode
    best = n_test + int(np.flatnonzero(last[n_test:] >= 0)[0])
    if total - best < n_train:
        raise DataError(
            f"whole episodes cannot be dealt so that training has {n_train} and the test {n_test} "
            f"pairs: of {len(pairs)} episodes with {total} pairs in all, those with at least "
            f"{n_test} pairs for the test leave at most {total - best} for training",
            hint=f"Ask for at most {total - best} training pairs, or for fewer test pairs.",
        )
    chosen = []
    while best > 0:
        chosen.append(int(last[best]))
        best -= int(pairs[chosen[-1]])
    return np.array(chosen, np.int64)
