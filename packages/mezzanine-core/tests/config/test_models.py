"""The base classes of configuration models."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from mezzanine_core.config import (
    UNFINGERPRINTED,
    Alias,
    IntervalRecipeConfig,
    MezzModel,
    RecipeConfig,
    Slot,
    WorldConfig,
    slots,
)
from mezzanine_core.config.models import setting_names
from mezzanine_core.errors import PluginError
from mezzanine_core.fingerprint import fingerprint


class Inner(MezzModel):
    size: int = 1
    batch: Annotated[int, UNFINGERPRINTED] = 8


class Outer(MezzModel):
    inner: Inner = Inner()
    several: tuple[Inner, ...] = (Inner(),)
    named: dict[str, Inner] = Field(default_factory=lambda: {"a": Inner()})


def test_what_does_not_change_the_outcome_stays_out_of_the_payload_at_every_depth() -> None:
    assert Outer().fingerprint_payload() == {
        "inner": {"size": 1},
        "several": [{"size": 1}],
        "named": {"a": {"size": 1}},
    }


def test_a_payload_can_be_fingerprinted() -> None:
    small = Outer(inner=Inner(batch=1))

    assert fingerprint(small.fingerprint_payload()) == fingerprint(Outer().fingerprint_payload())


@pytest.mark.parametrize("given", [{"unknown": 1}, {"size": float("nan")}])
def test_unknown_keys_and_nan_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Inner.model_validate(given)


class Named(MezzModel):
    model_name: Annotated[str, Alias("lm_name"), Alias("model")] = "gpt2"


def test_an_alias_is_in_no_dump_no_schema_and_no_fingerprint() -> None:
    class Plain(MezzModel):
        model_name: str = "gpt2"

    named = Named()

    assert named.model_dump() == named.fingerprint_payload() == {"model_name": "gpt2"}
    assert Named.model_json_schema()["properties"] == Plain.model_json_schema()["properties"]
    with pytest.raises(ValidationError):
        Named.model_validate({"lm_name": "gpt2"})


def test_a_field_goes_by_its_own_name_and_by_each_alias() -> None:
    assert setting_names(Named) == {"model_name", "lm_name", "model"}


@pytest.mark.parametrize("name", ["", "lm-name", "encoder.lm_name", "1st"])
def test_an_alias_that_no_field_could_have_is_refused(name: str) -> None:
    with pytest.raises(PluginError, match="no identifier"):
        Alias(name)


def test_slots_are_found_with_their_mark() -> None:
    class Recipe(RecipeConfig):
        world: Annotated[WorldConfig, Slot("world", default="x")]

    assert [(name, slot.kind, slot.default) for name, slot, _ in slots(Recipe)] == [
        ("world", "world", "x")
    ]


def test_a_seed_that_is_given_twice_is_refused() -> None:
    assert RecipeConfig(seeds=(2, 0, 1)).seeds == (2, 0, 1)
    with pytest.raises(ValidationError, match="each seed may be given once"):
        RecipeConfig(seeds=(1, 2, 1))


@pytest.mark.parametrize(
    ("level", "needed"), [(0.96, 100), (0.97, 134), (0.99, 400), (0.999, 4000)]
)
def test_resamples_must_reach_two_beyond_each_end_of_an_interval(level: float, needed: int) -> None:
    assert IntervalRecipeConfig(bootstrap=needed, level=level).bootstrap == needed
    if needed > 100:
        with pytest.raises(ValidationError, match=f"at least {needed} are needed"):
            IntervalRecipeConfig(bootstrap=needed - 1, level=level)
