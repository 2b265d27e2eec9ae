"""The laws that every tracker obeys."""

import pytest

from mezzanine_core.testing import Subject, TrackerTests


class TestLaws(TrackerTests):
    @pytest.fixture
    def subject(self) -> Subject:
        return Subject("tensorboard")
