"""The world obeys the laws of worlds."""

import pytest

from mezzanine_core.testing import Subject, WorldTests

SMALL = {"n_train": 12, "n_test": 6, "image_size": 16}


class TestShort(WorldTests):
    @pytest.fixture
    def subject(self):
        return Subject("iphyre", settings={**SMALL, "delta_seconds": 0.5, "max_steps": 90})


class TestWindow(WorldTests):
    @pytest.fixture
    def subject(self):
        # Seesaw is a game that clicks four seconds apart solve.
        settings = {**SMALL, "action_scheme": "window", "games": ["seesaw"]}
        return Subject("iphyre", settings=settings)
