"""The world obeys the laws of worlds, with frames and with vectors; its preset those of recipes."""

import pytest

from mezzanine_core.testing import RecipeTests, Subject, WorldTests

SMALL = {"n_train": 16, "n_test": 8, "max_steps": 30, "delta_steps": 2, "frame_size": 16}

# Settings of a small run of the preset.
RUN = {
    "encoder": "pixels",
    "size": 8,
    "dim": 16,
    "n_train": 40,
    "n_test": 20,
    "train_steps": 10,
    "hidden": 8,
    "bootstrap": 100,
    "shuffles": 1,
    "montage_rows": 2,
}


class TestFrames(WorldTests):
    @pytest.fixture
    def subject(self):
        return Subject(
            "gymnasium",
            settings=SMALL,
            variations={
                "env_id": "Acrobot-v1",
                "env_kwargs": {"sutton_barto_reward": True},
                "policy": "gym_toys:always_right",
            },
            # How often pictures are rendered changes none of this environment.
            unused=["rendering"],
        )


class TestVectors(WorldTests):
    @pytest.fixture
    def subject(self):
        return Subject(
            "gymnasium",
            settings={**SMALL, "observations": "vector"},
            variations={
                "env_id": "Pendulum-v1",
                "env_kwargs": {"sutton_barto_reward": True},
                "policy": "gym_toys:always_right",
            },
            # There are no pictures.
            unused=["rendering", "frame_size"],
        )


class TestGymnasiumLatentDynamics(RecipeTests):
    @pytest.fixture
    def subject(self):
        return Subject("gymnasium_latent_dynamics", settings={**SMALL, **RUN})
