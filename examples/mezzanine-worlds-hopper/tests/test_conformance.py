"""The laws that every world obeys."""

import pytest
from mezzanine_core.testing import Subject, WorldTests

SMALL = {"n_train": 40, "n_test": 12}


class TestVectors(WorldTests):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject("hopper", settings=SMALL)


class TestFrames(WorldTests):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject("hopper", settings={**SMALL, "observations": "frames", "frame_size": 32})
