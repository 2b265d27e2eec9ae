"""Settings of the Gymnasium world."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from mezzanine_core.config import UNFINGERPRINTED, WorldConfig
from mezzanine_core.errors import ConfigError
from mezzanine_core.fingerprint import canonical_json

RANDOM = "random"
"""The policy that draws every action from the action space."""

SAVED = "saved:"
"""What the name of a file with a policy stands behind."""

_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

_OURS = {
    "render_mode": "observations",
    "max_episode_steps": "max_steps",
    "disable_env_checker": None,
}


def _known_policy(text: str) -> str:
    text = text.strip()
    if text == RANDOM or (text.startswith(SAVED) and text != SAVED) or _FUNCTION.fullmatch(text):
        return text
    raise ValueError(
        f"unknown policy {text!r}; it is `{RANDOM}`, `module:function`, or `{SAVED}` and the path "
        "of a file"
    )


def _free_kwargs(kwargs: dict[str, Any]) -> dict[str, Any]:
    for name in sorted(kwargs.keys() & _OURS.keys()):
        instead = f"; use the setting {_OURS[name]}" if _OURS[name] else ""
        raise ValueError(f"{name} is set by the world and cannot be given{instead}")
    try:
        canonical_json(kwargs)
    except ConfigError as error:
        raise ValueError(f"they must be plain JSON values: {error.message}") from None
    return kwargs


class GymnasiumConfig(WorldConfig):
    """Which environment is played, by what policy, and what is sampled from it.

    Episodes are played until there are enough of them; a sample is the observation at one step of
    an episode, t, the Δ = ``delta_steps`` actions that follow, and the observation after them.
    """

    env_id: str = Field(
        "CartPole-v1",
        min_length=1,
        description="Id of a registered environment; `module:Name-v0` imports the module first",
    )
    env_kwargs: Annotated[dict[str, Any], AfterValidator(_free_kwargs)] = Field(
        default={}, description="Arguments of the environment, as JSON"
    )
    observations: Literal["frames", "vector"] = Field(
        "frames",
        description="`frames`: RGB pictures that the environment renders; `vector`: what it "
        "returns, flattened to numbers",
    )
    frame_size: int | None = Field(
        128,
        ge=8,
        le=4096,
        description="Width and height that frames are averaged to, in pixels; none: as rendered",
    )
    rendering: Literal["auto", "wanted", "every"] = Field(
        "auto",
        description="Which steps are rendered: only those `wanted`, or `every` one on the way, for "
        "environments whose pictures depend on how often they were rendered; `auto` knows those "
        "of Gymnasium's own",
    )
    policy: Annotated[str, AfterValidator(_known_policy)] = Field(
        RANDOM,
        description="Who acts: `random`, a function `module:function` of (observation, step, rng, "
        "action_space), or `saved:` and the path of an .npz file",
    )
    epsilon: float = Field(
        0.0, ge=0, le=1, description="Probability that a random action replaces the policy's"
    )
    repeat_action: int = Field(
        1, ge=1, le=10_000, description="Steps that each chosen action is held for"
    )
    max_steps: int = Field(
        200,
        ge=1,
        le=1_000_000,
        description="Steps of an episode at most, in place of the environment's own limit",
    )
    delta_steps: int = Field(
        4, ge=1, le=1_000_000, description="Δ: steps between the two observations of a sample"
    )
    n_train: int = Field(3000, ge=1, le=10_000_000, description="Training samples")
    n_test: int = Field(768, ge=1, le=10_000_000, description="Test samples")
    pairs_per_episode: int | None = Field(
        10,
        ge=1,
        description="Samples from an episode on average, at most: more episodes are played than "
        "are needed, so that the samples differ more; none: as few episodes as give enough",
    )
    max_episodes: int = Field(
        10_000, ge=1, le=10_000_000, description="Episodes that a split may take at most"
    )
    num_envs: Annotated[int, UNFINGERPRINTED] = Field(
        1,
        ge=1,
        le=1024,
        description="Environments that are played at the same time, each in a process of its own; "
        "the data do not depend on it",
    )

    def episodes_wanted(self, n: int) -> int:
        """How many episodes ``n`` samples are spread over at least."""
        return 1 if self.pairs_per_episode is None else -(-n // self.pairs_per_episode)

    @model_validator(mode="after")
    def _fits(self) -> GymnasiumConfig:
        if self.delta_steps > self.max_steps:
            raise ValueError(
                f"delta_steps={self.delta_steps} is longer than every episode: they have at most "
                f"max_steps={self.max_steps} steps"
            )
        for name, n in (("n_train", self.n_train), ("n_test", self.n_test)):
            wanted = self.episodes_wanted(n)
            if wanted > self.max_episodes:
                raise ValueError(
                    f"{name}={n} samples, {self.pairs_per_episode} of an episode, are spread over "
                    f"{wanted} episodes, but max_episodes={self.max_episodes}; raise max_episodes "
                    "or pairs_per_episode"
                )
        return self
