import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_worlds_hf.frames import frame_of
from mezzanine_worlds_hf.templates import parse_template

DEFAULT = "{passage}\nQuestion: {question}?\nAnswer:"
QA = ("passage", "question")


@given(st.text(), st.text().filter(lambda q: not q.rstrip().endswith("?") and q == q.rstrip()))
def test_a_frame_puts_back_what_formatting_gives(passage: str, question: str) -> None:
    frame = frame_of(parse_template(DEFAULT, QA), "passage", {"question": [question]}, 1)
    assert frame.around(0, passage) == DEFAULT.format(passage=passage, question=question)


@pytest.mark.parametrize("question", ["is it so", "is it so?", "is it so? ", "is it so??"])
def test_a_question_has_one_question_mark(question: str) -> None:
    before, after = parse_template(DEFAULT, QA).around("passage", {"question": question})
    assert (before, after) == ("", "\nQuestion: is it so?\nAnswer:")


def test_a_question_keeps_its_mark_where_the_template_has_none() -> None:
    template = parse_template("{question} {passage}", QA)
    assert template.around("passage", {"question": "so?"}) == ("so? ", "")


def test_doubled_braces_stand_for_themselves() -> None:
    template = parse_template("{{{text}}} {{x}}", ("text",))
    assert template.around("text", {}) == ("{", "} {x}")


def test_values_with_braces_are_taken_as_they_are() -> None:
    template = parse_template("{question}: {passage}", QA)
    assert template.around("passage", {"question": "{title}{"}) == ("{title}{: ", "")


def test_each_text_has_its_own_sides() -> None:
    template = parse_template("{title}: {passage} {question}", QA, ("title",))
    others = {"title": ["A", "B"], "question": ["x", "y"]}
    frame = frame_of(template, "passage", others, 2)
    assert (list(frame.before), list(frame.after)) == (["A: ", "B: "], [" x", " y"])
