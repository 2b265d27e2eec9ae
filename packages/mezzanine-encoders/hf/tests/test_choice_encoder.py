"""A causal language model's answers as latents that a run encodes, caches and reports."""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import GPT2LMHeadModel

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.cache import LatentCache
from mezzanine_core.encoders import Latents, ScoresChoices
from mezzanine_core.errors import ConfigError, DataError, LatentError
from mezzanine_core.latents import encode_column
from mezzanine_core.progress import Progress
from mezzanine_core.results import CacheCounts
from mezzanine_core.worlds import ArrayColumn
from mezzanine_encoders_hf import batching
from mezzanine_encoders_hf.causal import HFCausalLM
from mezzanine_encoders_hf.choice_encoder import ChoiceEncoder
from mezzanine_encoders_hf.config import HFCausalLMConfig

PROMPTS = [
    "Is the answer yes or no? The answer is",
    "Stocks fell",
    "Chess players think several moves ahead of their opponents. True or false:",
    "It rained all day, so we stayed at home and read books. " * 8,
    "a",
]
CHOICES = (" yes", " no", " the dog runs after a ball")
KINDS = pytest.mark.parametrize("kind", ["gpt2", "llama"])

Make = Callable[..., HFCausalLM]


@pytest.fixture(scope="session")
def lm(checkpoint: Callable[[str], Path]) -> Make:
    def make(kind: str = "gpt2", **settings: Any) -> HFCausalLM:
        return HFCausalLM(
            HFCausalLMConfig(name="hf_causal_lm", model_name=str(checkpoint(kind)), **settings)
        )

    return make


@pytest.fixture(scope="session")
def used(lm: Make) -> ChoiceEncoder:
    """An encoder of choices, and what has been scored with it is of no matter."""
    return lm().choice_encoder(CHOICES)


def close(one: Latents, other: Any) -> None:
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


@KINDS
def test_latents_are_the_log_probabilities_of_the_choices_in_their_order(
    lm: Make, kind: str
) -> None:
    one = lm(kind)
    for choices in (CHOICES, CHOICES[::-1]):
        encoder = one.choice_encoder(choices)
        latents = encoder.encode(PROMPTS)
        assert latents.dtype == np.float32
        assert latents.shape == (len(PROMPTS), encoder.dim)
        close(latents, one.choice_log_probs(PROMPTS, choices))


@settings(deadline=None, max_examples=15)
@given(
    picks=st.lists(st.integers(0, len(PROMPTS) - 1), max_size=20),
    cuts=st.lists(st.integers(0, 20), max_size=4),
)
def test_however_prompts_come_in_batches_each_has_its_own_latent(
    used: ChoiceEncoder, picks: list[int], cuts: list[int]
) -> None:
    bounds = sorted({0, *(cut for cut in cuts if cut < len(picks)), len(picks)})
    batches = [[PROMPTS[i] for i in picks[start:end]] for start, end in pairwise(bounds)]
    streamed = list(used.encode_stream(batches))
    assert [len(latents) for latents in streamed] == [len(batch) for batch in batches]
    alone = [used.encode([prompt]) for prompt in PROMPTS]
    for batch, latents in zip(batches, streamed, strict=True):
        for prompt, latent in zip(batch, latents, strict=True):
            close(latent, alone[PROMPTS.index(prompt)][0])


def test_equal_prompts_of_a_stream_are_scored_once(
    lm: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "_MOST_TOKENS", 1)  # each batch is a window
    encoder = lm().choice_encoder(CHOICES)
    batches = [[PROMPTS[0], PROMPTS[1]], [PROMPTS[1]], [PROMPTS[0], PROMPTS[4], PROMPTS[4]]]
    latents = list(encoder.encode_stream(batches))
    assert encoder.report()["choices"]["scored"] == 3 * len(CHOICES)
    assert (latents[1][0] == latents[0][1]).all()


def test_prompts_are_gathered_over_batches(used: ChoiceEncoder) -> None:
    taken = 0

    def batches() -> Any:
        nonlocal taken
        for prompt in PROMPTS:
            taken += 1
            yield [prompt]

    next(used.encode_stream(batches()))
    assert taken == len(PROMPTS)


def test_the_model_is_loaded_once_for_latents_and_all_choices(lm: Make) -> None:
    def models() -> int:
        gc.collect()
        return sum(type(thing) is GPT2LMHeadModel for thing in gc.get_objects())

    before = models()
    one = lm()
    encoders = [one.choice_encoder(choices) for choices in (CHOICES, CHOICES[:2])]
    for encoder in encoders:
        encoder.encode(PROMPTS)
    one.encode(PROMPTS)
    assert encoders[0].model is encoders[1].model is one.model
    assert models() == before + 1


def test_the_language_model_moves_with_the_encoder(lm: Make) -> None:
    one = lm()
    encoder = one.choice_encoder(CHOICES)
    assert encoder.to("meta") is encoder
    assert one.device.type == "meta"


