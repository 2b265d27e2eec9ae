import itertools
import logging

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from mezzanine_core.errors import ConfigError, DataError, LatentError
from mezzanine_encoders_hf import choices
from mezzanine_encoders_hf.causal import HFCausalLM
from mezzanine_encoders_hf.config import HFCausalLMConfig

PROMPTS = [
    "Is the answer yes or no? The answer is",
    "Stocks fell",
    "Chess players think several moves ahead of their opponents. True or false:",
    "It rained",
]
SEVERAL = [" yes", " no", " the dog runs after a ball", " several books about water"]


@pytest.fixture
def encoder(checkpoint):
    def make(kind, **settings):
        return HFCausalLM(HFCausalLMConfig(model_name=str(checkpoint(kind)), **settings))

    return make


@pytest.fixture
def plain(checkpoint):
    """Loads a model and its tokenizer by plain transformers."""
    loaded = {}

    def load(kind):
        if kind not in loaded:
            model = AutoModelForCausalLM.from_pretrained(checkpoint(kind)).eval()
            loaded[kind] = model, AutoTokenizer.from_pretrained(checkpoint(kind))
        return loaded[kind]

    return load


@pytest.fixture
def one_by_one(plain):
    """Scores a choice by plain transformers: one text, one token, one forward pass at a time."""

    def score(kind, prompt, choice):
        model, tokenizer = plain(kind)
        alone, whole = (tokenizer(text)["input_ids"] for text in (prompt, prompt + choice))
        pairs = itertools.takewhile(
            lambda pair: pair[0] == pair[1], zip(alone, whole, strict=False)
        )
        return sum_one_by_one(model, whole, len(list(pairs)))

    return score


def sum_one_by_one(model, ids, start):
    """Sum of the log-probabilities of the tokens from a place on."""
    total = 0.0
    for place in range(start, len(ids)):
        with torch.inference_mode():
            logits = model(torch.tensor([ids[:place]])).logits[0, -1]
        total += float(torch.log_softmax(logits.double(), dim=-1)[ids[place]])
    return total


def read(args, kwargs):
    """The ids that a model is given."""
    return args[0] if args else kwargs["input_ids"]


def shapes_read(encoder):
    """The rows and tokens of each forward pass that the model really runs from now on."""
    shapes = []
    encoder.model.base_model.register_forward_pre_hook(
        lambda _module, args, kwargs: shapes.append(tuple(read(args, kwargs).shape)),
        with_kwargs=True,
    )
    return shapes


@pytest.mark.parametrize("padding_side", ["left", "right"])
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_scores_are_the_sums_of_token_log_probabilities_one_by_one(
    encoder, one_by_one, kind, padding_side
):
    scores = encoder(kind, padding_side=padding_side).choice_log_probs(PROMPTS, SEVERAL)
    expected = [[one_by_one(kind, prompt, choice) for choice in SEVERAL] for prompt in PROMPTS]
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("batch_tokens", [1, 24, 100])
def test_the_batch_changes_no_score(encoder, batch_tokens):
    together = encoder("llama").choice_log_probs(PROMPTS, SEVERAL)
    apart = encoder("llama", batch_tokens=batch_tokens).choice_log_probs(PROMPTS, SEVERAL)
    np.testing.assert_allclose(together, apart, rtol=0, atol=2e-5)


def test_each_prompt_may_have_its_own_choices(encoder, one_by_one):
    own = [(" yes", " no"), (" sharply", " on Monday"), (" true", " false"), (" all day", " books")]
    scores = encoder("gpt2").choice_log_probs(PROMPTS, own)
    expected = [
        [one_by_one("gpt2", prompt, choice) for choice in row]
        for prompt, row in zip(PROMPTS, own, strict=True)
    ]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-5)


