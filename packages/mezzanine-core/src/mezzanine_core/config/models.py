"""Base classes of configuration models.

Each component and recipe declares one pydantic model. From it come the command-line flags, the keys
of the YAML file, the JSON schema, the reference documentation and the fingerprint.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.fields import FieldInfo

from mezzanine_core.errors import PluginError

SlotKind = Literal["world", "symmetry", "encoder"]

_TAIL = 2
"""Fewest resamples that must lie beyond each end of an interval, for it to be no mere extreme."""


class _Unfingerprinted:
    """Marks a field that changes how something is computed, but not what comes out."""


UNFINGERPRINTED = _Unfingerprinted()
"""Put into ``Annotated`` to keep a field (a batch size, say) out of the fingerprint."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A further name that a setting may be given by, put into ``Annotated``.

    It works wherever the field's own name does: as a flag, as a key of the configuration file and
    in the environment. The setting stays one: giving it under both names is an error, and dumps and
    fingerprints know its own name alone.

    Attributes:
        name: The further name, spelled as fields are.

    Raises:
        PluginError: If no field could be spelled so.
    """

    name: str

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise PluginError(
                f"{self.name!r} cannot be the alias of a setting: it is no identifier",
                hint="Report this to the author of the plugin.",
            )


def aliases(info: FieldInfo) -> tuple[str, ...]:
    """The further names of a field, in the order of their declaration."""
    return tuple(mark.name for mark in info.metadata if isinstance(mark, Alias))


def setting_names(model: type[BaseModel]) -> frozenset[str]:
    """Every name that a field of a model may be given by: its own and its aliases."""
    fields = model.model_fields
    return frozenset([*fields, *(name for info in fields.values() for name in aliases(info))])


@dataclass(frozen=True, slots=True)
class Slot:
    """Marks a recipe field that holds a component's configuration.

    Attributes:
        kind: What kind of component goes there.
        default: Name of the component that is taken where none is given, or ``None`` where the
            user must name one.
        implied: Settings that stand for a component where none is named: a flag of that name that
            the default component does not have selects the component, so that
            ``{"embed_layer": "hf_vision"}`` makes ``--embed-layer 11`` enough.
    """

    kind: SlotKind
    default: str | None = None
    implied: Mapping[str, str] = field(default_factory=dict, hash=False)


class MezzModel(BaseModel):
    """A frozen pydantic model that refuses unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )

    def fingerprint_payload(self) -> dict[str, Any]:
        """The fields that determine what comes out, as JSON values, nested models included."""
        return {
            name: _payload(getattr(self, name))
            for name, info in type(self).model_fields.items()
            if not any(isinstance(mark, _Unfingerprinted) for mark in info.metadata)
        }


def _payload(value: Any) -> Any:
    if isinstance(value, MezzModel):
        return value.fingerprint_payload()
    if isinstance(value, list | tuple):
        return [_payload(item) for item in value]
    if isinstance(value, dict):
        return {key: _payload(item) for key, item in value.items()}
    return value.value if isinstance(value, Enum) else value


class ComponentConfig(MezzModel):
    """Settings of a component that a recipe nests; ``name`` says which component it is."""

    name: str = Field(
        default="", description="Short name of the component; `name@dist` picks a distribution"
    )


class WorldConfig(ComponentConfig):
    """Settings of a world."""

    seed: int = Field(
        default=0, ge=0, description="Seed of sampling and splits; the recipe's by default"
    )


class EncoderConfig(ComponentConfig):
    """Settings of an encoder."""


class SymmetryConfig(ComponentConfig):
    """Settings of a symmetry."""


class RecipeConfig(MezzModel):
    """Settings that every recipe has.

    The data are drawn once, from ``seed``; training and everything else random is repeated for each
    of ``seeds``, with a generator seeded by the pair of both.
    """

    seed: int = Field(
        default=0, ge=0, description="Base seed: of the data, and of every repetition"
    )
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(0, 1, 2),
        min_length=1,
        description="Repetitions; the spread over them enters the intervals",
    )

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(
                "each seed may be given once: repeated ones would narrow the intervals"
            )
        return seeds


class IntervalRecipeConfig(RecipeConfig):
    """Settings of a recipe whose figures have bootstrap intervals.

    At least two resamples must lie beyond each end of an interval: ``bootstrap`` is at least
    4 / (1 - ``level``).
    """

    bootstrap: int = Field(
        default=2000, ge=100, le=1_000_000, description="Resamples behind each interval"
    )
    level: float = Field(default=0.95, gt=0, lt=1, description="Confidence level of the intervals")

    @model_validator(mode="after")
    def _resolvable(self) -> Self:
        # In decimals as they were written: in binary, 1 - 0.96 is not quite 0.04.
        needed = math.ceil(2 * _TAIL / (1 - Decimal(repr(self.level))))
        if self.bootstrap < needed:
            raise ValueError(
                f"bootstrap={self.bootstrap} resamples cannot resolve an interval of "
                f"level={self.level!r}: at least {needed} are needed, so that {_TAIL} lie beyond "
                "each end; raise bootstrap or lower level"
            )
        return self


def slots(model: type[RecipeConfig]) -> Iterator[tuple[str, Slot, FieldInfo]]:
    """The fields of a recipe model that hold components: field name, slot and pydantic field."""
    for name, info in model.model_fields.items():
        for mark in info.metadata:
            if isinstance(mark, Slot):
                yield name, mark, info
