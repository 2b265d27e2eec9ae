"""The recipe and its presets obey the laws of recipes."""

import pytest

from mezzanine_core.testing import RecipeTests, Subject

SMALL = {
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
        parts = {"world": "tales", "encoder": "reader"}
        return Subject("symmetry_distill", settings={**SMALL, **parts})


class TestHfTextOrderDistill(RecipeTests):
    @pytest.fixture
    def subject(self, real_data, tiny_lm):
        model = {"model_name": str(tiny_lm), "max_length": 64}
        settings = {**SMALL, **model, "dataset": str(real_data("imdb"))}
        return Subject("hf_text_order_distill", settings=settings)


class TestHfLlmHiddenstateOrderDistill(RecipeTests):
    @pytest.fixture
    def subject(self, real_data, tiny_lm):
        model = {"model_name": str(tiny_lm), "max_length": 64}
        settings = {**SMALL, **model, "dataset": str(real_data("boolq"))}
        return Subject("hf_llm_hiddenstate_order_distill", settings=settings)
