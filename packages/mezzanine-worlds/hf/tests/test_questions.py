from pathlib import Path

import pytest
from datasets import ClassLabel, Features, Value

from mezzanine_core.errors import ConfigError, DataError

COLUMNS = {
    "passage": ["The sky is blue.", "Grass is green.", "Snow is white."],
    "question": ["is the sky red", "is grass green?", "is snow black"],
}
TEST = {"passage": ["Coal is black."], "question": ["is coal black"]}


def _folder(written, answers, test_answers, field="answer", features=None) -> Path:
    return written(
        features=features,
        train={**COLUMNS, field: answers},
        test={**TEST, field: test_answers},
    )


def test_items_are_the_passages_and_the_frame_holds_the_question(written, asked, fetched) -> None:
    folder = _folder(written, [False, True, False], [True])
    data = asked(folder).load()
    train = data.labelled("train")
    questions = dict(zip(COLUMNS["passage"], COLUMNS["question"], strict=True))
    right = dict(zip(COLUMNS["passage"], [0, 1, 0], strict=True))
    for row, passage in enumerate(fetched(train.input)):
        question = questions[passage].rstrip("?")
        assert train.frame.around(row, passage) == f"{passage}\nQuestion: {question}?\nAnswer:"
        assert train.label[row] == right[passage]
    assert train.label_names == ("no", "yes")


@pytest.mark.parametrize(
    ("answers", "test_answers"),
    [([False, True, False], [True]), ([0, 1, 0], [1]), (["no", "yes", "no"], ["yes"])],
    ids=["truth values", "integers", "words"],
)
@pytest.mark.parametrize("field", ["answer", "label"])
def test_answers_may_be_truth_values_integers_or_words(
    written, asked, answers, test_answers, field
) -> None:
    report = asked(_folder(written, answers, test_answers, field)).load().report
    assert report["splits"]["train"]["labels"] == {"no": 2, "yes": 1}
    assert report["splits"]["test"]["labels"] == {"no": 0, "yes": 1}


def test_answers_may_be_class_labels(written, asked) -> None:
    names = ClassLabel(names=["False", "True"])
    features = Features({"passage": Value("string"), "question": Value("string"), "label": names})
    folder = _folder(written, [0, 1, 0], [1], "label", features)
    assert asked(folder).load().labelled("test").label_names == ("False", "True")
    named = asked(folder, label_names="no,yes").load().labelled("test")
    assert (named.label_names, named.label.tolist()) == (("no", "yes"), [1])


def test_answers_that_are_spans_are_refused(written, asked) -> None:
    spans = [{"text": ["blue"], "answer_start": [11]}] * 4
    with pytest.raises(DataError, match="labels of the split 'train' are no classes"):
        asked(_folder(written, spans[:3], spans[3:], "answers")).load()


def test_the_title_is_framed_where_the_template_asks_for_it(written, asked) -> None:
    train = {**COLUMNS, "answer": [0, 1, 0], "title": ["a", "b", "c"]}
    test = {**TEST, "answer": [1], "title": ["Coal"]}
    folder = written(train=train, test=test)
    world = asked(folder, template="{title}: {passage} {question}")
    assert world.load().labelled("test").frame.around(0, "P") == "Coal: P is coal black"
    assert "title" not in asked(folder).source()["fields"]


def test_a_title_that_is_missing_is_answered_with_the_fields(written, asked) -> None:
    folder = _folder(written, [0, 1, 0], [1])
    with pytest.raises(ConfigError, match=r"title_field='title'.*passage, question, answer"):
        asked(folder, template="{title} {passage} {question}").load()


def test_an_empty_question_makes_an_empty_item(written, asked) -> None:
    columns = {"passage": ["a", "b", "c"], "question": ["x", " ", "y"], "answer": [0, 1, 1]}
    folder = written(train=columns)
    with pytest.raises(DataError, match=r"1 of 3 items of the split 'train' are empty.* row 1"):
        asked(folder).load()


def test_splits_share_no_passage(written, asked) -> None:
    rows = range(60)
    columns = {
        "passage": [f"passage {row // 3}" for row in rows],
        "question": [f"question {row}" for row in rows],
        "answer": [row % 2 for row in rows],
    }
    folder = written(train=columns)
    data = asked(folder, n_test=20).load()
    keys = [{key.tobytes() for key in data.labelled(n).input.keys} for n in ("train", "test")]
    assert not keys[0] & keys[1]
    assert data.report["overlap"]["set_apart"]


def test_another_question_about_a_passage_is_no_conflict(written, asked) -> None:
    columns = {
        "passage": ["a", "a", "a", "b"],
        "question": ["x", "y", "y", "x"],
        "answer": [0, 1, 0, 1],
    }
    report = asked(written(train=columns), n_test=1).load().report
    assert report["conflicts"] == {"contents": 1, "rows": 2}


def test_real_questions_are_split_by_passage(shared_data: Path, asked) -> None:
    data = asked(shared_data / "boolq", n_train=1500, n_test=512).load()
    train, test = data.labelled("train"), data.labelled("test")
    assert (len(train), len(test)) == (1500, 512)
    assert data.report["overlap"]["shared_test_items_left"] == 0
    assert train.label_names == ("no", "yes")
    assert not any("??" in after for after in test.frame.after)


def test_more_real_questions_than_there_are_is_an_error(shared_data: Path, asked) -> None:
    with pytest.raises(DataError, match=r"n_train=2048, but 1710 is all: there are 2222 rows"):
        asked(shared_data / "boolq", n_train=2048, n_test=512).load()
