"""What a sample is, and which samples and frames are the same.

The simulator is deterministic, so what it shows is decided by the game, the clicks so far and the
number of steps. A click at step s is carried out between state s and state s + 1: the block
disappears, then the physics advances by one step. State t therefore depends exactly on the clicks
at steps below t, and everything is identified by those: the first frames of two episodes that are
clicked differently later on are one and the same frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Click(NamedTuple):
    """A click on the centre of a block, which removes it.

    Attributes:
        step: When, in steps since the start of the episode.
        block: Which: its place among the game's removable blocks, 0 to 5.
    """

    step: int
    block: int


Clicks = tuple[Click, ...]
"""Clicks by ascending step; steps differ (the simulator takes one click a step), blocks too."""


class Frame(NamedTuple):
    """What the screen shows at one step of an episode.

    Attributes:
        game: The game.
        clicks: Those that took effect before, at steps below ``step``.
        step: Steps since the start of the episode.
    """

    game: str
    clicks: Clicks
    step: int


class Transition(NamedTuple):
    """What tells one pair of frames, with all that was done in between, from every other.

    Attributes:
        game: The game.
        clicks: Those before the second frame; the first frame and the action follow from them.
        start: The step of the first frame.
        delta: Steps from the first frame to the second.
    """

    game: str
    clicks: Clicks
    start: int
    delta: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A pair of frames out of one episode.

    Attributes:
        game: The game.
        clicks: All clicks of the episode, also those after the second frame.
        start: t, the step of the first frame.
        delta: Δ, steps from the first frame to the second.
    """

    game: str
    clicks: Clicks
    start: int
    delta: int

    @property
    def obs(self) -> Frame:
        """The frame at t."""
        return Frame(self.game, _before(self.clicks, self.start), self.start)

    @property
    def next_obs(self) -> Frame:
        """The frame at t + Δ."""
        end = self.start + self.delta
        return Frame(self.game, _before(self.clicks, end), end)

    @property
    def transition(self) -> Transition:
        """The identity of the pair."""
        return Transition(self.game, self.next_obs.clicks, self.start, self.delta)

    @property
    def action(self) -> Clicks:
        """The clicks between the frames: those at steps in [t, t + Δ)."""
        return tuple(click for click in self.next_obs.clicks if click.step >= self.start)


def _before(clicks: Clicks, step: int) -> Clicks:
    return tuple(click for click in clicks if click.step < step)
