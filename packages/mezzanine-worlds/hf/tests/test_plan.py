import pytest

from mezzanine_core.errors import ConfigError
from mezzanine_worlds_hf.plan import Plan, choose_splits


@pytest.mark.parametrize(
    ("there_are", "plan"),
    [
        (["train", "validation", "test"], Plan("train", "test")),
        (["train", "dev", "validation"], Plan("train", "validation")),
        (["dev", "train"], Plan("train", "dev")),
        (["val", "unsupervised", "train"], Plan("train", "val")),
        (["train"], Plan("train", "train")),
        (["test"], Plan("test", "test")),
    ],
)
def test_splits_are_chosen_by_their_usual_names(there_are: list[str], plan: Plan) -> None:
    assert choose_splits(there_are, None, None) == plan


def test_a_split_that_is_both_is_read_once() -> None:
    assert choose_splits(["a", "train"], "train", "train").names == ("train",)


@pytest.mark.parametrize("named", [("extra", None), (None, "extra")])
def test_a_split_that_is_missing_is_answered_with_those_there_are(named: tuple) -> None:
    with pytest.raises(ConfigError, match="no split 'extra'; there are train, test"):
        choose_splits(["train", "test"], *named)


@pytest.mark.parametrize("there_are", [["a", "b"], ["train", "a"]])
def test_splits_that_cannot_be_chosen_are_listed(there_are: list[str]) -> None:
    with pytest.raises(ConfigError, match="there are " + ", ".join(there_are)):
        choose_splits(there_are, None, None)
