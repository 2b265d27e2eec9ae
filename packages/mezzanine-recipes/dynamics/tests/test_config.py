import pytest
from pydantic import ValidationError


@pytest.mark.parametrize(
    "wrong",
    [
        {"train_steps": 0},
        {"train_bs": 0},
        {"train_lr": 0.0},
        {"weight_decay": -1.0},
        {"hidden": 0},
        {"depth": -1},
        {"holdout": 1.0},
        {"actions": "none"},
        {"shuffles": 0},
        {"bootstrap": 99},
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
