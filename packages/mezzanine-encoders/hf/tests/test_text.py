import json
import logging
import os
import shutil
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_encoders_hf import batching
from mezzanine_encoders_hf.config import HFLanguageConfig
from mezzanine_encoders_hf.errors import ModelFilesError, UnsuitableModelError
from mezzanine_encoders_hf.language import HFLanguage

KINDS = ("bert", "distilbert", "roberta", "gpt2", "llama", "t5")
TEXTS = [
    "The dog runs after a ball in the park, and nobody was surprised.",
    "no",
    "Stocks fell sharply on Monday as investors worried about rising oil prices, again and again.",
    "The film was far too long!",
    "Is the answer yes or no?",
    "One, two, three, four, five: 1 2 3 4 5 6 7 8 9 0. " * 4,
    " white  space ",
    "Ünïcode 北京 😀",
]


def language(folder, **settings):
    return HFLanguage(HFLanguageConfig(name="hf_language", model_name=str(folder), **settings))


class LeftPadded(HFLanguage):
    """Pads on the left, as causal models may."""

    @property
    def _padding_side(self):
        return "left"


@pytest.fixture(scope="session")
def alone(checkpoint):
    """An encoder of each kind, and the latents of each of TEXTS when it is encoded alone."""
    known = {}

    def make(kind):
        if kind not in known:
            encoder = language(checkpoint(kind))
            known[kind] = encoder, np.concatenate([encoder.encode([text]) for text in TEXTS])
        return known[kind]

    return make


def rows_of_forward_passes(encoder):
    """Counts the texts, as tuples of tokens, that the real model is given from now on."""
    seen = Counter()

    def count(_module, _args, inputs):
        for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True):
            seen[tuple(ids[mask.bool()].tolist())] += 1

    encoder.encode(["What loads the model."])
    encoder.model.register_forward_pre_hook(count, with_kwargs=True)
    return seen


@settings(deadline=None, max_examples=15)
@given(
    kind=st.sampled_from(KINDS),
    picks=st.lists(st.integers(0, len(TEXTS) - 1), max_size=24),
    cuts=st.lists(st.integers(0, 24), max_size=4),
    budget=st.integers(1, 600),
)
def test_a_text_has_the_same_latent_whatever_the_batches_around_it(
    checkpoint, alone, kind, picks, cuts, budget
):
    expected = alone(kind)[1][picks]
    borders = [0, *sorted(min(cut, len(picks)) for cut in cuts), len(picks)]
    parts = [picks[start:end] for start, end in pairwise(borders)]
    encoder = language(checkpoint(kind), batch_tokens=budget)
    given_back = list(encoder.encode_stream([TEXTS[pick] for pick in part] for part in parts))
    assert [len(latents) for latents in given_back] == [len(part) for part in parts]
    assert all(latents.dtype == np.float32 for latents in given_back)
    latents = np.concatenate(given_back)
    np.testing.assert_allclose(latents, expected, rtol=0, atol=1e-5)


def test_a_text_has_the_same_latent_of_real_weights_whatever_the_batches_around_it(minilm):
    encoder = language(minilm, max_length=64)
    together = encoder.encode(TEXTS)
    apart = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, apart, rtol=0, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1])[::-1], together, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "bert", "roberta", "t5"])
