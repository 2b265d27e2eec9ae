"""Settings: each component has a fault; some models have one themselves."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from mezzanine_core.config import (
    UNFINGERPRINTED,
    ComponentConfig,
    EncoderConfig,
    RecipeConfig,
    Slot,
    SymmetryConfig,
    WorldConfig,
)

Fault = Annotated[str, Field(description="What is wrong with it; nothing by default")]
Batch = Annotated[int, UNFINGERPRINTED]


class FaultyWorld(WorldConfig):
    fault: Fault = ""
    n_train: int = Field(9, description="Training samples")
    scale: float = Field(2.0, description="What numbers are multiplied by")
    batch: Batch = Field(4, description="Items in a batch")


class FaultySymmetry(SymmetryConfig):
    fault: Fault = ""
    keep: int = Field(0, ge=0, description="How many items stay in place")


class FaultyEncoder(EncoderConfig):
    fault: Fault = ""
    scale: float = Field(2.0, description="What vectors are multiplied by")
    batch: Batch = Field(4, description="Items in a batch")


class LooseEncoder(FaultyEncoder):
    model_config = ConfigDict(extra="allow")


class ThawedEncoder(FaultyEncoder):
    model_config = ConfigDict(frozen=False)


class MuteEncoder(FaultyEncoder):
    offset: float = 0.0


class Opaque:
    """No type that JSON knows."""


class SchemalessEncoder(FaultyEncoder):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    opaque: Annotated[Opaque | None, UNFINGERPRINTED] = Field(None, description="Nothing")


def _a_tuple(value):
    if not isinstance(value, tuple):
        raise ValueError("give a tuple")
    return value


def _a_number(value):
    if isinstance(value, str):
        raise ValueError("give a number")
    return value


class RigidEncoder(FaultyEncoder):
    sizes: Annotated[tuple[int, ...], BeforeValidator(_a_tuple)] = Field(
        (1, 2), description="Numbers that only Python can write"
    )


class WordlessEncoder(FaultyEncoder):
    ratio: Annotated[float, BeforeValidator(_a_number)] = Field(
        0.5, description="A number that no flag can give"
    )


class Baseless(ComponentConfig):
    fault: Fault = ""
    scale: float = Field(2.0, description="What vectors are multiplied by")
    batch: Batch = Field(4, description="Items in a batch")


class FaultyRecipe(RecipeConfig):
    world: Annotated[WorldConfig, Slot("world")] = Field(description="Numbers")
    encoder: Annotated[EncoderConfig, Slot("encoder")] = Field(description="Their latents")
    wrong: str = Field("", description="What is wrong with it; nothing by default")


class FaultyTracker(ComponentConfig):
    fault: Fault = ""


class FaultyExecutor(ComponentConfig):
    fault: Fault = ""
