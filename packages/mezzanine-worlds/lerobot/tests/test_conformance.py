"""The world obeys the laws of worlds, on images and on video that lerobot wrote."""

import pytest

from mezzanine_core.testing import Subject, WorldTests

SMALL = {"n_train": 14, "n_test": 8, "delta_steps": 2, "video_backend": "pyav"}

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
