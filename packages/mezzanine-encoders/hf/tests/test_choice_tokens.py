import pytest
from transformers import AutoTokenizer

from mezzanine_core.errors import DataError
from mezzanine_encoders_hf.choice_tokens import ChoiceTokenizer

PROMPT = "Is the answer yes or no? The answer is"


@pytest.fixture
def tokenizer(checkpoint):
    def load(kind):
        return AutoTokenizer.from_pretrained(checkpoint(kind))

    return load


def split(tokenizer, prompt, choice, max_length=64):
    (pair,) = ChoiceTokenizer(tokenizer, max_length, "the model")([prompt], [choice])
    return pair


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_context_and_choice_are_the_tokens_of_both_texts_as_one(tokenizer, kind):
    pair = split(tokenizer(kind), PROMPT, " yes, several")
    alone = tuple(tokenizer(kind)(PROMPT)["input_ids"])
    whole = tuple(tokenizer(kind)(PROMPT + " yes, several")["input_ids"])
    assert (pair.context, pair.choice) == (alone, whole[len(alone) :])
    assert not pair.merged
    assert not pair.truncated


@pytest.mark.parametrize("space", [" ", "\n", " \n  "])
def test_white_space_after_the_prompt_belongs_to_the_choice(tokenizer, space):
    gpt2 = tokenizer("gpt2")
    assert split(gpt2, PROMPT + space, "yes") == split(gpt2, PROMPT, space + "yes")


def test_a_choice_that_changes_the_prompts_last_token_is_scored_with_it(tokenizer):
    gpt2 = tokenizer("gpt2")
    kept = gpt2("Is the")["input_ids"]
    alone, whole = gpt2("Is the answ")["input_ids"], gpt2("Is the answer")["input_ids"]
    assert whole[: len(alone)] != alone
    shared = len(kept)
    while alone[shared] == whole[shared]:
        shared += 1
    pair = split(gpt2, "Is the answ", "er")
    assert pair == (tuple(whole[:shared]), tuple(whole[shared:]), False, True)


def test_special_tokens_after_a_text_are_not_scored(tokenizer):
    for kind in ("roberta", "t5"):
        loaded = tokenizer(kind)
        pair = split(loaded, PROMPT, " yes")
        assert loaded.eos_token_id not in pair.context + pair.choice
        assert pair.context + pair.choice == tuple(loaded(PROMPT + " yes")["input_ids"][:-1])


def test_what_begins_each_text_begins_the_context_once(tokenizer):
    llama = tokenizer("llama")
    begin = llama.bos_token_id
    assert split(llama, PROMPT, " yes").context[:2].count(begin) == 1
    assert split(llama, llama.bos_token + PROMPT, " yes") == split(llama, PROMPT, " yes")


def test_after_no_prompt_a_choice_follows_the_token_that_begins_texts(tokenizer):
    for kind in ("gpt2", "llama"):
        loaded = tokenizer(kind)
        pair = split(loaded, "", "yes")
        plain = loaded("yes", add_special_tokens=False)["input_ids"]
        assert pair == ((loaded.bos_token_id,), tuple(plain), False, False)


def test_after_no_prompt_it_follows_the_token_that_ends_texts_if_there_is_no_other(tokenizer):
    t5 = tokenizer("t5")
    assert t5.bos_token_id is None
    assert split(t5, " \n", "yes").context == (t5.eos_token_id,)


def test_no_prompt_and_no_token_to_begin_with_is_an_error(tokenizer):
    gpt2 = tokenizer("gpt2")
    gpt2.bos_token = gpt2.eos_token = None
    assert split(gpt2, "Is", " it").context
    with pytest.raises(DataError, match="no prompt, and the model has no token"):
        split(gpt2, "", "yes")


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_prompt_that_is_too_long_loses_its_beginning(tokenizer, kind):
    loaded = tokenizer(kind)
    full = split(loaded, PROMPT, " yes, several")
    front = full.context[: 1 if kind == "llama" else 0]
    room = len(full.context) + len(full.choice) - 1  # the last token is never read
    assert split(loaded, PROMPT, " yes, several", room) == full
    for max_length in range(len(front) + len(full.choice), room):
        pair = split(loaded, PROMPT, " yes, several", max_length)
        assert pair.truncated
        assert pair.choice == full.choice
        assert len(pair.context) + len(pair.choice) - 1 == max_length
        assert pair.context[: len(front)] == front
        rest = pair.context[len(front) :]
        assert rest == full.context[len(full.context) - len(rest) :]


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_choice_that_does_not_fit_alone_is_an_error(tokenizer, kind):
    loaded = tokenizer(kind)
    tokens = len(split(loaded, PROMPT, " yes, several").choice)
    split(loaded, PROMPT, " yes, several", tokens)
    with pytest.raises(DataError, match=f"has {tokens} tokens, .* no more than {tokens - 1}"):
        split(loaded, PROMPT, " yes, several", tokens - 1)


def test_an_empty_choice_is_an_error_even_after_white_space(tokenizer):
    with pytest.raises(DataError, match="is empty"):
        split(tokenizer("gpt2"), PROMPT + " ", "")


def test_a_choice_that_adds_no_token_is_an_error(tokenizer):
    with pytest.raises(DataError, match="adds no token"):
        split(tokenizer("bert"), PROMPT, "  ")
