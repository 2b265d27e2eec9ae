import pytest

from mezzanine_core.errors import DataError


def test_records_are_read_by_the_field_of_the_data_or_a_usual_name(classified) -> None:
    world = classified("org/name", text_field="headline")
    inputs, frame = world.frame_records([{"headline": "a", "text": "b"}, {"text": "c"}])
    assert (inputs, frame) == (["a", "c"], None)


def test_records_of_texts_are_framed_by_the_template(classified) -> None:
    inputs, frame = classified("org/name", template="Topic of: {text}!").frame_records(
        [{"text": "a"}, {"sentence": "b"}]
    )
    assert [frame.around(row, text) for row, text in enumerate(inputs)] == [
        "Topic of: a!",
        "Topic of: b!",
    ]


def test_records_of_questions_are_framed_like_the_data(asked, written) -> None:
    columns = {"passage": ["P"], "question": ["q?"], "title": ["T"], "label": [1]}
    other = {"passage": ["Q"], "question": ["q"], "title": ["T"], "label": [0]}
    world = asked(written(train=other, test=columns), template="{title}|{passage}|{question}?")
    test = world.load().labelled("test")
    inputs, frame = world.frame_records([{"passage": "P", "question": "q?", "title": "T"}])
    assert inputs == ["P"]
    assert frame.around(0, "P") == test.frame.around(0, "P") == "T|P|q?"


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"headline": "a"}, "record 1 has the fields headline"),
        ({"text": "a", "content": "b"}, "record 1 has the fields text, content"),
        ({"text": 3}, "field 'text' of record 1 holds no text: 3"),
        ({"text": " "}, "field 'text' of record 1 holds no text"),
        ({}, r"record 1 has the fields \(none\)"),
    ],
    ids=str,
)
def test_a_record_without_a_text_is_named(classified, record, what) -> None:
    with pytest.raises(DataError, match=what):
        classified("org/name").frame_records([{"text": "fine"}, record])


def test_a_record_without_a_question_is_named(asked) -> None:
    with pytest.raises(DataError, match=r"record 0 has the fields passage.*question_field"):
        asked("org/name").frame_records([{"passage": "a"}])
