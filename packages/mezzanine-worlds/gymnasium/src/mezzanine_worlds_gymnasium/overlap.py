"""What the splits have in common, by what was observed and done.

Episodes differ in their seeds, and yet they can be alike: where an environment always starts in the
same state, or has few states. Observations are compared as the environment returned them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mezzanine_core.episodes import Pairs
from mezzanine_worlds_gymnasium.rollout import Episode

Identity = tuple[bytes, ...]


def overlap(
    train: Sequence[Episode],
    train_pairs: Pairs,
    test: Sequence[Episode],
    test_pairs: Pairs,
    delta: int,
) -> dict[str, int]:
    """Count what test has in common with training.

    Args:
        train: Episodes of training.
        train_pairs: Its samples.
        test: Episodes of the test.
        test_pairs: Its samples.
        delta: Δ.

    Returns:
        ``shared_seeds``: test episodes whose seed a training episode has too; ``shared_starts``:
        test episodes whose first observation is one of a training episode;
        ``shared_transitions``: test samples that equal a training sample in both observations and
        all actions; ``repeated_transitions``: test samples that equal an earlier test sample;
        ``samples_with_shared_observation``: test samples whose observation at t is one at t of a
        training sample.
    """
    ours, theirs = (
        transitions(episodes, pairs, delta)
        for episodes, pairs in ((train, train_pairs), (test, test_pairs))
    )
    known = set(ours)
    starts = {episode.observed[0].tobytes() for episode in train}
    seeds = {episode.seed for episode in train}
    observed = {identity[0] for identity in ours}
    return {
        "shared_seeds": sum(episode.seed in seeds for episode in test),
        "shared_starts": sum(episode.observed[0].tobytes() in starts for episode in test),
        "shared_transitions": sum(identity in known for identity in theirs),
        "repeated_transitions": len(theirs) - len(set(theirs)),
        "samples_with_shared_observation": sum(identity[0] in observed for identity in theirs),
    }


def transitions(episodes: Sequence[Episode], pairs: Pairs, delta: int) -> list[Identity]:
    """What each sample is, as far as it was observed: first observation, actions, second one."""
    found: list[Identity] = []
    for number, start in zip(pairs.episode.tolist(), pairs.start.tolist(), strict=True):
        episode, end = episodes[number], start + delta
        actions = np.ascontiguousarray(episode.actions[start:end])
        ends = (episode.observed[start].tobytes(), episode.observed[end].tobytes())
        found.append((ends[0], actions.tobytes(), ends[1]))
    return found