def test_the_fingerprint_names_what_changes_the_scores_and_nothing_else(lm: Make) -> None:
    def name(choices: tuple[str, ...] = CHOICES, kind: str = "gpt2", **settings: Any) -> str:
        one = lm(kind, **settings)
        found = one.choice_encoder(choices).fingerprint()
        assert "model" not in vars(one)  # known without weights
        return found

    others = [
        name(CHOICES[::-1]),
        name(CHOICES[:2]),
        name(kind="llama"),
        name(max_length=32),
        name(dtype="bfloat16"),
        lm().fingerprint(),
    ]
    assert len({name(), *others}) == len(others) + 1
    assert name() == name(embed_layer=1, embed_mode="mean") == name(padding_side="left")
    assert name() == name(batch_tokens=64) == name(max_length=64)  # which is the model's limit


def through_cache(encoder: ChoiceEncoder, root: Path) -> tuple[Latents, CacheCounts]:
    column = ArrayColumn([*PROMPTS, PROMPTS[1]], "text")
    with LocalExecutor(LocalConfig(workers=1)) as executor, Progress(quiet=True) as progress:
        return encode_column(
            column, encoder, LatentCache(root), executor, progress, label="choices"
        )


def test_scores_are_cached_and_read_without_the_model(lm: Make, tmp_path: Path) -> None:
    first, counts = through_cache(lm().choice_encoder(CHOICES), tmp_path)
    assert counts.encoded == len(PROMPTS)
    again = lm()
    second, counts = through_cache(again.choice_encoder(CHOICES), tmp_path)
    assert (counts.encoded, counts.cached) == (0, len(PROMPTS))
    assert "model" not in vars(again)
    assert (first == second).all()
    close(first, lm().choice_log_probs([*PROMPTS, PROMPTS[1]], CHOICES))
    cards = [json.loads(file.read_text()) for file in tmp_path.rglob("*.json")]
    assert any(list(CHOICES) == _choices(card) for card in cards)


def _choices(card: Any) -> Any:
    """The choices that a card of the cache names, wherever in it the encoder's settings are."""
    if not isinstance(card, dict):
        return None
    found = [card.get("choices"), *map(_choices, card.values())]
    return next((one for one in found if one), None)


def test_the_report_is_of_the_choices_and_can_be_written_as_json(lm: Make) -> None:
    encoder = lm().choice_encoder(CHOICES)
    before = json.loads(json.dumps(encoder.report()))
    assert before["choices"] == {"texts": list(CHOICES), "scored": 0, "truncated": 0, "merged": 0}
    encoder.encode(PROMPTS)
    after = encoder.report()
    assert after["choices"]["scored"] == len(PROMPTS) * len(CHOICES)
    assert after["choices"]["truncated"] == len(CHOICES)
    assert after["model"] == before["model"]
    assert "texts" not in after


def test_what_was_cut_off_is_said_once_for_a_stream(
    lm: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "_MOST_TOKENS", 1)  # each batch is a window
    long = [[f"{number}, {PROMPTS[3]}"] for number in range(3)]
    with caplog.at_level(logging.INFO):
        list(lm().choice_encoder(CHOICES).encode_stream(long))
    (line,) = [one for one in caplog.messages if "cut off on the left" in one]
    assert "9 of 9 choices" in line


@pytest.mark.parametrize(
    "choices", [(), " yes", ("",), (" yes", ""), (" yes", 1), (" yes", " no", " yes")]
)
def test_choices_that_cannot_be_told_apart_or_scored_are_refused(lm: Make, choices: Any) -> None:
    with pytest.raises(ConfigError, match="choices"):
        lm().choice_encoder(choices)


def test_latents_of_batches_before_one_that_cannot_be_used_are_given(used: ChoiceEncoder) -> None:
    batches: list[Any] = [PROMPTS[:2], [PROMPTS[4], 7], PROMPTS[2:]]
    stream = used.encode_stream(batches)
    close(next(stream), used.encode(PROMPTS[:2]))
    with pytest.raises(DataError, match="item 1 of the batch is no text"):
        next(stream)


def test_an_empty_batch_has_no_latents_and_an_empty_stream_loads_no_model(lm: Make) -> None:
    one = lm()
    encoder = one.choice_encoder(CHOICES)
    assert list(encoder.encode_stream([])) == []
    assert "model" not in vars(one)
    assert encoder.encode([]).shape == (0, len(CHOICES))


def test_a_choice_that_the_model_never_says_is_an_error(lm: Make) -> None:
    one = lm()
    (never,) = one.tokenizer(" yes")["input_ids"][:1]

    def forbid(_module: Any, _args: Any, logits: torch.Tensor) -> torch.Tensor:
        return logits.index_fill(-1, torch.tensor([never]), -torch.inf)

    one.model.get_output_embeddings().register_forward_hook(forbid)  # type: ignore[operator]
    with pytest.raises(LatentError, match=r"log p\(' yes'\) is -inf after item 0"):
        one.choice_encoder(CHOICES).encode(PROMPTS)


def test_causal_language_models_score_choices(lm: Make) -> None:
    assert isinstance(lm(), ScoresChoices)
