"""Sources as layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from mezzanine_core.config.fields import Index, settings_of
from mezzanine_core.config.files import load_config_file
from mezzanine_core.config.sources import (
    RESERVED_VARIABLES,
    Layer,
    environment_layer,
    file_layer,
    flag,
    flag_layer,
    preset_layer,
    read_layer,
    variable,
)


@pytest.fixture
def index(registry: object) -> Index:
    from mezz_toy.config import BlobsConfig, NormsConfig, PlainConfig
    from pydantic import create_model

    model = create_model(
        "Model", __base__=NormsConfig, world=(BlobsConfig, ...), encoder=(PlainConfig, ...)
    )
    return Index(settings_of(model), ["world", "encoder"])


def layers(tmp_path: Path) -> list[Layer]:
    """The same value of world.n_train, given by each kind of source in each spelling."""
    files = []
    for number, text in enumerate(
        ["world:\n  n_train: 3\n", "world.n_train: 3\n", "n_train: 3\n", "n-train: 3\n"]
    ):
        path = tmp_path / f"{number}.yml"
        path.write_text(text)
        files.append(file_layer(load_config_file(path)))
    return [
        *files,
        preset_layer("p", {"world": {"n_train": 3}}),
        preset_layer("p", {"n_train": 3}),
        environment_layer({"MEZZ_N_TRAIN": "3"}),
        environment_layer({"MEZZ_WORLD__N_TRAIN": "3"}),
        flag_layer({"n-train": "3"}),
        flag_layer({"n_train": 3}),
        flag_layer({"world.n-train": "3"}),
        flag_layer({"world": {"n_train": 3}}),
    ]


def test_every_spelling_in_every_source_names_the_same_setting(
    tmp_path: Path, index: Index
) -> None:
    for layer in layers(tmp_path):
        given, unknown, problems = read_layer(layer, index)

        assert [(item.setting.dotted, str(item.value)) for item in given] == [
            ("world.n_train", "3")
        ]
        assert (unknown, problems) == ([], [])


@pytest.mark.parametrize("value", ["blobs", {"name": "blobs"}, {"name": "blobs", "n_train": 3}])
def test_a_component_is_named_by_its_slot_or_by_name_in_it(value: object, index: Index) -> None:
    layer = flag_layer({"world": value})

    found = layer.component("world")
    assert found is not None
    assert found[1].value == "blobs"
    given, _, _ = read_layer(layer, index)
    assert given[0].setting.dotted == "world.name"


@pytest.mark.parametrize("value", [None, {}, {"n_train": 3}, {"name": None}])
def test_a_layer_that_names_no_component_says_so(value: object) -> None:
    assert preset_layer("p", {"world": value}).component("world") is None


def test_an_empty_group_gives_nothing(index: Index) -> None:
    assert read_layer(preset_layer("p", {"world": None, "optim": {}}), index) == ([], [], [])


def test_a_mapping_that_is_a_value_stays_whole(index: Index) -> None:
    given, _, _ = read_layer(preset_layer("p", {"extra": {"a": 1, "b": {"c": 2}}}), index)

    assert [item.value for item in given] == [{"a": 1, "b": {"c": 2}}]


def test_one_setting_under_two_spellings_in_one_source_is_refused(index: Index) -> None:
    layer = preset_layer("p", {"n_train": 1, "world": {"n_train": 2}})

    _, _, (problem,) = read_layer(layer, index)

    assert str(problem) == (
        "preset p: world.n_train: 'world.n_train' is given twice, first by preset p: n_train"
    )


def test_a_group_that_is_no_mapping_is_refused(index: Index) -> None:
    _, _, (problem,) = read_layer(flag_layer({"optim": "3"}), index)

    assert "--optim: 'optim' holds several settings" in problem.message


def test_reserved_and_empty_variables_are_not_read() -> None:
    environ = dict.fromkeys(RESERVED_VARIABLES, "1") | {"MEZZ_SEED": "", "PATH": "/bin"}

    assert environment_layer(environ).values == {}


def test_flags_and_variables_are_spelled_as_the_user_would() -> None:
    assert flag("world.n_train") == "--world.n-train"
    assert variable("world.n_train") == "MEZZ_WORLD__N_TRAIN"