def test_a_choice_joined_to_its_prompt_is_scored_from_the_first_token_that_changed(
    encoder, one_by_one, caplog
):
    gpt2 = encoder("gpt2")
    with caplog.at_level(logging.INFO, logger="mezzanine_encoders_hf"):
        scores = gpt2.choice_log_probs(["Is the answ", "Is the answer"], ["er", " no"])
    expected = [
        [one_by_one("gpt2", prompt, choice) for choice in ("er", " no")]
        for prompt in ("Is the answ", "Is the answer")
    ]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-5)
    assert gpt2.report()["choices"] == {"scored": 4, "truncated": 0, "merged": 1}
    assert "joins 1 of 4 choices" in caplog.text


def test_choices_of_one_token_take_one_pass_over_their_prompt(encoder):
    llama = encoder("llama")
    shapes = shapes_read(llama)
    marks = [".", ",", "!", "?"]
    llama.choice_log_probs(PROMPTS[:1], marks)
    tokens = len(llama.tokenizer(PROMPTS[0])["input_ids"])
    assert all(len(llama.tokenizer(PROMPTS[0] + one)["input_ids"]) == tokens + 1 for one in marks)
    assert shapes[-1] == (1, tokens)  # what came before looked at the model, not at these texts
    passes = len(shapes)
    llama.choice_log_probs(PROMPTS[:1] * 5, marks)
    assert shapes[passes:] == [(1, tokens)]


def test_a_choice_that_another_goes_on_from_takes_no_pass_of_its_own(encoder, one_by_one):
    gpt2 = encoder("gpt2")
    gpt2.choice_log_probs(["It"], [" is"])
    shapes = shapes_read(gpt2)
    nested = [" the dog", " the", " the dog runs", " the dog runs after a ball"]
    scores = gpt2.choice_log_probs(PROMPTS[:1], nested)
    tokens = len(gpt2.tokenizer(PROMPTS[0] + nested[-1])["input_ids"])
    assert shapes == [(1, tokens - 1)]
    expected = [one_by_one("gpt2", PROMPTS[0], choice) for choice in nested]
    np.testing.assert_allclose(scores[0], expected, rtol=0, atol=2e-5)


