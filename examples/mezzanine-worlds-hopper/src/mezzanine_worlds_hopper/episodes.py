"""Robots that hop: commands are drawn, and what comes of them is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from mezzanine_core.episodes import pairs_available
from mezzanine_core.errors import DataError

from mezzanine_worlds_hopper.config import HopperConfig
from mezzanine_worlds_hopper.physics import Floats, Hops, Robot, hop, neutral_angle

SAMPLER = 1
"""Version of how commands are drawn: raise it with any change that draws others."""

STREAMS = ("train", "test", "tasks")
Stream = Literal["train", "test", "tasks"]
"""What episodes are played for. Each has random numbers of its own."""

COMMANDS = ("lean", "thrust")
"""What the robot is told before each hop; both from -1 to 1."""

_HEIGHTS, _SPEEDS = (1.1, 1.4), (0.5, 2.5)
"""Where episodes start, in m and m/s."""

_BLOCK = 16
"""Episodes that are played together at least."""

_FALLS = 20
"""How many times as many episodes as would do if no robot fell are played at most."""

Commands = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Episode:
    """One robot, from its start to its last hop.

    Attributes:
        apexes: Height and speed at the top of each flight, float64 [T + 1, 2].
        commands: What it was told before each hop, float32 [T, 2], in [-1, 1].
    """

    apexes: Floats
    commands: Commands


def generator(seed: int, stream: Stream, *number: int) -> np.random.Generator:
    """Random numbers for a stream as a whole, or for one episode of it."""
    key = (STREAMS.index(stream), *number)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def robot_of(config: HopperConfig) -> Robot:
    """The robot that the settings describe."""
    return Robot(stiffness=config.stiffness, gravity=config.gravity)


def obey(apex: Floats, commands: Commands, config: HopperConfig) -> Hops:
    """Let n robots make one hop each, as they are told.

    Args:
        apex: Height and speed of each, float64 [n, 2].
        commands: Lean and thrust of each, float32 [n, 2]; they are clipped to [-1, 1]. Lean 0 puts
            the leg where it keeps the speed, 1 ``lean_degrees`` further ahead, which slows down.
        config: The world's settings.
    """
    robot = robot_of(config)
    lean, thrust = np.clip(commands.astype(np.float64), -1.0, 1.0).T
    angle = neutral_angle(apex[:, 1], robot) + np.radians(config.lean_degrees) * lean
    return hop(apex, angle, config.thrust_metres * thrust, robot)


def play(config: HopperConfig, stream: Stream, numbers: Sequence[int], hops: int) -> list[Episode]:
    """Play episodes of up to ``hops`` hops.

    Episode i of a stream depends on the seed, the stream and i alone: not on how many are played,
    nor on which are played with it.
    """
    draws = [generator(config.seed, stream, number) for number in numbers]
    apex = np.array([(rng.uniform(*_HEIGHTS), rng.uniform(*_SPEEDS)) for rng in draws])
    told = np.array([rng.uniform(-1, 1, (hops, 2)) for rng in draws]).astype(np.float32)
    apexes = np.repeat(apex[:, None], hops + 1, axis=1)
    standing = np.arange(len(draws))
    made = np.zeros(len(draws), np.int64)
    for step in range(hops):
        outcome = obey(apexes[standing, step], told[standing, step], config)
        standing = standing[outcome.stood]
        apexes[standing, step + 1] = outcome.apex[outcome.stood]
        made[standing] += 1
    return [Episode(apexes[i, : n + 1], told[i, :n]) for i, n in enumerate(made.tolist())]


def play_enough(config: HopperConfig, stream: Stream, n: int) -> list[Episode]:
    """As many episodes as have ``n`` samples.

    Raises:
        DataError: If the robots fall so often that they would never have them.
    """
    delta, hops = config.delta_hops, config.episode_hops
    block = max(_BLOCK, -(-n // (hops + 1 - delta)))
    episodes: list[Episode] = []
    found = 0
    while found < n and len(episodes) < _FALLS * block:
        played = play(config, stream, range(len(episodes), len(episodes) + block), hops)
        found += int(pairs_available(lengths(played), delta).sum())
        episodes += played
    if found < n:
        raise DataError(
            f"the robots fall too often: {len(episodes)} episodes have {found} samples of "
            f"{delta} hops, of {n} that are asked for ({stream})",
            hint="Lower lean_degrees, thrust_metres, delta_hops or gravity, or raise stiffness.",
        )
    return episodes


def lengths(episodes: Sequence[Episode]) -> npt.NDArray[np.int64]:
    """How many tops of flights each episode has, int64 [E]."""
    return np.array([len(episode.apexes) for episode in episodes], np.int64)
