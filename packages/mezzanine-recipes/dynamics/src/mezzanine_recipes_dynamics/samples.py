"""A split of transitions as latents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mezzanine_core.encoders import Latents

Mask = npt.NDArray[np.bool_]
"""One truth value a sample, bool [n]."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Latent transitions.

    Attributes:
        latents: Latents at t, float32 [n, D].
        actions: Action features, float32 [n, A].
        next_latents: Latents at t + Δ, float32 [n, D].
        episode: Trajectory of each, int64 [n].
        state: What else is known at t, float32 [n, S]; ``None`` where there is nothing else.
    """

    latents: Latents
    actions: npt.NDArray[np.float32]
    next_latents: Latents
    episode: npt.NDArray[np.int64]
    state: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.latents)

    def where(self, mask: Mask) -> Samples:
        """The samples that a mask selects."""
        return Samples(
            self.latents[mask],
            self.actions[mask],
            self.next_latents[mask],
            self.episode[mask],
            None if self.state is None else self.state[mask],
        )


def hold_out(
    samples: Samples, share: float, rng: np.random.Generator
) -> tuple[Samples, Samples | None]:
    """Split off whole episodes, drawn at random, as long as they fit into the share.

    An episode with more samples than are still to be split off is passed over, so one that makes up
    much of the data, as all play of a game in which nothing is done, stays to train on.

    Args:
        samples: A training split.
        share: Share of the samples to split off at most, in [0, 1); at least one episode stays.
        rng: Decides the order in which episodes are looked at.

    Returns:
        What is left to train on, and what was split off: ``None`` where that would be nothing.
    """
    room = min(round(share * len(samples)), len(samples) - 1)
    episodes, sizes = np.unique(samples.episode, return_counts=True)
    chosen = []
    for place in rng.permutation(len(episodes)):
        if sizes[place] <= room:
            chosen.append(episodes[place])
            room -= sizes[place]
    if not chosen:
        return samples, None
    held = np.isin(samples.episode, chosen)
    return samples.where(~held), samples.where(held)