def test_only_tokens_that_are_asked_about_reach_the_output_layer(encoder):
    llama = encoder("llama")
    llama.choice_log_probs(["It"], [" is"])
    rows = []
    llama.model.lm_head.register_forward_hook(
        lambda _module, args, _output: rows.append(args[0].numel() // 32)
    )
    llama.choice_log_probs(PROMPTS, [".", ","])
    assert sum(rows) == len(PROMPTS)


def test_logits_held_at_once_are_bounded(encoder, monkeypatch):
    llama = encoder("llama")
    expected = llama.choice_log_probs(PROMPTS, SEVERAL)
    rows = []
    llama.model.lm_head.register_forward_hook(
        lambda _module, args, _output: rows.append(args[0].numel() // 32)
    )
    vocabulary = llama.model.lm_head.out_features
    longest = max(len(llama.tokenizer(choice)["input_ids"]) for choice in SEVERAL)
    monkeypatch.setattr(choices, "_LOGITS_AT_ONCE", 2 * longest * vocabulary)
    bounded = llama.choice_log_probs(PROMPTS, SEVERAL)
    assert len(rows) > 1
    assert max(rows) <= 2 * longest
    np.testing.assert_allclose(bounded, expected, rtol=0, atol=2e-5)


def test_prompts_beyond_those_held_at_once_are_scored_alike(encoder, monkeypatch):
    gpt2 = encoder("gpt2")
    expected = gpt2.choice_log_probs(PROMPTS, SEVERAL)
    monkeypatch.setattr(choices, "_PROMPTS_AT_ONCE", 3)
    np.testing.assert_allclose(gpt2.choice_log_probs(PROMPTS, SEVERAL), expected, rtol=0, atol=2e-5)
    assert gpt2.report()["choices"]["scored"] == 32


def test_scores_per_token_and_per_character_divide_the_sums(encoder):
    gpt2 = encoder("gpt2")
    sums = gpt2.choice_log_probs(PROMPTS, SEVERAL)
    counts = [len(gpt2.tokenizer(choice)["input_ids"]) for choice in SEVERAL]
    np.testing.assert_allclose(
        gpt2.choice_log_probs(PROMPTS, SEVERAL, per="token"), sums / counts, rtol=1e-6
    )
    characters = [3, 2, 25, 25]  # the space in front does not count
    np.testing.assert_allclose(
        gpt2.choice_log_probs(PROMPTS, SEVERAL, per="character"), sums / characters, rtol=1e-6
    )


def test_a_prompt_that_is_too_long_is_cut_on_its_left_and_counted(encoder, plain, caplog):
    gpt2 = encoder("gpt2")
    long = "It rained all day, so we stayed at home and read books." * 10
    with caplog.at_level(logging.INFO, logger="mezzanine_encoders_hf"):
        scores = gpt2.choice_log_probs([long, "It rained"], SEVERAL)
    assert gpt2.report()["choices"] == {"scored": 8, "truncated": 4, "merged": 0}
    assert "the prompts of 4 of 8 choices are too long" in caplog.text
    model, tokenizer = plain("gpt2")
    for score, choice in zip(scores[0], SEVERAL, strict=True):
        ids = tokenizer(long + choice, verbose=False)["input_ids"][-65:]  # the last is not read
        expected = sum_one_by_one(model, ids, 65 - len(tokenizer(choice)["input_ids"]))
        assert score == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([" a", ""], "after the prompt 'Is it' is empty"),
        ([], "there are no choices"),
        ([[" a"]], "choices for 1 prompts, but 2 prompts"),
        ([[" a", " b"], [" a"]], "prompt 1 has 1 choices, and prompt 0 has 2"),
        ([[], []], "there are no choices"),
        ([" a", None], "item 1 of the batch is no text"),
        ([" a", [" b"]], "item 1 of the batch is no text"),
        (" a", "not a single text"),
        ([" a" * 70], "no more than 64"),
    ],
)
def test_choices_that_cannot_be_scored_are_errors(encoder, asked, message):
    with pytest.raises(DataError, match=message):
        encoder("gpt2").choice_log_probs(["Is it", "It is"], asked)


def test_a_single_prompt_must_come_in_a_list(encoder):
    with pytest.raises(DataError, match="not a single text"):
        encoder("gpt2").choice_log_probs("Is it", [" yes"])


def test_scores_per_something_else_are_an_error(encoder):
    with pytest.raises(ConfigError, match="per='word'"):
        encoder("gpt2").choice_log_probs(["Is it"], [" yes"], per="word")


def test_choices_that_are_none_are_refused(encoder):
    with pytest.raises(DataError, match="choices of type NoneType"):
        encoder("gpt2").choice_log_probs(["Is it"], None)


def test_no_prompts_have_no_scores(encoder):
    assert encoder("gpt2").choice_log_probs([], SEVERAL).shape == (0, 4)
    assert encoder("gpt2").choice_probs([], SEVERAL).shape == (0, 4)


def test_scores_that_are_no_numbers_are_an_error(encoder):
    gpt2 = encoder("gpt2")
    gpt2.model.lm_head.weight[7] = float("nan")
    with pytest.raises(LatentError, match="gave NaN for 4 of 4 choices"):
        gpt2.choice_log_probs(["Is it"], SEVERAL)


def test_out_of_memory_halves_the_batch_and_says_so(encoder, caplog):
    gpt2 = encoder("gpt2")
    expected = gpt2.choice_log_probs(PROMPTS, SEVERAL)

    def limit(_module, args, kwargs):
        if len(read(args, kwargs)) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    gpt2.model.base_model.register_forward_pre_hook(limit, with_kwargs=True)
    with caplog.at_level(logging.WARNING, logger="mezzanine_encoders_hf"):
        scores = gpt2.choice_log_probs(PROMPTS, SEVERAL)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-5)
    assert "ran out of memory" in caplog.text
    assert f"batch_tokens={gpt2.batch_tokens}" in caplog.text
