"""The recipe obeys the laws of recipes."""

import pytest

from mezzanine_core.testing import RecipeTests, Subject

SMALL = {
    "encoder": "reader",
    "n_train": 40,
    "n_test": 20,
    "k_train": 2,
    "k_test": 3,
    "head_epochs": 5,
    "seeds": [0, 1],
    "bootstrap": 100,
    "ranks": [2, 4],
}


class TestSymmetryDistill(RecipeTests):
    @pytest.fixture
    def subject(self):
        return Subject("symmetry_distill", settings={"world": "tales", **SMALL})
