"""What a recipe finds, and the document that a run leaves behind as ``results.json``.

``docs/results.md`` describes the document for its readers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mezzanine_core.config import MezzModel
from mezzanine_core.presentation import Presentation

SCHEMA_VERSION: Literal[1] = 1
"""Version of ``results.json``; grows when fields are added, removed, or change their meaning."""


def plain_text(text: str) -> str:
    r"""``text`` as UTF-8 can hold it.

    Arguments and paths are bytes to the system. Where Python could not decode them, they come back
    as UTF-8 if that is what they are; other bytes are escaped, as ``\xff``.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
        except UnicodeEncodeError:
            return text.encode(errors="backslashreplace").decode()
    return text


def plain_json(value: Any) -> Any:
    """``value`` as plain JSON values.

    Arrays and numpy scalars become lists and numbers, paths text, text what UTF-8 can hold (see
    :func:`plain_text`), and numbers that are not finite,
    which JSON does not know, ``None``.

    Raises:
        ValueError: If it holds a key that is not text, or a value that JSON has nothing for; the
            message says which.
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return plain_text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, PurePath):
        return plain_text(value.as_posix())
    if isinstance(value, Mapping):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise ValueError(f"the key {odd[0]!r} is not text")
        return {plain_text(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain_json(item) for item in value]
    if hasattr(value, "tolist"):  # numpy's and torch's arrays, and numpy's scalars
        return plain_json(value.tolist())
    raise ValueError(f"{value!r} is a {type(value).__name__}, which JSON has no values for")


PlainTexts = Annotated[dict[str, str], BeforeValidator(plain_json)]
PlainJson = Annotated[dict[str, Any], BeforeValidator(plain_json)]
"""A dictionary that is turned into plain JSON values when it is given."""


class Estimate(MezzModel):
    """A figure with its uncertainty."""

    value: float = Field(description="Point estimate, over all seeds")
    low: float = Field(description="Lower end of the confidence interval")
    high: float = Field(description="Upper end of the confidence interval")
    level: float = Field(default=0.95, gt=0, lt=1, description="Confidence level of the interval")
    per_seed: tuple[float, ...] = Field(
        default=(), description="The point estimate of each seed alone"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Estimate:
        if self.low > self.high:
            raise ValueError(f"the interval [{self.low}, {self.high}] is upside down")
        return self


class Criterion(MezzModel):
    """One of the checks that a verdict rests on."""

    name: str = Field(description="Short name, such as `action_helps`")
    outcome: Literal["met", "not met", "undecided"] = Field(
        description="`undecided`: the interval holds both sides of the threshold"
    )
    detail: str = Field(description="The figures that decided it, in words")


class Verdict(MezzModel):
    """The answer of a run. BREAK is a result, not a failure."""

    label: Literal["MAKE", "BREAK", "INCONCLUSIVE"] = Field(
        description="`INCONCLUSIVE` where the data decide neither way"
    )
    sentence: str = Field(description="The answer in one sentence with its figures")
    criteria: tuple[Criterion, ...] = Field(default=(), description="The checks it rests on")
    warnings: tuple[str, ...] = Field(
        default=(), description="What weakens it: leakage, collapse, …"
    )


class Results(MezzModel):
    """What a recipe returns; the run adds configuration, provenance and timings."""

    metrics: dict[str, dict[str, Estimate]] = Field(
        description="Model (or baseline) → metric → estimate, for instance `action` → `r@10`"
    )
    deltas: dict[str, dict[str, Estimate]] = Field(
        default_factory=dict,
        description="Comparison → metric → paired gain; positive means the first is better",
    )
    verdict: Verdict | None = Field(default=None, description="The answer, where there is one")
    data: PlainJson = Field(default_factory=dict, description="Splits, sizes, overlap")
    diagnostics: PlainJson = Field(default_factory=dict, description="Collapse, curves, …")
    artifacts: tuple[str, ...] = Field(
        default=(), description="Files written, relative to the run directory"
    )
    presentation: Presentation = Field(
        default_factory=Presentation, description="Captions, groups and words for a report"
    )


class ComponentRecord(MezzModel):
    """Which implementation filled a slot of the recipe."""

    name: str = Field(description="Short name of the component")
    distribution: str = Field(description="The distribution that brings it")
    version: str = Field(description="Version of that distribution")
    fingerprint: str = Field(description="What the component itself says that it is")


class CacheCounts(MezzModel):
    """How the run's latents came about; a fully cached run materialises and encodes nothing."""

    requested: int = Field(default=0, ge=0, description="Latents asked for, duplicates included")
    unique: int = Field(default=0, ge=0, description="Distinct items among them")
    cached: int = Field(default=0, ge=0, description="Distinct items found in the cache")
    materialised: int = Field(
        default=0, ge=0, description="Items rendered, decoded or read to be encoded"
    )
    encoded: int = Field(default=0, ge=0, description="Items encoded by this run")


class RunRecord(Results):
    """The document ``results.json``.

    The fields of :class:`Results` hold what was found; these say how.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    recipe: str = Field(description="Name of the recipe or preset")
    fingerprint: str = Field(description="Of the recipe, its settings and its components")
    started: str = Field(description="Start time, ISO 8601 in UTC")
    config: PlainJson = Field(description="Every setting, those of the components nested in it")
    origins: PlainTexts = Field(description="Dotted path of each setting → where it came from")
    components: dict[str, ComponentRecord] = Field(
        description="Slot of the recipe, such as `world` → what filled it"
    )
    versions: dict[str, str] = Field(description="Distribution → version, Python and platform too")
    code: dict[str, str] = Field(
        default_factory=dict,
        description="Distribution that the run used → digest of its Python files",
    )
    settings: PlainJson = Field(
        description="Where and how it ran: device, workers, cache directory, command line, …"
    )
    cache: CacheCounts = Field(description="How the latents came about")
    encoders: dict[str, PlainJson] = Field(
        default_factory=dict,
        description="Encoder fingerprint → what the encoder says of how it encoded, where it says "
        "anything: device, precision, texts that were cut off, …",
    )
    timings: dict[str, float] = Field(description="Stage → seconds of wall time; `total` is all")
