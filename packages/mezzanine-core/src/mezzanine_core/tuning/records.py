"""The document ``tuning.json``. ``docs/tuning.md`` describes it for its readers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mezzanine_core.config import MezzModel
from mezzanine_core.results import PlainJson
from mezzanine_core.tuning.figures import Figure
from mezzanine_core.tuning.judging import Outcome

SCHEMA_VERSION: Literal[1] = 1
"""Version of ``tuning.json``; grows when fields are added, removed, or change their meaning."""


class RunSummary(MezzModel):
    """One run of a trial, or the confirmation."""

    directory: str = Field(description="Its run directory, relative to that of the tuning")
    baseline: Figure = Field(description="The figure that must lie within the range")
    effect: Figure = Field(description="The figure that is maximised")
    seconds: float = Field(description="Wall time of the run")
    cached: int = Field(description="Latents that were taken from the cache")
    encoded: int = Field(description="Latents that the run encoded")


class TrialRecord(MezzModel):
    """One point of the space that was tried."""

    number: int = Field(description="Its number in the study")
    point: PlainJson = Field(description="Full name of each searched setting → its value")
    outcome: Outcome = Field(description="What became of it")
    runs: tuple[RunSummary, ...] = Field((), description="Its runs, the pilot first")
    problem: str | None = Field(None, description="Why it failed")


class Confirmation(MezzModel):
    """The chosen settings once more, on seeds and data that no trial has seen."""

    run: RunSummary = Field(description="The run")
    settings: PlainJson = Field(description="What differs from the chosen trial: the seeds")
    outcome: Outcome = Field(description="Whether the point qualifies here too")
    holds: bool = Field(
        description="Whether it qualifies, and the interval of the effect lies above zero"
    )


class TuningRecord(MezzModel):
    """The document ``tuning.json``."""

    format: Literal["mezzanine-tuning"] = "mezzanine-tuning"
    schema_version: Literal[1] = SCHEMA_VERSION
    recipe: str = Field(description="Name of the recipe or preset")
    sentence: str = Field(description="What was chosen and why, or why nothing was")
    chosen: int | None = Field(None, description="Number of the chosen trial")
    config: str | None = Field(None, description="File of the chosen settings, for `--config`")
    confirmation: Confirmation | None = Field(None, description="Its run on fresh seeds and data")
    space: dict[str, str] = Field(description="Full name of each searched setting → its range")
    baseline: str = Field(description="Name of the figure that must lie within the range")
    low: float = Field(description="Lower end of the range")
    high: float = Field(description="Upper end of the range")
    effect: str = Field(description="Name of the figure that is maximised")
    disagreement: float = Field(
        description="Largest standard deviation of the effect over seeds, as a share of it"
    )
    rungs: tuple[dict[str, str], ...] = Field(
        description="What differs from the full run, rung by rung; the last one is the full run"
    )
    fixed: PlainJson = Field(description="Every setting of the full run that is not searched")
    trials: tuple[TrialRecord, ...] = Field(description="What was tried, in order")
    importance: dict[str, float] = Field(
        description="Searched setting → its share of the variation of the effect over completed "
        "trials (PED-ANOVA); empty where too few completed"
    )
    artifacts: tuple[str, ...] = Field((), description="Pictures, relative to the directory")
    versions: dict[str, str] = Field(description="Distribution → version")
    command: str = Field(description="The command line")
    started: str = Field(description="When this command started, ISO 8601 in UTC")
    seconds: float = Field(description="Wall time of this command")
