import pytest
from pydantic import ValidationError


@pytest.mark.parametrize(
    "wrong",
    [
        {"train_steps": 0},
        {"train_steps": 10_000_001},
        {"train_bs": 0},
        {"train_bs": 1_000_001},
        {"train_lr": 0.0},
        {"weight_decay": -1.0},
        {"hidden": 0},
        {"hidden": 16_385},
        {"depth": -1},
        {"depth": 65},
        {"holdout": 1.0},
        {"actions": "none"},
        {"shuffles": 0},
        {"shuffles": 1001},
        {"bootstrap": 99},
        {"bootstrap": 1_000_001},
        {"level": 1.0},
        {"rank_gain": 0.0},
        {"recall_gain": 1.0},
        {"montage_rows": 25},
        {"seeds": ()},
        {"steps": 3},
    ],
)
def test_values_out_of_range_are_refused(make_config, wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        make_config(**wrong)


def test_repeated_seeds_are_refused(make_config):
    with pytest.raises(ValidationError, match="given once"):
        make_config(seeds=(1, 2, 1))


def test_thresholds_are_those_of_the_original_by_default(make_config):
    config = make_config()
    assert (config.rank_gain, config.recall_gain) == (5.0, 0.05)


@pytest.mark.parametrize(
    ("bootstrap", "level", "needed"),
    [(100, 0.9999999, 40_000_000), (100, 0.97, 134), (399, 0.99, 400)],
)
def test_levels_that_the_resamples_cannot_resolve_are_refused(
    make_config, bootstrap, level, needed
):
    with pytest.raises(ValidationError, match=f"bootstrap={bootstrap} .* at least {needed}"):
        make_config(bootstrap=bootstrap, level=level)


@pytest.mark.parametrize(("bootstrap", "level"), [(100, 0.96), (400, 0.99), (40_000, 0.9999)])
def test_levels_that_the_resamples_just_resolve_are_taken(make_config, bootstrap, level):
    assert make_config(bootstrap=bootstrap, level=level).level == level
