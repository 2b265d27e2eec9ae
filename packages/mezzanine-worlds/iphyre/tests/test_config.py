import json

import pytest
from pydantic import ValidationError

from mezzanine_worlds_iphyre.catalogue import GAMES
from mezzanine_worlds_iphyre.config import IphyreConfig


@pytest.mark.parametrize(
    "given", ["hole,seesaw", "hole, seesaw,", ["hole", "seesaw"], ("hole", "seesaw")]
)
def test_games_are_read_from_text_and_from_lists(given: object) -> None:
    assert IphyreConfig.model_validate({"games": given}).games == ("hole", "seesaw")


@pytest.mark.parametrize("given", ["all", ["all"]])
def test_all_means_every_game(given: object) -> None:
    assert IphyreConfig.model_validate({"games": given}).games == GAMES


def test_an_unknown_game_is_named_with_what_may_be_meant() -> None:
    with pytest.raises(ValidationError, match=r"unknown game 'seasaw'; did you mean seesaw"):
        IphyreConfig.model_validate({"games": "hole,seasaw"})


def test_a_game_like_no_other_is_answered_with_all_of_them() -> None:
    with pytest.raises(ValidationError, match="there are support, hinder"):
        IphyreConfig.model_validate({"games": "xyzzy"})


def test_no_game_is_refused() -> None:
    with pytest.raises(ValidationError, match="games"):
        IphyreConfig.model_validate({"games": ""})


def test_games_of_a_wrong_type_are_refused() -> None:
    with pytest.raises(ValidationError, match="games"):
        IphyreConfig.model_validate({"games": 3})


def test_a_game_named_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="named once, but hole"):
        IphyreConfig.model_validate({"games": "hole,seesaw,hole"})


def test_max_steps_below_delta_names_both_and_the_smallest_that_fits() -> None:
    with pytest.raises(ValidationError) as caught:
        IphyreConfig.model_validate({"max_steps": 239, "delta_seconds": 4.0})
    for part in ("max_steps=239", "delta_seconds=4:", "at least 240"):
        assert part in str(caught.value)
    assert IphyreConfig.model_validate({"max_steps": 240}).starts == 1


def test_a_delta_below_one_step_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"less than one step"):
        IphyreConfig.model_validate({"delta_seconds": 0.008})
    assert IphyreConfig.model_validate({"delta_seconds": 1 / 60}).delta_steps == 1


def test_numbers_are_written_as_a_reader_would() -> None:
    with pytest.raises(ValidationError, match=r"delta_seconds=0\.3:"):
        IphyreConfig.model_validate({"max_steps": 5, "delta_seconds": 0.1 + 0.2})


def test_the_longest_delta_fits_the_longest_episode() -> None:
    longest = {"delta_seconds": 600, "max_steps": 36_000}
    assert IphyreConfig.model_validate(longest).starts == 1


def test_more_samples_than_starts_are_refused() -> None:
    with pytest.raises(ValidationError, match="only 1 different starts"):
        IphyreConfig.model_validate({"max_steps": 240, "per_episode_samples": 2})


@pytest.mark.parametrize(
    "setting",
    [
        {"n_train": 0},
        {"n_train": 10_000_001},
        {"n_train": "99999999999999999999"},
        {"n_test": 0},
        {"n_test": 10_000_001},
        {"p_no_action": 1.01},
        {"p_no_action": -0.01},
        {"image_size": 15},
        {"image_size": 601},
        {"per_episode_samples": 0},
        {"per_episode_samples": 36_001},
        {"delta_seconds": 0},
        {"delta_seconds": 600.1, "max_steps": 36_000},
        {"max_steps": 0},
        {"action_scheme": "double"},
        {"overlap": "ignore"},
        {"seed": -1},
        {"n_trian": 10},
    ],
    ids=str,
)
def test_values_out_of_range_and_unknown_keys_are_refused_by_name(setting: dict) -> None:
    with pytest.raises(ValidationError, match=next(iter(setting))):
        IphyreConfig.model_validate(setting)


def test_the_schema_lists_the_games() -> None:
    assert "multi_ball_spring_flick" in json.dumps(IphyreConfig.model_json_schema())


def test_the_settings_are_importable_without_numpy_and_pygame(python) -> None:
    script = (
        "import sys, mezzanine_worlds_iphyre.config\n"
        "print([name for name in ('numpy', 'pygame', 'iphyre', 'PIL') if name in sys.modules])"
    )
    assert python(script).stdout.strip() == "[]"
