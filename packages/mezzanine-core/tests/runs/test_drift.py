"""What has changed since a run, in words."""

import pytest

from mezzanine_core.results import ComponentRecord
from mezzanine_core.runs.drift import find_drift
from mezzanine_core.runs.identity import Identity
from mezzanine_core.runs.provenance import Provenance

WORLD = ComponentRecord(name="points", distribution="toy", version="1.0", fingerprint="a" * 64)
VERSIONS = {"python": "CPython 3.11.7", "platform": "Linux", "numpy": "2.4.6", "toy": "1.0"}
CODE = {"toy": "c" * 64}
SETTINGS = {"device": "cpu", "deterministic": False, "cpus": 2}


@pytest.fixture
def drift(record):
    """What is found between a run and a repetition that differs in some respects."""

    def find(fingerprint="f" * 64, world=WORLD, versions=VERSIONS, code=CODE, **settings):
        before = record().model_copy(
            update={
                "fingerprint": "f" * 64,
                "components": {"world": WORLD},
                "versions": VERSIONS,
                "code": CODE,
                "settings": SETTINGS,
            }
        )
        now = Identity(fingerprint, {"world": world})
        return find_drift(before, now, Provenance(versions, code), {**SETTINGS, **settings})

    return find


def test_nothing_is_found_where_nothing_has_changed(drift):
    assert drift() == []


def test_another_world_is_named_and_makes_another_experiment(drift):
    other = WORLD.model_copy(update={"fingerprint": "b" * 64})
    experiment, world = drift(fingerprint="e" * 64, world=other)
    assert (experiment.matter, world.matter) == ("experiment", "component")
    assert "what is listed here says why" in experiment.words
    assert world.words.startswith("The world points is not what it was: its items")
    assert (world.then, world.now) == ("a" * 64, "b" * 64)


def test_a_fingerprint_that_nothing_explains_is_one_of_settings(drift):
    (found,) = drift(fingerprint="e" * 64)
    assert "a setting of the recipe" in found.words


def test_a_package_of_another_version_says_how_to_get_the_old_one(drift):
    (found,) = drift(versions={**VERSIONS, "numpy": "2.5.0"})
    assert (found.matter, found.subject) == ("package", "numpy")
    assert "numpy was 2.4.6 and is 2.5.0: `pip install numpy==2.4.6`" in found.words


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ({**VERSIONS, "wandb": "0.31"}, "wandb 0.31 was not installed"),
        ({k: v for k, v in VERSIONS.items() if k != "numpy"}, "numpy 2.4.6 is not installed"),
        ({**VERSIONS, "python": "CPython 3.12.1"}, "The Python was CPython 3.11.7 and is CPython"),
        ({**VERSIONS, "platform": "macOS"}, "The platform was Linux and is macOS"),
    ],
)
def test_what_came_and_went_is_said(drift, versions, words):
    (found,) = drift(versions=versions)
    assert words in found.words


def test_code_that_was_edited_under_the_same_version_is_told(drift):
    (found,) = drift(code={"toy": "d" * 64})
    assert found.matter == "code"
    assert found.words == ("The code of toy was edited since, though its version is still 1.0.")


def test_code_of_another_version_needs_no_saying(drift):
    (found,) = drift(code={"toy": "d" * 64}, versions={**VERSIONS, "toy": "1.1"})
    assert found.matter == "package"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("device", "cuda:0", "computed on cpu, this one is on cuda:0"),
        ("cpus", 8, "had 2 CPUs, this one has 8"),
        ("deterministic", True, "was not, this one is deterministic"),
    ],
)
def test_another_way_of_computing_is_told(drift, setting, value, words):
    (found,) = drift(**{setting: value})
    assert (found.matter, found.subject) == ("computation", setting)
    assert words in found.words


def test_a_device_that_is_not_chosen_yet_is_no_change(drift):
    assert drift(device="auto") == []
