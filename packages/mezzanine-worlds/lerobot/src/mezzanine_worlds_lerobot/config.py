"""Settings of the LeRobot world. Imports neither ``lerobot`` nor numpy."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mezzanine_core.config import WorldConfig


def _expanded(value: Any) -> Any:
    """Read ``0:10,12`` as the numbers 0 to 9, and 12; the same for each text of a list."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple):
        return value
    numbers = [number for part in value for number in _range(part)]
    number, times = next(iter(Counter(numbers).most_common(1)), (0, 0))
    if times > 1:
        raise ValueError(f"each episode may be named once, but {number} comes again")
    return tuple(sorted(numbers))


def _range(part: Any) -> list[int]:
    if isinstance(part, int) and not isinstance(part, bool):
        bounds = [part, part + 1]
    else:
        try:
            bounds = [int(bound) for bound in str(part).split(":")]
        except ValueError:
            bounds = []
        if len(bounds) == 1:
            bounds = [bounds[0], bounds[0] + 1]
    if len(bounds) != 2 or not 0 <= bounds[0] < bounds[1]:
        raise ValueError(
            f"{part!r} is neither the number of an episode nor a range of them; 0:10 are the "
            "episodes 0 to 9"
        )
    return list(range(*bounds))


Episodes = Annotated[tuple[int, ...], BeforeValidator(_expanded)]
"""Numbers of different episodes, ascending; read from numbers and ranges, or text with commas."""

Key = Annotated[str, Field(min_length=1)]
"""Name of a feature of the data set."""


class LeRobotConfig(WorldConfig):
    """Which episodes, frames and actions of which data set.

    A sample is the frame of one camera at a step t of an episode, all actions at t, …, t + Δ - 1,
    and the frame at t + Δ.
    """

    repo_id: str | None = Field(
        None, min_length=1, description="Hub id of the data set, such as lerobot/pusht_image"
    )
    root: str | None = Field(
        None,
        min_length=1,
        description="Local folder of the data set (with meta/ in it), in place of the hub",
    )
    revision: str | None = Field(
        None,
        min_length=1,
        description="Branch, tag or commit on the hub; by default the tag of the format, v3.0",
    )
    episodes: Episodes = Field(
        (), description="Episodes to draw from, such as 0:10,12; by default all there are"
    )
    camera_key: Key | None = Field(
        None, description="Feature of the frames; by default the only camera there is"
    )
    action_key: Key = Field("action", description="Feature of the actions")
    state_key: Key | None = Field(
        None,
        description="Feature of a state that models get as a further input, such as "
        "observation.state; by default none",
    )
    delta_steps: int = Field(
        1, ge=1, le=1_000_000, description="Δ: steps between the two frames of a sample"
    )
    n_train: int = Field(4000, ge=1, le=100_000_000, description="Training samples")
    n_test: int = Field(2000, ge=1, le=100_000_000, description="Test samples")
    image_size: int | None = Field(
        None,
        ge=8,
        le=16_384,
        description="Longer side of a frame in pixels, averaged down to it; by default as stored",
    )
    video_backend: Literal["auto", "torchcodec", "pyav"] = Field(
        "auto", description="What decodes videos; auto: torchcodec where it loads, else PyAV"
    )

    @model_validator(mode="after")
    def _somewhere(self) -> LeRobotConfig:
        if self.repo_id is None and self.root is None:
            raise ValueError(
                "which data set is meant: give repo_id, its hub id, or root, a local folder"
            )
        if self.root is not None and self.revision is not None:
            raise ValueError("revision is of the hub; it does not go with root, a local folder")
        return self
