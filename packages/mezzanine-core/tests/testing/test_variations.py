"""Another valid value is found for every setting whose model shows one."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from mezzanine_core.config import UNFINGERPRINTED, MezzModel
from mezzanine_core.errors import ConfigError
from mezzanine_core.testing.variations import varied


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(MezzModel):
    width: int = Field(3, multiple_of=3)


class Everything(MezzModel):
    flag: bool = False
    count: int = Field(5, ge=1, le=10)
    fixed_low: int = Field(1, ge=1)
    seed: int = Field(0, ge=0)
    share: float = Field(1.0, gt=0, le=1)
    limit: int | None = Field(None, ge=8)
    most: int | None = 4
    mode: Literal["slow", "fast"] = "slow"
    colour: Colour = Colour.RED
    layer: int | Literal["final"] = "final"
    sizes: tuple[int, ...] = (4, 2)
    none_yet: tuple[Annotated[float, Field(gt=0)], ...] = ()
    games: tuple[Literal["hole", "seesaw"], ...] = Field(("hole",), min_length=1)
    inner: Inner = Inner()
    workers: Annotated[int, UNFINGERPRINTED] = 1
    text: str = "a"
    path: Path | None = None

    @model_validator(mode="after")
    def _fits(self):
        if self.count == 6:
            raise ValueError("six is not permitted with anything")
        return self


def leaves(config: MezzModel) -> dict[str, object]:
    dumped = config.model_dump()
    inner = dumped.pop("inner")
    return {**dumped, "inner.width": inner["width"]}


def test_every_setting_but_free_text_has_another_value():
    found = varied(Everything(), {}, ())
    assert found.missing == ("text", "path")
    assert set(found.unfingerprinted) == {"workers"}
    assert set(found.fingerprinted) == set(leaves(Everything())) - {"text", "path", "workers"}


@given(
    count=st.sampled_from([1, 5, 10]),
    share=st.floats(0.01, 1.0),
    sizes=st.lists(st.integers(), max_size=3),
    games=st.sampled_from([("hole",), ("seesaw", "hole")]),
)
def test_a_variation_differs_in_its_setting_alone(count, share, sizes, games):
    config = Everything(count=count, share=share, sizes=tuple(sizes), games=games)
    for name, other in varied(config, {"text": "b"}, ["path"]).fingerprinted.items():
        before, after = leaves(config), leaves(other)
        assert {each for each in before if before[each] != after[each]} == {name}


def test_given_values_come_before_found_ones():
    found = varied(Everything(), {"count": 9, "inner.width": 30, "path": "x"}, ["text"])
    assert found.missing == ()
    assert found.fingerprinted["count"].count == 9
    assert found.fingerprinted["inner.width"].inner.width == 30
    assert found.fingerprinted["path"].path == Path("x")


@pytest.mark.parametrize(
    ("given_values", "unused", "message"),
    [
        ({"cuont": 3}, (), "cuont, which Everything does not have"),
        ({}, ("tetx",), "tetx, which Everything does not have"),
        ({"count": 5}, (), "count=5 is what the setting is already"),
        ({"count": 11}, (), "count=11 is refused"),
    ],
)
def test_a_wrong_variation_is_refused_by_name(given_values, unused, message):
    with pytest.raises(ConfigError, match=message):
        varied(Everything(), given_values, unused)
