"""Where sentences end, that nothing is lost, and that sentences in another order split the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.builtin.sentences import split_lines, split_sentences

laws = settings(deadline=None, max_examples=300)

# What splitting looks at, in combinations that no writer would think of.
TOKENS = """
Foo bar. Mr. U.S. J. e.g. 1. 3.5 No. ... … ? ! ?! . Foo? " “ ” « » ( ) [ ] ' :( :) 5" a) <BR/>
> Ünder. über ß. 中文。 Ph.D. Yahoo! $5 - * _x "Foo." (Foo.) Foo.) etc. 2004. A. b.
"""
SPACES = [" ", " ", " ", "\n", "\n\n", "\t", "\u2003", "<br />", ""]
texts = st.lists(st.sampled_from(TOKENS.split() + SPACES), max_size=25).map("".join) | st.text(
    alphabet='aB1. ?"()“”\n<br/>…:', max_size=40
)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("It rained. We left.", ["It rained.", "We left."]),
        ("Mr. Smith met Dr. Jones. They spoke.", ["Mr. Smith met Dr. Jones.", "They spoke."]),
        ("The U.S. Senate met at 5 p.m. It rose.", ["The U.S. Senate met at 5 p.m. It rose."]),
        ("Fruit, e.g. Apples, is good. Eat.", ["Fruit, e.g. Apples, is good.", "Eat."]),
        ("J. R. R. Tolkien wrote it. Read it.", ["J. R. R. Tolkien wrote it.", "Read it."]),
        ("It costs 3.5 or $4.25. Cheap!", ["It costs 3.5 or $4.25.", "Cheap!"]),
        ("Well... maybe not. Or… Perhaps.", ["Well... maybe not.", "Or…", "Perhaps."]),
        ('"Stop! Go back." He ran.', ['"Stop! Go back."', "He ran."]),
        ('"Stop!" he said. He ran.', ['"Stop!" he said.', "He ran."]),
        ("“Is it? Yes.” We agreed.", ["“Is it? Yes.”", "We agreed."]),
        ("It ended (badly. Very.) We left.", ["It ended (badly. Very.)", "We left."]),
        ("1. Mix. 2. Bake it.", ["1. Mix.", "2. Bake it."]),
        ('A 5" disk. It spins.', ['A 5" disk.', "It spins."]),
        ("Sad :( It broke. Buy another.", ["Sad :( It broke.", "Buy another."]),
        ("Great.<br /><br />I loved it.", ["Great.", "I loved it."]),
        ("What?! No way.\n\nReally.", ["What?!", "No way.", "Really."]),
        ("no capitals here. none at all.", ["no capitals here. none at all."]),
        ("One sentence", ["One sentence"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, units):
    assert list(split_sentences(text).units) == units


@laws
@given(texts, st.sampled_from([split_sentences, split_lines]))
def test_nothing_is_lost_and_no_unit_is_empty_or_ends_in_white_space(text, split):
    segments = split(text)
    assert len(segments.separators) == len(segments.units) + 1
    assert segments.join(range(len(segments.units))) == text
    for unit in segments.units:
        assert unit
        assert unit == unit.strip()


@laws
@given(texts, st.sampled_from([split_sentences, split_lines]), st.randoms(use_true_random=False))
def test_units_in_another_order_are_split_at_the_same_places(text, split, random):
    segments = split(text)
    places = list(range(len(segments.units)))
    first = places[: segments.pin_first]
    last = places[len(first) :][-1:] if segments.pin_last else []
    movable = places[len(first) : len(places) - len(last)]
    random.shuffle(movable)
    order = first + movable + last
    again = split(segments.join(order))
    assert again.units == tuple(segments.units[place] for place in order)
    assert again.separators == segments.separators


def test_lines_are_split_at_line_breaks_only():
    segments = split_lines("  one. Two\n\n\tthree\r\nfour \n")
    assert segments.units == ("one. Two", "three", "four")
    assert segments.separators == ("  ", "\n\n\t", "\r\n", " \n")


@pytest.mark.parametrize("text", ["", " \n ", "<br />"])
def test_a_text_without_content_has_no_units(text):
    assert split_sentences(text).units == ()
    assert split_sentences(text).separators == (text,)


def test_a_first_or_last_sentence_that_could_not_stand_elsewhere_is_marked():
    segments = split_sentences("and so on. Then more. And at the end")
    assert (segments.pin_first, segments.pin_last) == (True, True)
    segments = split_sentences("First. Second.")
    assert (segments.pin_first, segments.pin_last) == (False, False)
    assert split_sentences('First. Second, "unclosed.').pin_last
