"""Which settings there are, and how they may be spelled."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, Field
from pydantic_core import PydanticUndefined

from mezzanine_core.config import Alias, MezzModel, RecipeConfig, Slot, WorldConfig
from mezzanine_core.config.fields import Index, settings_of
from mezzanine_core.errors import ConfigError, PluginError, UnknownNameError


class Optim(MezzModel):
    lr: float = 0.1
    decay: Annotated[float, Alias("weight_decay")] = 0.0


class Pond(WorldConfig):
    games: tuple[str, ...] = ("hole",)
    lr: float = 1.0
    config: Annotated[str, Alias("debug")] = ""


class Swim(RecipeConfig):
    world: Annotated[Pond, Slot("world")]
    n_train: Annotated[int, Alias("items"), Alias("rounds")] = Field(..., ge=1)
    optim: Optim = Optim(decay=0.5)
    history: list[int] = Field(default_factory=lambda: [1])


INDEX = Index(settings_of(Swim), ["world"], reserved=["config", "debug"])


def test_nested_models_are_flattened_in_the_order_of_their_declaration() -> None:
    assert [setting.dotted for setting in settings_of(Swim)] == [
        "seed",
        "seeds",
        "world.name",
        "world.seed",
        "world.games",
        "world.lr",
        "world.config",
        "n_train",
        "optim.lr",
        "optim.decay",
        "history",
    ]


def test_a_default_is_that_of_the_instance_that_the_parent_has() -> None:
    defaults = {setting.dotted: setting.default for setting in settings_of(Swim)}

    assert (defaults["optim.lr"], defaults["optim.decay"]) == (0.1, 0.5)
    assert defaults["history"] == [1]
    assert defaults["n_train"] is PydanticUndefined


def test_a_default_that_depends_on_other_values_is_not_fixed() -> None:
    class Later(MezzModel):
        first: int = 1
        second: int = Field(default_factory=lambda data: data["first"] + 1)

    assert [setting.default for setting in settings_of(Later)] == [1, PydanticUndefined]


def test_a_nested_model_that_takes_unknown_keys_is_refused() -> None:
    class Loose(BaseModel):
        lr: float = 0.1

    class Model(RecipeConfig):
        optim: Loose = Loose()

    with pytest.raises(PluginError, match=r"'optim' is a Loose, which does not derive"):
        list(settings_of(Model))


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("n_train", "n_train"),
        ("n-train", "n_train"),
        ("world.games", "world.games"),
        ("games", "world.games"),
        ("world", "world.name"),
        ("world.name", "world.name"),
        ("decay", "optim.decay"),
        ("seed", "seed"),
        ("world.seed", "world.seed"),
        ("world.config", "world.config"),
        ("items", "n_train"),
        ("rounds", "n_train"),
        ("weight_decay", "optim.decay"),
        ("weight-decay", "optim.decay"),
        ("optim.weight_decay", "optim.decay"),
        ("world.debug", "world.config"),
    ],
)
def test_a_setting_is_found_by_its_full_or_its_last_name_or_an_alias(key: str, found: str) -> None:
    assert INDEX.find(key).dotted == found


def test_every_spelling_of_a_setting_finds_it() -> None:
    for setting in INDEX.settings.values():
        spellings = INDEX.spellings(setting)
        assert setting.dotted in spellings[:2]
        assert [INDEX.find(name) for name in spellings] == [setting] * len(spellings)


def test_a_last_name_that_two_settings_share_is_ambiguous() -> None:
    with pytest.raises(ConfigError, match="'lr' is ambiguous") as caught:
        INDEX.find("lr")
    assert caught.value.hint == "Say which one: 'world.lr' or 'optim.lr'."


@pytest.mark.parametrize(
    "key", ["name", "config", "debug", "world.decay", "world.weight_decay", "gams", ""]
)
def test_other_names_find_nothing(key: str) -> None:
    with pytest.raises(UnknownNameError):
        INDEX.find(key)
    assert not INDEX.knows(key)


def test_the_names_of_a_setting_come_before_its_aliases() -> None:
    assert INDEX.spellings(INDEX.find("items")) == ("n_train", "items", "rounds")
    assert INDEX.spellings(INDEX.find("decay")) == (
        "decay",
        "optim.decay",
        "weight_decay",
        "optim.weight_decay",
    )


def test_an_alias_that_two_settings_share_is_ambiguous() -> None:
    class Puddle(WorldConfig):
        drops: Annotated[int, Alias("weight_decay")] = 1

    class Splash(Swim):
        world: Annotated[Puddle, Slot("world")]

    index = Index(settings_of(Splash), ["world"])

    with pytest.raises(ConfigError, match="'weight_decay' is ambiguous"):
        index.find("weight_decay")
    assert index.find("world.weight_decay").dotted == "world.drops"


def test_a_setting_of_the_recipe_wins_over_an_alias_of_a_component() -> None:
    class Sink(Swim):
        weight_decay: float = 0.0

    assert Index(settings_of(Sink), ["world"]).find("weight_decay").dotted == "weight_decay"


@pytest.mark.parametrize("name", ["games", "inner", "lr"])
def test_an_alias_that_names_another_setting_is_refused(name: str) -> None:
    class Clash(MezzModel):
        here: Annotated[int, Alias(name)] = 1
        games: Annotated[int, Alias("lr")] = 1
        inner: Optim = Optim()

    with pytest.raises(PluginError, match=f"has the alias '{name}', which names another setting"):
        Index(settings_of(Clash), [])


def test_a_group_is_no_setting() -> None:
    with pytest.raises(ConfigError, match="holds several settings"):
        INDEX.find("optim")


@pytest.mark.parametrize(
    ("typo", "near"),
    [
        ("gmaes", "games"),
        ("n_trian", "n_train"),
        ("world.gmaes", "world.games"),
        ("wrld", "world"),
        ("roudns", "rounds"),
        ("optim.wieght_decay", "optim.weight_decay"),
    ],
)
def test_the_nearest_spelling_comes_first(typo: str, near: str) -> None:
    assert INDEX.near(typo)[0] == near


def test_what_is_near_to_nothing_has_no_suggestion() -> None:
    assert INDEX.near("zzzzzz") == []
