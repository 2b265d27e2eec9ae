"""Drawing samples: deterministic in the seed, one independent stream for each episode.

Episode number i of a game and a split has its own generator, seeded by (seed, split, game, i). So
the first samples of a game are the same however many are drawn and whatever other games there are.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import count, islice
from typing import Literal

import numpy as np

from mezzanine_worlds_iphyre.catalogue import BLOCKS
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.samples import Click, Clicks, Sample

SAMPLER = 1
"""Version of the way samples are drawn; it grows when the same settings would give others."""

Split = Literal["train", "test"]

_STREAMS: dict[Split, int] = {"train": 0, "test": 1}


def quotas(n: int, games: tuple[str, ...]) -> dict[str, int]:
    """Share ``n`` samples among the games as equally as possible; the rest goes to the first."""
    share, rest = divmod(n, len(games))
    return {game: share + (place < rest) for place, game in enumerate(games)}


def draw_clicks(rng: np.random.Generator, blocks: int, start: int, config: IphyreConfig) -> Clicks:
    """Draw the clicks of an episode in which something is clicked.

    One block, uniform among the chosen, is clicked at a step uniform in the window
    [start, start + Δ). Under ``single`` that is all, and the chosen block is uniform. Under
    ``window`` the chosen blocks are a uniform non-empty subset (each block with probability 1/2,
    given that not all are left), and the others are clicked at uniform steps in [0, start + Δ), so
    that some clicks lie before the window. The simulator takes one click a step, so steps are
    drawn without replacement; where there are fewer steps than chosen blocks, the rest stays.

    Args:
        rng: Source of all randomness.
        blocks: How many blocks of the game can be removed.
        start: First step of the window.
        config: Scheme and Δ.
    """
    delta = config.delta_steps
    anchor = start + int(rng.integers(delta))
    if config.action_scheme == "single":
        return (Click(anchor, int(rng.integers(blocks))),)
    subset = int(rng.integers(1, 2**blocks))
    chosen = rng.permutation([block for block in range(blocks) if subset >> block & 1])
    elsewhere = start + delta - 1
    others = rng.choice(elsewhere, size=min(len(chosen) - 1, elsewhere), replace=False)
    steps = [anchor, *(int(step) + (step >= anchor) for step in others)]
    return tuple(sorted(Click(int(s), int(b)) for s, b in zip(steps, chosen, strict=False)))


def draw_episode(
    rng: np.random.Generator, game: str, config: IphyreConfig, *, quiet: bool
) -> list[Sample]:
    """Draw one episode and its ``per_episode_samples`` samples.

    Starts are uniform over the episode and differ from each other; the clicks are drawn around the
    first one.

    Args:
        rng: Source of all randomness.
        game: The game.
        config: What is sampled.
        quiet: Whether nothing is clicked.
    """
    first = int(rng.integers(config.starts))
    clicks = () if quiet else draw_clicks(rng, BLOCKS[game], first, config)
    others = rng.choice(config.starts - 1, size=config.per_episode_samples - 1, replace=False)
    starts = [first, *(int(start) + (start >= first) for start in others)]
    return [Sample(game, clicks, int(start), config.delta_steps) for start in starts]


def episodes(
    config: IphyreConfig, split: Split, game: str
) -> Iterator[tuple[np.random.Generator, list[Sample]]]:
    """The endless sequence of a game's episodes: the generator of each, and its samples."""
    for number in count():
        entropy = [config.seed, _STREAMS[split], zlib.crc32(game.encode("ascii")), number]
        rng = np.random.default_rng(entropy)
        quiet = bool(rng.random() < config.p_no_action)
        yield rng, draw_episode(rng, game, config, quiet=quiet)


def draw(config: IphyreConfig, split: Split, game: str, n: int) -> list[Sample]:
    """The first ``n`` samples of a game, whatever they have in common with each other."""
    every = (sample for _, samples in episodes(config, split, game) for sample in samples)
    return list(islice(every, n))
