"""What has to be known of the 40 games without importing the simulator.

Drawing samples needs only the names of the games and how many blocks each lets the player remove;
with these at hand, drawing a data set and printing help import neither iphyre nor pygame. A test
compares the table with the installed simulator.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FPS = 60
"""Steps of the simulator in a second of simulated time."""

SIZE = 600
"""Width and height in pixels of what the simulator draws."""

BLOCKS: Mapping[str, int] = MappingProxyType(
    {
        "support": 2,
        "hinder": 3,
        "direction": 4,
        "hole": 4,
        "fill": 3,
        "seesaw": 2,
        "angle": 4,
        "impulse": 2,
        "pendulum": 2,
        "spring": 2,
        "noisy_support": 4,
        "noisy_hinder": 5,
        "noisy_direction": 6,
        "noisy_hole": 5,
        "noisy_fill": 4,
        "noisy_seesaw": 3,
        "noisy_angle": 6,
        "noisy_impulse": 3,
        "noisy_pendulum": 3,
        "noisy_spring": 3,
        "support_hinder": 4,
        "support_direction": 5,
        "support_hole": 5,
        "more_step_hole": 3,
        "hinder_fill": 6,
        "impulse_spring": 2,
        "impulse_pendulum": 2,
        "activated_pendulum": 3,
        "spring_flick": 3,
        "seesaw_angle": 3,
        "multi_ball_stack": 3,
        "multi_ball_hinder": 4,
        "multi_ball_redirect": 3,
        "multi_ball_hole": 5,
        "multi_ball_fill": 5,
        "multi_ball_lever": 2,
        "multi_ball_angle": 4,
        "multi_ball_pendulum": 4,
        "multi_ball_spring": 4,
        "multi_ball_spring_flick": 4,
    }
)
"""Game → number of blocks that can be removed, in the simulator's order of the games."""

GAMES: tuple[str, ...] = tuple(BLOCKS)
"""The names of all games."""

MAX_BLOCKS = max(BLOCKS.values())
"""The largest number of removable blocks in any game."""
