"""The recipe and a preset obey the laws of recipes."""

import pytest

from mezzanine_core.testing import RecipeTests, Subject

SMALL = {
    "train_steps": 20,
    "train_bs": 32,
    "hidden": 8,
    "bootstrap": 100,
    "shuffles": 1,
    "seeds": [0, 1],
    "montage_rows": 2,
}


class TestLatentDynamics(RecipeTests):
    @pytest.fixture
    def subject(self):
        settings = {"world": "linear", "encoder": "identity", "n_train": 80, "n_test": 60}
        return Subject("latent_dynamics", settings={**SMALL, **settings, "do_planning": True})


class TestIphyreLatentDynamics(RecipeTests):
    @pytest.fixture
    def subject(self):
        settings = {"n_train": 60, "n_test": 40, "image_size": 16, "size": 8, "dim": 16}
        return Subject("iphyre_latent_dynamics", settings={**SMALL, **settings})