def test_padding_on_the_left_changes_no_latent(checkpoint, alone, kind):
    config = HFLanguageConfig(name="hf_language", model_name=str(checkpoint(kind)))
    latents = LeftPadded(config).encode(TEXTS)
    np.testing.assert_allclose(latents, alone(kind)[1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_encoding_leaves_a_tokenizer_without_padding_token_as_it_was(alone, kind):
    encoder, _ = alone(kind)
    encoder.encode(TEXTS)
    assert encoder.tokenizer.pad_token is None


@pytest.mark.parametrize("family", ["ConvBert", "FNet"])
def test_a_model_that_padding_disturbs_has_the_same_latent_of_a_text_in_every_batch(touchy, family):
    encoder = language(touchy(family))
    apart = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode(TEXTS), apart, rtol=0, atol=1e-5)
    mixed = list(encoder.encode_stream([TEXTS[3:], TEXTS[:5], [*TEXTS[::2], "yes"]]))
    for latents, expected in zip(mixed, (apart[3:], apart[:5], apart[::2]), strict=True):
        np.testing.assert_allclose(latents[: len(expected)], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_model_that_padding_disturbs_is_given_texts_of_equal_length_together(
    touchy, caplog, dtype
):
    encoder = language(touchy("ConvBert"), dtype=dtype)
    with caplog.at_level(logging.INFO, "mezzanine_encoders_hf.text"):
        encoder.encode(["What loads the model."])
        shapes = []
        encoder.model.register_forward_pre_hook(
            lambda _module, _args, inputs: shapes.append(tuple(inputs["input_ids"].shape)),
            with_kwargs=True,
        )
        encoder.encode(["no", "is the dog", "yes", "is the ball", "the"])
    counts = Counter(encoder.count_tokens(["no", "is the dog", "yes", "is the ball", "the"]))
    assert sorted(shapes) == sorted((rows, length) for length, rows in counts.items())
    assert max(counts.values()) > 1
    assert caplog.text.count("is not indifferent to padding") == 1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_padding_leaves_alone_is_given_texts_of_all_lengths_together(
    checkpoint, caplog, kind, dtype
):
    encoder = language(checkpoint(kind), dtype=dtype)
    with caplog.at_level(logging.INFO, "mezzanine_encoders_hf.text"):
        encoder.encode(TEXTS[:4])
    assert "padding" not in caplog.text


def test_a_stream_of_small_batches_gives_the_latents_of_one_large_batch(checkpoint):
    encoder = language(checkpoint("bert"))
    texts = [f"{text} {number}" for number in range(9) for text in TEXTS]
    starts = range(0, len(texts), encoder.batch_rows)
    stream = [texts[start : start + encoder.batch_rows] for start in starts]
    assert len(stream) > 1
    latents = np.concatenate(list(encoder.encode_stream(stream)))
    np.testing.assert_array_equal(latents, encoder.encode(texts))


def test_passes_side_by_side_give_the_latents_of_one_after_the_other(checkpoint):
    encoder = language(checkpoint("bert"), batch_tokens=40)
    texts = [f"{text} {number}" for number in range(9) for text in TEXTS]
    before = torch.get_num_threads()
    latents = {}
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            latents[threads] = encoder.encode(texts)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(latents[3], latents[1], atol=1e-5)


def test_equal_texts_of_a_window_are_encoded_once(checkpoint):
    encoder = language(checkpoint("bert"))
    seen = rows_of_forward_passes(encoder)
    batches = [TEXTS[:3], [TEXTS[1]] * 5, [*TEXTS[2:5], TEXTS[0]]]
    latents = list(encoder.encode_stream(batches))
    assert len(seen) == 5
    assert set(seen.values()) == {1}
    assert (latents[1] == latents[0][1]).all()
    assert (latents[2][[0, 3]] == latents[0][[2, 0]]).all()


def test_no_forward_pass_exceeds_the_token_budget(checkpoint):
    encoder = language(checkpoint("bert"), batch_tokens=40)
    encoder.encode(["What loads the model."])
    sizes = []
    encoder.model.register_forward_pre_hook(
        lambda _module, _args, inputs: sizes.append(tuple(inputs["input_ids"].shape)),
        with_kwargs=True,
    )
    encoder.encode(TEXTS)
    assert len(sizes) > 1
    assert all(rows * longest <= 40 or rows == 1 for rows, longest in sizes)


def test_a_stream_reads_no_further_ahead_than_a_window(checkpoint, monkeypatch):
    monkeypatch.setattr(batching, "_MOST_TOKENS", 30)
    encoder = language(checkpoint("bert"))
    taken = []

    def batches():
        for number in range(6):
            taken.append(number)
            yield [f"the dog runs {number} {word}" for word in ("here", "there")]

    held = [len(taken) - given for given, _ in enumerate(encoder.encode_stream(batches()))]
    tokens = encoder.count_tokens(["the dog runs 0 here", "the dog runs 0 there"]).sum()
    assert max(held) == -(-30 // tokens)
    assert len(held) == 6


def test_a_stream_may_be_left_early(checkpoint, monkeypatch):
    monkeypatch.setattr(batching, "_MOST_TOKENS", 1)
    encoder = language(checkpoint("bert"))
    stream = encoder.encode_stream([text] for text in TEXTS)
    first = next(stream)
    stream.close()
    assert (first == encoder.encode(TEXTS[:1])).all()


def test_an_empty_stream_gives_nothing_and_loads_nothing(checkpoint):
    encoder = language(checkpoint("bert"))
    assert list(encoder.encode_stream([])) == []
    assert "model" not in vars(encoder)


def test_an_empty_batch_gives_no_latents(checkpoint):
    encoder = language(checkpoint("bert"))
    latents = list(encoder.encode_stream([[], TEXTS[:2], []]))
    assert [array.shape for array in latents] == [(0, 32), (2, 32), (0, 32)]


def test_texts_over_max_length_are_counted_once_each_and_reported(checkpoint):
    encoder = language(checkpoint("bert"), max_length=10)
    counts = encoder.count_tokens(TEXTS)
    encoder.encode([*TEXTS, *TEXTS])
    long = int((counts > 10).sum())
    assert 0 < long < len(TEXTS)
    assert encoder.report()["texts"] == {
        "encoded": len(TEXTS),
        "truncated": long,
        "max_length": 10,
    }
    json.dumps(encoder.report())


def test_texts_that_were_cut_off_are_logged_once_a_stream(checkpoint, monkeypatch, caplog):
    monkeypatch.setattr(batching, "_MOST_TOKENS", 1)
    encoder = language(checkpoint("bert"), max_length=10)
    long = int((encoder.count_tokens(TEXTS) > 10).sum())
    line = f"of the {len(TEXTS)} texts encoded {long} are longer than max_length=10 tokens"
    with caplog.at_level(logging.INFO, "mezzanine_encoders_hf.text"):
        for _ in range(2):
            list(encoder.encode_stream([text] for text in TEXTS))
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"{line} and were cut off"] * 2


def test_nothing_is_logged_where_no_text_is_cut_off(checkpoint, caplog):
    encoder = language(checkpoint("bert"))
    with caplog.at_level(logging.INFO, "mezzanine_encoders_hf.text"):
        encoder.encode(TEXTS[:5])
    assert caplog.records == []
    assert encoder.report()["texts"]["truncated"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_is_cut_off_is_what_the_tokenizer_leaves_of_it(checkpoint, kind):
    folder = checkpoint(kind)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(TEXTS[5], truncation=True, max_length=12, return_tensors="pt")["input_ids"]
    model = transformers.AutoModel.from_pretrained(folder).eval()
    model = model.get_encoder() if model.config.is_encoder_decoder else model
    with torch.inference_mode():
        expected = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    latents = language(folder, max_length=12).encode([TEXTS[5]])
    np.testing.assert_allclose(latents, expected.mean(dim=1).numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta", "llama", "t5"])
def test_the_empty_text_is_its_special_tokens(alone, kind):
    encoder, _ = alone(kind)
    special = encoder.tokenizer.num_special_tokens_to_add()
    assert encoder.count_tokens([""]).tolist() == [special]
    assert np.isfinite(encoder.encode(["", "A text."])).all()


def test_a_text_without_any_token_is_an_error_that_names_its_place(alone):
    encoder, _ = alone("gpt2")
    assert encoder.count_tokens(["", "dog"])[0] == 0
    with pytest.raises(DataError, match="item 2 of the batch, '', is no token"):
        encoder.encode(["dog", "dog", ""])


@pytest.mark.parametrize("bad", ["", None])
def test_latents_of_the_batches_before_a_bad_text_are_not_lost(alone, bad):
    encoder, _ = alone("gpt2")
    stream = encoder.encode_stream([TEXTS[:3], TEXTS[3:5], ["dog", bad], TEXTS[5:]])
    given_back = [next(stream), next(stream)]
    with pytest.raises(DataError, match="item 1 of the batch"):
        next(stream)
    for latents, texts in zip(given_back, (TEXTS[:3], TEXTS[3:5]), strict=True):
        np.testing.assert_allclose(latents, encoder.encode(texts), rtol=0, atol=1e-5)


def test_a_tokenizer_with_more_ids_than_the_model_is_an_error_that_names_both(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "bert")
    known = json.loads((folder / "config.json").read_text())["vocab_size"]
    content = json.loads((folder / "tokenizer.json").read_text())
    content["model"]["vocab"]["zzz"] = known + 50
    (folder / "tokenizer.json").write_text(json.dumps(content))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "vocab.txt").unlink()
    with pytest.raises(UnsuitableModelError, match=rf"id {known + 50}\b.* {known} ids"):
        language(folder).encode(["the zzz"])


def test_an_item_that_is_no_text_is_an_error_that_names_its_place(alone):
    encoder, _ = alone("bert")
    for use in (encoder.encode, encoder.count_tokens):
        with pytest.raises(DataError, match=r"item 1 .*NoneType"):
            use(["dog", None])


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_of_the_default_max_length_fits_the_model(checkpoint, tmp_path, kind):
    folder = shutil.copytree(checkpoint(kind), tmp_path / kind)
    content = json.loads((folder / "tokenizer_config.json").read_text())
    del content["model_max_length"]
    (folder / "tokenizer_config.json").write_text(json.dumps(content))
    encoder = language(folder)
    assert encoder.max_length == (512 if kind == "t5" else 64)
    latents = encoder.encode([TEXTS[5] * 20, "Short."])
    assert np.isfinite(latents).all()
    assert encoder.report()["texts"]["truncated"] == 1


def test_a_max_length_above_the_models_is_an_error_that_names_both(checkpoint):
    with pytest.raises(ConfigError, match=r"max_length=65\b.* at most 64 tokens"):
        language(checkpoint("roberta"), max_length=65).encode(TEXTS)


@pytest.mark.parametrize(("kind", "special"), [("bert", 2), ("llama", 1)])
def test_a_max_length_without_room_for_a_text_is_an_error(checkpoint, kind, special):
    with pytest.raises(ConfigError, match=f"max_length={special} leaves no room"):
        language(checkpoint(kind), max_length=special).encode(TEXTS)
    assert language(checkpoint(kind), max_length=special + 1).encode(TEXTS).shape == (8, 32)


def test_all_but_encoding_does_without_sound_weights(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "bert")
    (folder / "model.safetensors").write_bytes(b"no weights")
    encoder = language(folder)
    assert encoder.dim == 32
    assert encoder.max_length == 64
    assert len(encoder.fingerprint()) == 64
    assert encoder.count_tokens(["dog"]).tolist() == [3]
    assert encoder.report()["texts"]["encoded"] == 0
    with pytest.raises(ModelFilesError):
        encoder.encode(["dog"])


_SHORT_OF_MEMORY = """
import json, logging, resource, sys
import numpy as np
import torch
from mezzanine_encoders_hf.config import HFLanguageConfig
from mezzanine_encoders_hf.language import HFLanguage

torch.set_num_threads(1)
logging.basicConfig(level=logging.WARNING, format="%(message)s")
config = HFLanguageConfig(name="hf_language", model_name=sys.argv[1], batch_tokens=1 << 21)
encoder = HFLanguage(config)
words = ["dog", "ball", "park", "film", "oil", "rain", "home", "books"]
texts = [" ".join(words[(n >> shift) & 7] for shift in range(0, 39, 3)) for n in range(24000)]
# Code and buffers that libraries load with the first batch of a size are address space too: they
# are there before the limit, which leaves room for what they need for further sizes.
encoder.encode(texts[:2000])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20), resource.RLIM_INFINITY))
latents = encoder.encode(texts)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
config = HFLanguageConfig(name="hf_language", model_name=sys.argv[1])
apart = HFLanguage(config).encode(texts)
print(json.dumps([float(np.abs(latents - apart).max()), encoder.batch_tokens]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
def test_a_batch_that_runs_out_of_memory_is_halved_and_said(checkpoint):
    done = subprocess.run(
        [sys.executable, "-c", _SHORT_OF_MEMORY, str(checkpoint("bert"))],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "TOKENIZERS_PARALLELISM": "false",
            # glibc would keep what large tensors leave, and the address space with it.
            "MALLOC_ARENA_MAX": "1",
            "MALLOC_MMAP_THRESHOLD_": "65536",
        },
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    difference, budget = json.loads(done.stdout.splitlines()[-1])
    assert difference < 1e-5
    assert 0 < budget < 1 << 21
    said = [line for line in done.stderr.splitlines() if "ran out of memory" in line]
    assert len(said) == 1
    assert f"goes on with batch_tokens={budget}" in said[0]
