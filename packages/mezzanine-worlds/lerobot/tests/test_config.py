"""Settings are read, and refused with what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mezzanine_worlds_lerobot.config import LeRobotConfig


@given(st.sets(st.integers(0, 50), min_size=1))
def test_ranges_and_numbers_mean_the_episodes_in_them(numbers):
    text, start = [], None
    for number in sorted(numbers):
        start = number if start is None else start
        if number + 1 not in numbers:
            text.append(f"{start}:{number + 1}" if start < number else str(number))
            start = None
    for given_as in (",".join(reversed(text)), text, sorted(numbers)):
        assert LeRobotConfig(root="x", episodes=given_as).episodes == tuple(sorted(numbers))


def test_no_episodes_are_named_by_default():
    assert LeRobotConfig(root="x").episodes == ()


@pytest.mark.parametrize("text", ["3:1", "3:3", "a", "1:b", "1:2:3", "-1", ":", "1.5", [True]])
def test_malformed_episodes_are_refused_with_the_form_that_is_meant(text):
    with pytest.raises(ValidationError, match="neither the number of an episode nor a range"):
        LeRobotConfig(root="x", episodes=text)


def test_an_episode_that_is_named_twice_is_refused():
    with pytest.raises(ValidationError, match="once, but 4 comes again"):
        LeRobotConfig(root="x", episodes="0:5,4")


def test_a_data_set_has_to_be_named():
    with pytest.raises(ValidationError, match="give repo_id, its hub id, or root"):
        LeRobotConfig()


def test_a_revision_does_not_go_with_a_local_folder():
    with pytest.raises(ValidationError, match="revision is of the hub"):
        LeRobotConfig(root="x", revision="v3.0")
