"""The encoder obeys the laws of encoders."""

import pytest

from mezzanine_core.testing import EncoderTests, Subject


class TestPixels(EncoderTests):
    @pytest.fixture
    def subject(self):
        return Subject("pixels", tolerance=0)


class TestPixelsWithoutProjection(EncoderTests):
    @pytest.fixture
    def subject(self):
        settings = {"size": 5, "dim": None, "grayscale": True}
        return Subject("pixels", settings=settings, unused=["projection_seed"], tolerance=0)
