"""Columns and splits refuse what would silently misalign later."""

import numpy as np
import pytest

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import content_keys
from mezzanine_core.worlds import ArrayColumn, Frame, Labelled, Transitions, WorldData


@pytest.fixture
def serial_executor():
    return LocalExecutor(LocalConfig(workers=1))


def column(n=3, seed=0):
    items = np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)
    return ArrayColumn(items, "vector")


def transitions(**changes):
    obs, next_obs = column(seed=1), column(seed=2)
    fields = {
        "obs": obs,
        "next_obs": next_obs,
        "action": np.zeros((3, 2), np.float32),
        "action_names": ("push", "pull"),
        "episode": np.arange(3),
        "keys": content_keys(["a", "b", "c"]),
    }
    return Transitions(**{**fields, **changes})


def test_an_array_column_gives_each_row_once(serial_executor):
    items = np.arange(3000, dtype=np.float32).reshape(1000, 3)
    rows = np.random.default_rng(0).permutation(1000)[:700]
    fetched = list(ArrayColumn(items, "vector").fetch(rows, serial_executor))
    np.testing.assert_array_equal(np.concatenate([part for part, _ in fetched]), rows)
    np.testing.assert_array_equal(np.concatenate([batch for _, batch in fetched]), items[rows])


def test_a_text_column_gives_its_texts(serial_executor):
    texts = ["one", "two", "three"]
    ((rows, batch),) = ArrayColumn(texts, "text").fetch(np.array([2, 0]), serial_executor)
    assert list(rows) == [2, 0]
    assert batch == ["three", "one"]


def test_keys_that_do_not_match_the_items_are_refused():
    with pytest.raises(DataError, match="3 items but keys of shape"):
        ArrayColumn(["a", "b", "c"], "text", keys=content_keys(["a"]))


def test_consistent_transitions_are_accepted():
    assert len(transitions()) == 3


def test_a_state_is_optional_and_named():
    assert transitions().state is None
    state = np.ones((3, 2), np.float32)
    assert transitions(state=state, state_names=("x", "y")).state is state


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"next_obs": column(4)}, "unequal length"),
        ({"episode": np.arange(2)}, "unequal length"),
        ({"action": np.zeros((2, 2), np.float32)}, "unequal length"),
        ({"action_names": ("push",)}, "1 names"),
        ({"action": np.array([[0, 0], [0, np.nan], [0, 0]], np.float32)}, "transition 1"),
        ({"keys": content_keys(["a", "b"])}, "3 transitions but keys"),
        ({"state": np.zeros((2, 1), np.float32), "state_names": ("x",)}, "states of shape"),
        ({"state": np.zeros((3, 1), np.float32)}, "0 names"),
        ({"state": np.zeros(3, np.float32), "state_names": ("x",)}, "1 names"),
        ({"state": np.array([[0], [0], [np.inf]], np.float32), "state_names": ("x",)}, "state of"),
        ({"state_names": ("x",)}, "no state"),
    ],
)
def test_transitions_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        transitions(**changes)


@pytest.mark.parametrize(
    ("label", "message"), [([0, 1], "3 items"), ([0, 1, 2], "to 2"), ([-1, 0, 1], "from -1")]
)
def test_labels_that_do_not_fit_are_refused(label, message):
    with pytest.raises(DataError, match=message):
        Labelled(column(), np.array(label), ("no", "yes"))


def test_a_frame_stands_around_its_own_text():
    frame = Frame(before=["Q: why? ", ""], after=["", " Answer:"])
    assert frame.around(0, "Because.") == "Q: why? Because."
    assert frame.around(1, "It is.") == "It is. Answer:"


@pytest.mark.parametrize(
    ("items", "frame"),
    [
        (ArrayColumn(["a", "b"], "text"), Frame(["x"], ["y", "z"])),
        (ArrayColumn(["a", "b"], "text"), Frame(["x"], ["y"])),
        (ArrayColumn(["a", "b"], "text"), Frame(["x"] * 3, ["y"] * 3)),
        (column(2), Frame(["x", "y"], ["", ""])),
    ],
)
def test_a_frame_that_does_not_fit_its_items_is_refused(items, frame):
    with pytest.raises(DataError, match="expected one for each of as many texts"):
        Labelled(items, np.array([0, 1]), ("no", "yes"), frame)


def test_a_missing_split_is_answered_with_the_ones_there_are():
    data = WorldData({"train": transitions(), "test": transitions()})
    with pytest.raises(DataError, match=r"no split 'dev'; there are \['test', 'train'\]"):
        data.transitions("dev")


def test_a_split_of_the_other_kind_is_refused():
    data = WorldData({"train": transitions()})
    with pytest.raises(DataError, match="holds Transitions, not Labelled"):
        data.labelled("train")
