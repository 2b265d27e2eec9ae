"""Settings of the I-PHYRE world."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mezzanine_core.config import WorldConfig
from mezzanine_worlds_iphyre.catalogue import FPS, GAMES, SIZE


def _known(game: str) -> str:
    if game not in GAMES:
        close = difflib.get_close_matches(game, GAMES, n=3)
        meant = f"did you mean {', '.join(close)}?" if close else f"there are {', '.join(GAMES)}"
        raise ValueError(f"unknown game {game!r}; {meant}")
    return game


def _listed(value: Any) -> Any:
    """Read ``hole,seesaw`` as a list, and ``all`` as every game."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return GAMES if value in (["all"], ("all",)) else value


def _distinct(games: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({game for game in games if games.count(game) > 1})
    if twice:
        raise ValueError(f"each game may be named once, but {', '.join(twice)} comes again")
    return games


Game = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(GAMES)})]
"""The name of a game."""

Games = Annotated[tuple[Game, ...], BeforeValidator(_listed), AfterValidator(_distinct)]
"""Names of different games, at least one; read from a list or from text with commas."""


class IphyreConfig(WorldConfig):
    """Which games are played, how, and what is sampled from it.

    The simulator makes 60 steps a second. An episode is one game played for ``max_steps`` steps; a
    sample is the frame at one of its steps, t, and the frame ``delta_seconds`` later, with all that
    was clicked in between.
    """

    games: Games = Field(
        ("hole", "seesaw"),
        min_length=1,
        description="Games to sample from, separated by commas, or `all` for all 40",
    )
    n_train: int = Field(3000, ge=1, le=10_000_000, description="Training samples, over all games")
    n_test: int = Field(768, ge=1, le=10_000_000, description="Test samples, over all games")
    delta_seconds: float = Field(
        4.0, gt=0, le=600, description="Simulated seconds between the two frames of a sample"
    )
    max_steps: int = Field(
        900,
        ge=1,
        le=36_000,
        description="Steps in an episode, 60 a second; the simulator itself gives players 900",
    )
    action_scheme: Literal["single", "window"] = Field(
        "single",
        description=(
            "`single`: an episode has at most one click; `window`: each block is clicked with "
            "probability 1/2, one of them between the two frames, the others then or before"
        ),
    )
    p_no_action: float = Field(
        0.35, ge=0, le=1, description="Share of episodes in which nothing is clicked"
    )
    per_episode_samples: int = Field(
        1, ge=1, le=36_000, description="Samples taken from each episode"
    )
    image_size: int = Field(
        128, ge=16, le=SIZE, description="Width and height of a frame in pixels, averaged from 600"
    )
    overlap: Literal["drop", "keep", "fail"] = Field(
        "drop",
        description=(
            "What becomes of test samples that training has too: `drop` draws others instead, "
            "`keep` only counts them, `fail` stops"
        ),
    )

    @property
    def delta_steps(self) -> int:
        """Δ: steps of the simulator between the two frames of a sample, at least 1."""
        return round(FPS * self.delta_seconds)

    @property
    def starts(self) -> int:
        """How many steps of an episode a sample can start at: 0, …, ``max_steps`` - Δ."""
        return self.max_steps - self.delta_steps + 1

    @model_validator(mode="after")
    def _fits(self) -> IphyreConfig:
        if self.delta_steps < 1:
            raise ValueError(
                f"delta_seconds={self.delta_seconds:g} is less than one step of the simulator; "
                f"the smallest that makes sense is 1/{FPS} = {1 / FPS:.4f}"
            )
        if self.starts < 1:
            raise ValueError(
                f"max_steps={self.max_steps} is too small for "
                f"delta_seconds={self.delta_seconds:g}: at {FPS} steps a second max_steps "
                f"must be at least {self.delta_steps}"
            )
        if self.per_episode_samples > self.starts:
            raise ValueError(
                f"per_episode_samples={self.per_episode_samples}, but with "
                f"max_steps={self.max_steps} and delta_seconds={self.delta_seconds:g} an episode "
                f"has only {self.starts} different starts"
            )
        return self
