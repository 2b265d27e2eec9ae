"""Games to be solved: what is clicked is played in the real simulator, which says if it helped.

A game is solved when all its red balls have left the screen at the bottom; so says the simulator
itself. Solutions are found by trying random clicks, which costs a few milliseconds each: physics is
stepped, nothing is drawn.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.progress import SILENT, Progress
from mezzanine_core.tasks import Actions, Item, Step, Task, TaskSet, check_act
from mezzanine_worlds_iphyre.catalogue import BLOCKS, MAX_BLOCKS
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.features import decode_clicks, encode_clicks
from mezzanine_worlds_iphyre.samples import Click, Clicks, Frame
from mezzanine_worlds_iphyre.simulate import Episode, RenderTask, render

TRIES = 600
"""Random sequences of clicks that are tried on a game before it counts as not solved."""

_STREAM = 2
"""Kind of the random streams of tasks; the splits have 0 and 1."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Clicks that solve a game.

    Attributes:
        clicks: All of them took effect by ``step``.
        step: When the game was solved by them.
    """

    clicks: Clicks
    step: int


@dataclass(frozen=True, slots=True)
class Search:
    """What trying random clicks on a game has found.

    Attributes:
        solutions: Different ones, in the order in which they were found.
        tries: How many sequences were tried.
        unaided: Whether the game solves itself, so that there is nothing to do.
    """

    solutions: tuple[Solution, ...]
    tries: int
    unaided: bool


class GameTask(Task):
    """A game to be solved from its start.

    The goal is the frame at the step at which another solution than the oracle solved the game,
    where a second one is known. Any other way to solve it counts as well.

    Args:
        game: The game.
        number: Which of the game's tasks it is.
        shown: The solution that the goal shows.
        oracle: The solution that counts as known.
        steps: How many acts there are, H.
        config: The world's settings: Δ, the size of frames, and how clicks are drawn.
    """

    def __init__(
        self,
        game: str,
        number: int,
        shown: Solution,
        oracle: Solution,
        steps: int,
        config: IphyreConfig,
    ) -> None:
        self.name, self.family, self.steps = f"{game}/{number}", game, steps
        self.bounds = None
        self.idle = np.zeros(2 * MAX_BLOCKS, np.float32)
        self._game, self._config = game, config
        self._begun = False
        self.goal_frame = Frame(game, shown.clicks, shown.step)
        self.goal = self._draw(self.goal_frame)
        needed = -(-oracle.step // config.delta_steps)
        self.oracle = encode_clicks(oracle.clicks, needed, config.delta_steps)

    def start(self) -> Item:
        """See :meth:`~mezzanine_core.tasks.Task.start`: the first frame, nothing clicked."""
        self._clicks: Clicks = ()
        self._now = 0
        self._begun, self._solved = True, False
        return self._seen()

    def act(self, features: Actions) -> Step:
        """Click and let Δ pass; see :meth:`~mezzanine_core.tasks.Task.act`.

        Clicks on blocks that the game does not have, or that are gone, hit nothing, as in the
        simulator. It takes one click a step, so of two at the same step the second comes at the
        next one that is free.
        """
        act = check_act(features, 2 * MAX_BLOCKS, self.name)
        if not self._begun or self._is_over():
            raise DataError(f"{self.name} takes no act now; call start() first")
        delta = self._config.delta_steps
        wanted = decode_clicks(act, self._now, delta)
        left = self._left()
        self._clicks += tuple(click for click in wanted if click.block in left)
        self._now += delta
        solved_at = solved(self._game, self._clicks, self._now)
        self._solved = solved_at is not None
        return Step(self._seen(), self._is_over(), self._solved, None)

    def propose(self, count: int, steps: int, rng: np.random.Generator) -> Actions:
        """Draw clicks as the world does; see :meth:`~mezzanine_core.tasks.Task.propose`.

        With probability ``p_no_action`` nothing is clicked in a sequence; otherwise one block that
        is left (under ``single``), or each with probability 1/2 and at least one (under
        ``window``), at uniform steps.
        """
        delta = self._config.delta_steps
        drawn = np.zeros((count, steps, 2 * MAX_BLOCKS), np.float32)
        left = self._left()
        for row in range(count):
            if left and rng.random() >= self._config.p_no_action:
                clicks = draw_sequence(rng, left, steps * delta, self._config)
                drawn[row] = encode_clicks(clicks, steps, delta)
        return drawn

    def close(self) -> None:
        """Nothing is held on to: each act plays the game afresh, up to its end."""

    def _left(self) -> tuple[int, ...]:
        gone = {click.block for click in self._clicks} if self._begun else set()
        return tuple(block for block in range(BLOCKS[self._game]) if block not in gone)

    def _is_over(self) -> bool:
        return self._solved or self._now >= self.steps * self._config.delta_steps

    def _seen(self) -> Item:
        return self._draw(Frame(self._game, self._clicks, self._now))

    def _draw(self, frame: Frame) -> Item:
        item: Item = render(RenderTask((frame,), self._config.image_size))[0]
        return item


def solved(game: str, clicks: Clicks, steps: int) -> int | None:
    """The first step, of so many, at which a game that is clicked so is solved; ``None`` if none.

    Raises:
        DataError: If a click hits no block.
    """
    episode = Episode(game, clicks)
    for step in range(1, steps + 1):
        episode.advance(step)
        if episode.env.examine_success():
            return step
    return None


def draw_sequence(
    rng: np.random.Generator, blocks: Sequence[int], steps: int, config: IphyreConfig
) -> Clicks:
    """Draw clicks on one of the blocks, or a subset, at different steps below ``steps``."""
    if config.action_scheme == "single":
        chosen = [blocks[int(rng.integers(len(blocks)))]]
    else:
        subset = int(rng.integers(1, 2 ** len(blocks)))
        among = [block for place, block in enumerate(blocks) if subset >> place & 1]
        chosen = rng.permutation(among)[:steps].tolist()
    at = rng.choice(steps, size=len(chosen), replace=False)
    return tuple(sorted(Click(int(s), int(b)) for s, b in zip(at, chosen, strict=True)))


def _nothing(count: int) -> None:
    """What is called where nobody counts."""


def search(
    game: str,
    steps: int,
    wanted: int,
    config: IphyreConfig,
    seed: int,
    advance: Callable[[int], object] = _nothing,
) -> Search:
    """Try random clicks on a game until there are enough solutions.

    Args:
        game: The game.
        steps: Steps that it may take.
        wanted: Solutions after which the search ends; it gives up after :data:`TRIES` tries.
        config: How clicks are drawn.
        seed: Decides which.
        advance: Called with the number of tries that are made, or that are no longer needed:
            :data:`TRIES` in all.
    """
    if solved(game, (), steps) is not None:
        advance(TRIES)
        return Search((), 0, unaided=True)
    found: dict[Clicks, Solution] = {}
    tries = 0
    for clicks in _sequences(game, steps, config, seed):
        if len(found) >= wanted or tries >= TRIES:
            break
        tries += 1
        advance(1)
        step = solved(game, clicks, steps)
        if step is not None:
            used = tuple(click for click in clicks if click.step < step)
            found.setdefault(used, Solution(used, step))
    advance(TRIES - tries)
    return Search(tuple(found.values()), tries, unaided=False)


def _sequences(game: str, steps: int, config: IphyreConfig, seed: int) -> Iterator[Clicks]:
    rng = np.random.default_rng([seed, _STREAM, zlib.crc32(game.encode("ascii"))])
    while True:
        yield draw_sequence(rng, range(BLOCKS[game]), steps, config)


def draw_tasks(
    config: IphyreConfig, count: int, steps: int, seed: int, progress: Progress = SILENT
) -> TaskSet:
    """Draw tasks from the games in turn; see :meth:`~mezzanine_core.tasks.PlayableWorld.tasks`.

    Games that solve themselves, and those for which no solution is found, are left out and named in
    the report.

    Raises:
        ConfigError: If the acts take longer than ``max_steps``.
        DataError: If no game is left, or those that are have too few solutions.
    """
    length = steps * config.delta_steps
    if length > config.max_steps:
        raise ConfigError(
            f"{steps} acts of delta_seconds={config.delta_seconds:g} are {length} steps, more than "
            f"the max_steps={config.max_steps} of an episode",
            hint="Lower the number of acts or delta_seconds, or raise max_steps.",
        )
    each = -(-count // len(config.games))
    found = _searched(config.games, length, each + 1, config, seed, progress)
    usable = {game: one.solutions for game, one in found.items() if one.solutions}
    # Where games are left out, the others have to give more.
    more = -(-count // max(1, len(usable)))
    if more > each:
        again = _searched(tuple(usable), length, more + 1, config, seed, progress)
        usable = {game: one.solutions for game, one in again.items()}
        found |= again
    turns = list(_in_turn(usable))[:count]
    if len(turns) < count:
        raise DataError(
            f"{count} tasks are asked for, but {TRIES} random sequences of clicks a game solve "
            f"only {len(usable)} of {len(found)} games, in {len(turns)} ways",
            hint="Ask for fewer tasks, name more games, give more acts, or click more than one "
            "block (action_scheme=window).",
        )
    tasks = tuple(
        GameTask(
            game,
            number,
            shown=usable[game][number],
            oracle=usable[game][(number + 1) % len(usable[game])],
            steps=steps,
            config=config,
        )
        for game, number in turns
    )
    return TaskSet(tasks, _report(found, turns))


def _searched(
    games: Sequence[str],
    steps: int,
    wanted: int,
    config: IphyreConfig,
    seed: int,
    progress: Progress,
) -> dict[str, Search]:
    with progress.task("solve games", TRIES * len(games)) as task:
        return {game: search(game, steps, wanted, config, seed, task.advance) for game in games}


def _in_turn(usable: dict[str, tuple[Solution, ...]]) -> Iterator[tuple[str, int]]:
    """A game's first solution, the next game's first, …, then the second ones."""
    for number in range(max(map(len, usable.values()), default=0)):
        for game, solutions in usable.items():
            if number < len(solutions):
                yield game, number


def _report(found: dict[str, Search], turns: Iterable[tuple[str, int]]) -> dict[str, Any]:
    used = {game for game, _ in turns}
    return {
        "solved": "all balls below the screen, as the simulator says",
        "goal": "the frame at the step at which random clicks of a stream of their own solved it",
        "unaided": [game for game, one in found.items() if one.unaided],
        "not_solved": [
            game for game, one in found.items() if not one.solutions and not one.unaided
        ],
        "goal_is_oracle": [
            game for game, one in found.items() if game in used and len(one.solutions) == 1
        ],
        "solutions": {game: len(one.solutions) for game, one in found.items()},
        "tries": {game: one.tries for game, one in found.items()},
    }
