"""Settings of the pixel encoder."""

from __future__ import annotations

from pydantic import Field, model_validator

from mezzanine_core.config import EncoderConfig


class PixelsConfig(EncoderConfig):
    """Settings of the pixel encoder; all of them change its latents."""

    size: int = Field(
        32, ge=1, le=256, description="Side of the square grid that images are averaged down to"
    )
    grayscale: bool = Field(False, description="Use luma (Rec. 601) instead of the three colours")
    centre: int = Field(
        128,
        ge=0,
        le=255,
        description="Pixel value taken as zero, 0 (black) to 255 (white): that of the background, "
        "where there is one, lets the rest of the image decide the direction of a latent",
    )
    dim: int | None = Field(
        256, ge=1, description="Length of a latent after random projection; none: no projection"
    )
    projection_seed: int = Field(0, ge=0, description="Seed of the random projection")

    @property
    def features(self) -> int:
        """Number of averaged values of an image, before projection."""
        return self.size**2 * (1 if self.grayscale else 3)

    @model_validator(mode="after")
    def _projects_down(self) -> PixelsConfig:
        if self.dim is not None and self.dim > self.features:
            raise ValueError(
                f"dim={self.dim} is more than the {self.features} values of an image at "
                f"size={self.size}; lower dim, raise size, or give dim none for no projection"
            )
        return self
