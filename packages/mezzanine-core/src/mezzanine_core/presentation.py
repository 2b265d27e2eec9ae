"""What a recipe says so that its results can be read: captions, groups and words; never markup."""

from __future__ import annotations

from pydantic import Field

from mezzanine_core.config import MezzModel


class Picture(MezzModel):
    """A picture among the artifacts of a run, with what a reader needs to read it."""

    file: str = Field(
        description="The artifact, relative to the run directory: .svg, .png, .jpg or .webp"
    )
    title: str = Field(description="What it is of, in a few words")
    caption: str = Field(description="What to see in it, and what marks and bars stand for")
    alt: str = Field(description="What it shows, for those who cannot see it")


class Group(MezzModel):
    """Models that answer the same question, and the comparisons between them."""

    title: str = Field(description="The question, in a few words")
    caption: str = Field(default="", description="What is compared, and on what")
    models: tuple[str, ...] = Field(default=(), description="Keys of `metrics`")
    deltas: tuple[str, ...] = Field(default=(), description="Keys of `deltas`")


class Presentation(MezzModel):
    """How results are to be shown to people. All of it is optional."""

    pictures: tuple[Picture, ...] = Field(
        default=(), description="Pictures, in the order in which they are to be read"
    )
    groups: tuple[Group, ...] = Field(
        default=(), description="What belongs together; what no group names comes last"
    )
    words: dict[str, str] = Field(
        default_factory=dict,
        description="Model, comparison or metric → what it is; for a metric its unit and which "
        "direction is better",
    )
