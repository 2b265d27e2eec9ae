import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.calibration import softmax
from mezzanine_core.errors import DataError, UnknownNameError
from mezzanine_recipes_distill.edits import Edits, edit_figures, load_edits, packaged_edits

CLASSES = {"sentiment": 2, "topics": 4, "boolq": 2}


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "mine.jsonl"
        text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(text), encoding="utf-8")
        return path

    return write


def pair(number, **more):
    return {"original": f"It is {number}.", "edited": f"It is not {number}.", **more}


def figures(originals, edited, edits):
    rng = np.random.default_rng(0)
    return edit_figures(np.array(originals), np.array(edited), edits, resamples=100, rng=rng)


def two_edits(labels=None):
    return Edits("mine", ("a", "b"), ("c", "d"), labels=labels)


# Loading.


def test_packaged_sets_are_found():
    assert set(packaged_edits()) == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_packaged_edits_are_labelled_distinct_and_cover_every_class(name):
    edits = load_edits(name)
    assert len(edits) >= 20
    assert len({*edits.originals, *edits.edited}) == 2 * len(edits)
    for side in edits.labels.T:
        assert set(side) == set(range(CLASSES[name]))
    edits.check_classes(CLASSES[name])


def test_packaged_passages_have_questions_and_other_texts_have_none():
    assert len(load_edits("boolq").questions) == len(load_edits("boolq"))
    assert load_edits("sentiment").questions is None


@settings(max_examples=25)
@given(st.lists(st.text().filter(str.strip), min_size=2, max_size=6, unique=True), st.booleans())
def test_a_file_is_read_as_it_was_written(tmp_path_factory, texts, labelled):
    labels = {"label": 0, "edited_label": 1} if labelled else {}
    lines = [{"original": text, "edited": f"not {text}", **labels} for text in texts]
    path = tmp_path_factory.mktemp("edits") / "mine.jsonl"
    content = "\n\n".join(json.dumps(line, ensure_ascii=labelled) for line in lines)
    path.write_bytes(content.encode())
    edits = load_edits(path)
    assert edits.originals == tuple(texts)
    assert edits.edited == tuple(f"not {text}" for text in texts)
    assert (edits.labels is not None) == labelled


def test_an_unknown_name_lists_the_packaged_ones():
    with pytest.raises(UnknownNameError, match="sentimental") as raised:
        load_edits("sentimental")
    assert all(name in raised.value.hint for name in CLASSES)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl: No such file"):
        load_edits(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not json", "line 3 .* not JSON"),
        ("[1, 2]", "line 3 .* no edit"),
        ({"original": "x"}, "line 3 .* edited: Field required"),
        ({"original": "x", "edited": 2}, "line 3 .* edited: .* string"),
        ({**pair(1), "lable": 1}, "line 3 .* lable"),
        ({"original": "  ", "edited": "x"}, r"line 3 of .*mine\.jsonl has nothing .* its original"),
        ({"original": "x", "edited": ""}, "line 3 .* its edited: ''"),
        ({**pair(1), "question": "\t"}, "line 3 .* its question"),
        ({"original": "x", "edited": "x"}, "line 3 .* as it is"),
        (pair(1, label=1, edited_label=1), "line 3 .* keeps the label 1"),
        (pair(1, label=1), "line 3 .* one of label and edited_label"),
        (pair(1, label=-1, edited_label=1), "line 3 .* label: .* greater"),
        (pair(1, question="Is it?"), "line 1 .* no question"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(write, line, message):
    with pytest.raises(DataError, match=message) as raised:
        load_edits(write(pair(0), "", line))
    assert raised.value.hint


def test_bytes_that_are_no_text_are_named_by_their_line(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(json.dumps(pair(0)).encode() + b'\n{"original": "\xff", "edited": "x"}')
    with pytest.raises(DataError, match=r"line 2 .* not JSON"):
        load_edits(path)


@pytest.mark.parametrize("count", [0, 1])
def test_a_file_of_too_few_edits_is_refused(write, count):
    with pytest.raises(DataError, match=f"holds {count} edits"):
        load_edits(write(*[pair(number) for number in range(count)]))


def test_labels_of_another_world_are_refused():
    with pytest.raises(DataError, match=r"label 3, but the world has 2 classes"):
        load_edits("topics").check_classes(2)


# Figures.


def test_figures_are_those_of_the_definition():
    before = [[[0.0, 0.0, 9.0], [2.0, 0.0, 0.0]], [[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]
    after = [[[0.0, 0.0, 8.0], [0.0, 2.0, 0.0]], [[0.0, 0.0, 4.0], [0.0, 0.0, 1.0]]]
    found = figures(before, after, two_edits(labels=np.array([[0, 1], [0, 1]])))
    p, q = softmax(np.concatenate(before)), softmax(np.concatenate(after))
    assert found["edit_tv"].value == pytest.approx(np.abs(p - q).sum(axis=1).mean() / 2)
    assert found["edit_flip_rate"].per_seed == (0.5, 1.0)
    assert found["edit_follow_rate"].per_seed == (0.5, 0.0)


def test_a_model_that_ignores_edits_has_figures_of_zero():
    logits = np.random.default_rng(0).normal(size=(2, 2, 3))
    found = figures(logits, logits, two_edits(labels=np.array([[0, 1], [0, 1]])))
    assert {estimate.value for estimate in found.values()} == {0.0}


def test_without_labels_nothing_is_said_of_right_answers():
    found = figures(np.zeros((1, 2, 2)), np.ones((1, 2, 2)), two_edits())
    assert set(found) == {"edit_tv", "edit_flip_rate"}


def test_intervals_hold_their_estimates_and_cover_more_edits_better():
    rng = np.random.default_rng(1)

    def width(count):
        texts = tuple(map(str, range(count)))
        logits = rng.normal(size=(2, 1, count, 2)) * 2
        found = figures(*logits, Edits("mine", texts, texts))["edit_tv"]
        assert found.low <= found.value <= found.high
        return found.high - found.low

    assert width(400) < width(16)


def test_logits_of_another_number_of_edits_are_refused():
    with pytest.raises(DataError, match="for 2 edits"):
        figures(np.zeros((1, 3, 2)), np.zeros((1, 3, 2)), two_edits())
