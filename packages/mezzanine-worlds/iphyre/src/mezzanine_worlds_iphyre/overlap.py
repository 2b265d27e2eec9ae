"""Keeping the test samples apart from the training samples, by their identity.

Only identical transitions count as shared: same game, same clicks, same step. In a game that has
come to rest, neighbouring steps look alike without being identical.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from mezzanine_core.errors import DataError
from mezzanine_worlds_iphyre.catalogue import BLOCKS
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.samples import Sample, Transition
from mezzanine_worlds_iphyre.sampling import draw, draw_episode, episodes

_TRIES = 10_000
"""Fresh episodes that are drawn for one sample before the game counts as exhausted."""

_ADVICE = (
    "Lower n_train, n_test or p_no_action, raise max_steps, name more games, "
    "or let the splits share transitions with overlap=keep."
)


@dataclass(frozen=True)
class Separated:
    """Test samples of the games, and what they had in common with training.

    Attributes:
        samples: Game → its test samples.
        shared: How many of the samples as first drawn were in training too.
        repeated: How many others of them repeated an earlier test sample.
        replaced: How many were replaced by fresh draws.
    """

    samples: dict[str, list[Sample]]
    shared: int
    repeated: int
    replaced: int


def draw_test(
    config: IphyreConfig, train: Mapping[str, list[Sample]], quota: Mapping[str, int]
) -> Separated:
    """Draw the test samples and deal with those that training has too.

    Under ``drop``, a sample that training or an earlier test sample has already is replaced by a
    fresh draw of the same sort (with or without clicks), as long as its game has another of that
    sort; so the test samples are distinct as well. Under ``keep`` everything stays as drawn.

    Args:
        config: What is sampled; ``overlap`` says what is done.
        train: Game → its training samples.
        quota: Game → how many test samples to draw.

    Raises:
        DataError: Under ``drop``, if a game has too few distinct transitions; under ``fail``, if
            training and test share any.
    """
    seen = {game: {sample.transition for sample in train[game]} for game in quota}
    if config.overlap == "drop":
        _check_supply(config, seen, quota)
        parts = [_draw_apart(config, game, n, seen[game]) for game, n in quota.items()]
    else:
        parts = [_draw_as_is(config, game, n, seen[game]) for game, n in quota.items()]
    if config.overlap == "fail":
        _check_apart(parts, quota)
    return Separated(
        samples={game: part.samples[game] for game, part in zip(quota, parts, strict=True)},
        shared=sum(part.shared for part in parts),
        repeated=sum(part.repeated for part in parts),
        replaced=sum(part.replaced for part in parts),
    )


def distinct_transitions(blocks: int, config: IphyreConfig) -> int:
    """How many different transitions the settings allow in a game, exactly.

    With at most M clicks (1 under ``single``, otherwise one for each of the E blocks), s steps can
    be clicked in A(s) = sum over m ≤ M of C(E, m) · s!/(s - m)! ways. If an episode gives one
    sample, a start t contributes the A(t + Δ) - A(t) ways that have a click in its window, and one
    more where episodes without clicks are drawn. If it gives several, their windows lie anywhere,
    and each of the A(t + Δ) ways can occur at each start, the empty one too as long as there is
    room for a click later on.

    Args:
        blocks: E, how many blocks of the game can be removed.
        config: Scheme, Δ, episode length, ``p_no_action`` and samples in an episode.
    """
    if config.p_no_action == 1:
        return config.starts
    most = 1 if config.action_scheme == "single" else blocks

    def ways(steps: int) -> int:
        return sum(math.comb(blocks, m) * math.perm(steps, m) for m in range(most + 1))

    several = config.per_episode_samples > 1
    clicked = sum(
        ways(start + config.delta_steps) - (1 if several else ways(start))
        for start in range(config.starts)
    )
    if config.p_no_action > 0:
        return clicked + config.starts
    return clicked + (config.starts - 1 if several else 0)


def _check_supply(
    config: IphyreConfig, seen: Mapping[str, set[Transition]], quota: Mapping[str, int]
) -> None:
    supply = {
        blocks: distinct_transitions(blocks, config) for blocks in {BLOCKS[game] for game in quota}
    }
    short = [
        f"{game} has {supply[BLOCKS[game]]} distinct transitions, of which training holds "
        f"{len(seen[game])}, but {n} distinct test samples are to be drawn from the rest"
        for game, n in quota.items()
        if supply[BLOCKS[game]] - len(seen[game]) < n
    ]
    if short:
        raise DataError(f"too few distinct samples: {'; '.join(short)}", hint=_ADVICE)


def _check_apart(parts: Iterable[Separated], quota: Mapping[str, int]) -> None:
    shared = {game: part.shared for game, part in zip(quota, parts, strict=True) if part.shared}
    if shared:
        each = ", ".join(f"{game} {n}" for game, n in shared.items())
        raise DataError(
            f"overlap=fail: {sum(shared.values())} of {sum(quota.values())} test samples are the "
            f"very transitions of training samples ({each})",
            hint="Use overlap=drop to draw others instead, or overlap=keep to only count them.",
        )


def _draw_as_is(config: IphyreConfig, game: str, n: int, seen: set[Transition]) -> Separated:
    samples = draw(config, "test", game, n)
    fresh = [sample.transition for sample in samples if sample.transition not in seen]
    return Separated(
        {game: samples}, shared=n - len(fresh), repeated=len(fresh) - len(set(fresh)), replaced=0
    )


def _draw_apart(config: IphyreConfig, game: str, n: int, seen: set[Transition]) -> Separated:
    pool = _Pool(config, game, seen)
    samples: list[Sample] = []
    shared = repeated = 0
    drawn = ((rng, sample) for rng, part in episodes(config, "test", game) for sample in part)
    for rng, sample in islice(drawn, n):
        if pool.take(sample):
            samples.append(sample)
            continue
        shared += sample.transition in seen
        repeated += sample.transition not in seen
        samples.append(pool.replace(sample, rng))
    return Separated({game: samples}, shared, repeated, shared + repeated)


class _Pool:
    """The transitions of a game that neither training nor an earlier test sample has."""

    def __init__(self, config: IphyreConfig, game: str, seen: set[Transition]) -> None:
        self._config = config
        self._game = game
        self._taken = set(seen)
        quiet = range(config.starts if config.p_no_action > 0 else 0)
        self._quiet = [start for start in quiet if self._still(start).transition not in seen]

    def take(self, sample: Sample) -> bool:
        """Take the transition of a sample; whether it was still there."""
        transition = sample.transition
        if transition in self._taken:
            return False
        self._taken.add(transition)
        if not transition.clicks and self._quiet:
            self._quiet.remove(transition.start)
        return True

    def replace(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Draw and take another sample, with clicks or without like ``sample`` if possible."""
        if sample.clicks:
            fresh = self._draw_clicked(rng) or self._draw_quiet(rng)
        else:
            fresh = self._draw_quiet(rng) or self._draw_clicked(rng)
        if fresh is not None:
            return fresh
        raise DataError(
            f"too few distinct samples: {_TRIES:,} fresh episodes of {self._game} gave no "
            f"transition that training and the test samples so far lack; they hold "
            f"{len(self._taken)} of {distinct_transitions(BLOCKS[self._game], self._config)}",
            hint=_ADVICE,
        )

    def _draw_quiet(self, rng: np.random.Generator) -> Sample | None:
        if not self._quiet:
            return None
        fresh = self._still(self._quiet[int(rng.integers(len(self._quiet)))])
        self.take(fresh)
        return fresh

    def _draw_clicked(self, rng: np.random.Generator) -> Sample | None:
        for _ in range(_TRIES if self._config.p_no_action < 1 else 0):
            samples = draw_episode(rng, self._game, self._config, quiet=False)
            fresh = samples[int(rng.integers(len(samples)))]
            if self.take(fresh):
                return fresh
        return None

    def _still(self, start: int) -> Sample:
        return Sample(self._game, (), start, self._config.delta_steps)
