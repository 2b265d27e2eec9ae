"""Settings of the tracker ``wandb``; importable without wandb."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mezzanine_core.config import ComponentConfig


class WandbConfig(ComponentConfig):
    """Where in Weights & Biases a run is logged.

    What is not given is taken from wandb's own environment variables, such as ``WANDB_MODE`` and
    ``WANDB_ENTITY``.
    """

    project: str = Field(
        "mezzanine", min_length=1, max_length=128, description="Project that the run belongs to"
    )
    entity: str | None = Field(
        None, min_length=1, description="User or team; the account's own by default"
    )
    group: str | None = Field(
        None, min_length=1, max_length=128, description="Group of runs; the recipe by default"
    )
    run_name: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        description="Name of the run; that of its directory by default",
    )
    tags: tuple[str, ...] = Field((), description="Tags of the run")
    mode: Literal["online", "offline"] | None = Field(
        None,
        description="Send at once, or keep it in the run directory for `wandb sync`; WANDB_MODE, "
        "or online by default",
    )
    upload: bool = Field(
        True, description="Upload the files that the run wrote, besides pictures and figures"
    )
