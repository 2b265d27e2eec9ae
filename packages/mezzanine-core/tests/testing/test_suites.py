"""The suites are test classes with a test for each law, and skip what does not apply."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mezzanine_core.testing import (
    EncoderTests,
    ExecutorTests,
    RecipeTests,
    Subject,
    SymmetryTests,
    TrackerTests,
    WorldTests,
    laws_of,
)

SITE = Path(__file__).parent / "toy_site"
PAGE = Path(__file__).parents[4] / "docs" / "testing_plugins.md"
SUBJECT = [field.name for field in dataclasses.fields(Subject)]

SUITES = {
    "world": WorldTests,
    "symmetry": SymmetryTests,
    "encoder": EncoderTests,
    "recipe": RecipeTests,
    "tracker": TrackerTests,
    "executor": ExecutorTests,
}


@pytest.mark.parametrize("kind", SUITES)
def test_a_suite_has_a_test_for_each_law(kind):
    tests = {name for name in dir(SUITES[kind]) if name.startswith("test_")}
    assert tests == {f"test_{law.name}" for law in laws_of(kind)}


@pytest.mark.parametrize("kind", SUITES)
def test_every_law_says_in_a_sentence_what_holds_and_what_to_do(kind):
    for law in laws_of(kind):
        assert law.statement.endswith(".")
        assert law.remedy.endswith(".")


MODULE = """
import pytest
from mezzanine_core.testing import EncoderTests, Subject


class TestSound(EncoderTests):
    @pytest.fixture
    def subject(self):
        return Subject("faulty_encoder", unused=["fault"])


class TestFaulty(EncoderTests):
    @pytest.fixture
    def subject(self):
        return Subject("faulty_encoder", settings={"fault": "normalised"}, unused=["fault"])


class TestUnfinished(EncoderTests):
    @pytest.fixture
    def subject(self):
        return Subject("faulty_encoder")


class TestNothing(EncoderTests):
    pass
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of classes that derive from a suite, in a process of its own."""
    folder = tmp_path_factory.mktemp("author")
    (folder / "test_mine.py").write_text(MODULE, encoding="utf-8")
    # An author's project, wherever temporary files lie: the settings of this one are not its own.
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    path = os.pathsep.join([str(SITE), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "--tb=short", "-p", "no:cacheprovider", folder],
        env={**os.environ, "PYTHONPATH": path, "MEZZ_PLUGINS": "mezz-faulty"},
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    return done.stdout


def named(outcome: str, suite: str, output: str) -> set[str]:
    return set(re.findall(rf"^{outcome} .*::{suite}::test_(\w+)", output, re.MULTILINE))


def test_a_sound_component_passes(outcomes):
    assert named("FAILED", "TestSound", outcomes) == set()
    assert named("ERROR", "TestSound", outcomes) == set()
    assert len(named("PASSED", "TestSound", outcomes)) == len(laws_of("encoder"))


def test_a_faulty_component_fails_the_test_of_its_fault(outcomes):
    assert named("FAILED", "TestFaulty", outcomes) == {"latents_do_not_depend_on_the_batch"}
    assert "one item at a time changes the latent of item" in outcomes
    assert "Compute each latent from its own item alone" in outcomes


def test_an_author_is_asked_for_values_that_the_model_does_not_show(outcomes):
    assert named("FAILED", "TestUnfinished", outcomes) == {"fingerprint_covers_every_setting"}
    assert "no other valid value is known of: fault" in outcomes


def test_a_class_without_a_subject_is_told_so(outcomes):
    assert len(named("ERROR", "TestNothing", outcomes)) == len(laws_of("encoder"))
    assert "TestNothing needs a fixture `subject` that returns a Subject" in outcomes
