"""The components that come with core obey the laws of their kinds."""

import numpy as np
import pytest

from mezzanine_core.testing import (
    EncoderTests,
    ExecutorTests,
    Subject,
    SymmetryTests,
    TrackerTests,
)


class TestOrder(SymmetryTests):
    @pytest.fixture
    def subject(self):
        return Subject("order", items=["One. Two. Three.", "lower. Mid. No stop", "Same. Same. A."])


class TestOrderOfItems(SymmetryTests):
    @pytest.fixture
    def subject(self):
        items = [["a", "b", "a"], (1, 2.5, None), list(range(9)), []]
        return Subject("order", settings={"unit": "items"}, items=items)


class TestView(SymmetryTests):
    @pytest.fixture
    def subject(self):
        return Subject("view")


class TestFlip(SymmetryTests):
    @pytest.fixture
    def subject(self):
        return Subject("view", settings={"min_scale": 1.0}, unused=["flip"])


class TestFactorization(SymmetryTests):
    @pytest.fixture
    def subject(self):
        items = ["colour: red\nsize: 3\n", {"colour": "red", "size": 3}, [("a", 1), ("b", None)]]
        other = {"template": "{key} is {value}", "separator": "; "}
        return Subject("factorization", items=items, variations=other)


class TestActionShuffle(SymmetryTests):
    @pytest.fixture
    def subject(self):
        actions = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
        return Subject("action_shuffle", items=[actions, np.repeat(actions[:2], 2, axis=0)])


class TestVector(EncoderTests):
    @pytest.fixture
    def subject(self):
        return Subject("vector")


class TestNone(TrackerTests):
    @pytest.fixture
    def subject(self):
        return Subject("none")


class TestJsonl(TrackerTests):
    @pytest.fixture
    def subject(self):
        return Subject("jsonl")


class TestLocal(ExecutorTests):
    @pytest.fixture(params=[1, 2])
    def subject(self, request):
        return Subject("local", settings={"workers": request.param})
