"""Settings of the hopper."""

from typing import Literal

from mezzanine_core.config import WorldConfig
from pydantic import Field, model_validator


class HopperConfig(WorldConfig):
    """How the robot is built, what it is told to do, and what is sampled from it.

    An episode is one robot that hops until it has made ``episode_hops`` hops or falls. A sample is
    what is seen at the top of one of its flights, the commands of the ``delta_hops`` hops that
    follow, and what is seen at the top of the last one.
    """

    observations: Literal["vector", "frames"] = Field(
        "vector", description="`vector`: height and speed; `frames`: pictures of the robot"
    )
    frame_size: int = Field(
        64, ge=16, le=512, description="Width and height of the pictures, in pixels"
    )
    stiffness: float = Field(
        20_000.0,
        ge=5_000,
        le=100_000,
        description="Stiffness of the leg, in N/m; the body has 80 kg",
    )
    gravity: float = Field(9.81, ge=1, le=25, description="In m/s²; 1.62 is the moon's")
    lean_degrees: float = Field(
        4.0, gt=0, le=15, description="How far the leg is put from where it would keep the speed"
    )
    thrust_metres: float = Field(
        0.02, ge=0, le=0.1, description="How far the leg pushes, or gives way, at its shortest"
    )
    delta_hops: int = Field(
        1, ge=1, le=1000, description="Δ: hops between the two observations of a sample"
    )
    episode_hops: int = Field(8, ge=1, le=1000, description="Hops of an episode that does not fall")
    n_train: int = Field(2000, ge=1, le=1_000_000, description="Training samples")
    n_test: int = Field(500, ge=1, le=1_000_000, description="Test samples")

    @model_validator(mode="after")
    def _fits(self) -> "HopperConfig":
        if self.delta_hops > self.episode_hops:
            raise ValueError(
                f"delta_hops={self.delta_hops} is longer than every episode: they have "
                f"episode_hops={self.episode_hops} hops"
            )
        return self
