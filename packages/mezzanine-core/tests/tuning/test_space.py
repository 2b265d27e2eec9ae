"""What is searched: how ranges and choices are written, and what they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.config.outline import outline
from mezzanine_core.errors import ConfigError
from mezzanine_core.tuning.space import Dimension, described, points, read_space
from mezzanine_core.tuning.study import distributions


@pytest.fixture
def read(registry):
    found = outline(registry, "hill")
    return lambda *entries: read_space(entries, found)


@pytest.mark.parametrize(
    ("entry", "dimension"),
    [
        ("x=1:6", Dimension("x", "float", "1:6", low=1, high=6)),
        ("x=1:6:log", Dimension("x", "float", "1:6:log", low=1, high=6, log=True)),
        ("x = 1 : 6 : 0.5", Dimension("x", "float", "1 : 6 : 0.5", low=1, high=6, step=0.5)),
        ("step=2:9", Dimension("step", "int", "2:9", low=2, high=9)),
        ("step=2:9:3", Dimension("step", "int", "2:9:3", low=2, high=9, step=3)),
        ("side=north|south", Dimension("side", "choice", "north|south", ("north", "south"))),
        ("tags=a,b|a", Dimension("world.tags", "choice", "a,b|a", ("a,b", "a"))),
        ("world.tags=a|[]", Dimension("world.tags", "choice", "a|[]", ("a", "[]"))),
        ("x=1|2.5", Dimension("x", "choice", "1|2.5", ("1", "2.5"))),
    ],
)
def test_an_entry_is_read_by_the_type_of_its_setting(read, entry, dimension):
    assert read(entry) == (dimension,)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("x", "is not of the form NAME=VALUE"),
        ("x=", "is not of the form NAME=VALUE"),
        ("y=1:2", "there is no setting 'y'"),
        ("x=1", "a range is LOW:HIGH"),
        ("x=1:2:3:4", "a range is LOW:HIGH"),
        ("x=2:1", "ends before it begins"),
        ("x=1:1", "ends before it begins"),
        ("x=1:nan", "'nan' is not a number"),
        ("x=0:2:log", "begins above 0"),
        ("x=0:2:3", "the step is not above 0 and within the range"),
        ("x=0:2:-1", "the step is not above 0 and within the range"),
        ("step=1:2.5", "'2.5' is not a whole number"),
        ("side=north", "at least two choices"),
        ("side=north||south", "a choice is empty, or comes twice"),
        ("side=north|north", "a choice is empty, or comes twice"),
        ("tags=1:3", "which has no ranges"),
        ("seed=0:3", "a seed is not searched"),
        ("seeds=0|1", "a seed is not searched"),
        ("world.seed=0:3", "a seed is not searched"),
        ("workers=1:3", "changes nothing of what comes out"),
        ("out=a|b", "changes nothing of what comes out"),
        ("world=land|sea", ""),
    ],
)
def test_what_cannot_be_searched_is_refused_with_its_entry(read, planned, entry, words):
    with pytest.raises(ConfigError) as raised:
        planned(entry)
    assert "--space" in raised.value.message
    assert words in raised.value.message


def test_a_misspelt_setting_is_answered_with_what_comes_near(read):
    with pytest.raises(ConfigError) as raised:
        read("sid=north|south")
    assert "'side'" in raised.value.hint


def test_a_setting_is_searched_once(read):
    with pytest.raises(ConfigError, match=r"world\.tags is searched twice"):
        read("tags=a|b", "world.tags=a|c")


numbers = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))


@st.composite
def ranges(draw):
    low, width = draw(numbers), draw(st.floats(0.01, 100).map(lambda value: round(value, 3)))
    step = draw(st.floats(0.1, 1).map(lambda share: max(0.001, round(share * width, 3))))
    return Dimension("x", "float", "", low=low, high=low + width, step=min(step, width))


@given(ranges())
def test_the_values_of_a_range_are_those_that_optuna_draws_from(dimension):
    distribution = distributions([dimension])["x"]
    values = dimension.values()
    assert values[0] == dimension.low
    assert values[-1] == distribution.high
    assert len(values) == round((distribution.high - distribution.low) / distribution.step) + 1


@given(st.integers(-50, 50), st.integers(1, 40), st.integers(1, 40))
def test_whole_numbers_stay_whole_and_within_their_range(low, width, step):
    dimension = Dimension("n", "int", "", low=low, high=low + width, step=min(step, width))
    distribution = distributions([dimension])["n"]
    values = dimension.values()
    assert all(isinstance(value, int) for value in values)
    assert (values[0], values[-1]) == (distribution.low, distribution.high)
    assert len(values) == (distribution.high - distribution.low) // distribution.step + 1


def test_the_points_of_a_space_are_all_combinations_unless_there_are_too_many(read):
    space = read("step=1:3", "side=north|south")
    assert len(points(space, 6)) == 6
    assert {"step": 2, "side": "south"} in points(space, 6)
    assert points(space, 5) is None
    assert points(read("x=0:1", "side=north|south"), 10**6) is None


def test_a_point_in_words_has_the_last_parts_of_names():
    assert described({"world.delta": 4.25, "n": 3, "world.games": "a,b"}) == (
        "delta=4.25, n=3, games=a,b"
    )
