"""The world obeys the laws of worlds, on images and on video; its preset those of recipes."""

import pytest

from mezzanine_core.testing import RecipeTests, Subject, WorldTests

SMALL = {"n_train": 14, "n_test": 8, "delta_steps": 2, "video_backend": "pyav"}

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

# One needs another data set or the hub; the decoder changes nothing where there is one to choose.
UNUSED = ["repo_id", "root", "revision", "camera_key", "action_key", "video_backend"]


class TestImages(WorldTests):
    @pytest.fixture
    def subject(self, pusht):
        return Subject(
            "lerobot",
            settings={**SMALL, "root": str(pusht.root)},
            variations={
                "episodes": [0, 1, 2, 3, 4, 5],
                "state_key": "observation.state",
                "image_size": 32,
            },
            unused=UNUSED,
        )


class TestVideos(WorldTests):
    @pytest.fixture
    def subject(self, pusht_video):
        return Subject(
            "lerobot",
            settings={**SMALL, "root": str(pusht_video.root), "image_size": 24},
            variations={"episodes": [0, 1, 2, 3, 4, 5], "state_key": "observation.state"},
            unused=UNUSED,
        )


class TestLerobotLatentDynamics(RecipeTests):
    @pytest.fixture
    def subject(self, pusht):
        settings = {**SMALL, **RUN, "root": str(pusht.root)}
        return Subject("lerobot_latent_dynamics", settings=settings)
