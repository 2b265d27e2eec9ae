import json
import shutil

import numpy as np
import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.errors import DataError
from mezzanine_encoders_hf import tokens

KINDS = ("bert", "distilbert", "roberta", "gpt2", "llama", "t5")
TEXTS = [
    "The dog runs after a ball.",
    "no",
    "Stocks fell sharply on Monday, and again on Tuesday, and nobody was surprised at all.",
    "The film was far too long!",
]


@pytest.fixture(scope="session")
def tokenizer(checkpoint):
    return lambda kind: transformers.AutoTokenizer.from_pretrained(checkpoint(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_those_that_the_tokenizer_gives_each_text_alone(tokenizer, kind):
    made = tokenizer(kind)
    pieces, _ = tokens.tokenise(made, TEXTS, 12)
    for text, piece in zip(TEXTS, pieces, strict=True):
        alone = made(text, truncation=True, max_length=12)
        assert piece.tolist() == [alone[name] for name in tokens.fields(made)]


@pytest.mark.parametrize("kind", KINDS)
def test_texts_that_are_cut_off_are_those_with_too_many_tokens(tokenizer, kind):
    made = tokenizer(kind)
    counts = tokens.count_tokens(made, TEXTS)
    for length in (int(counts.max()) - 1, int(counts.max()), int(np.sort(counts)[-2])):
        pieces, truncated = tokens.tokenise(made, TEXTS, length)
        assert truncated == (counts > length).sum()
        assert [piece.shape[1] for piece in pieces] == np.minimum(counts, length).tolist()


def test_a_tokenizer_in_python_cuts_and_counts_as_well():
    made = transformers.ByT5Tokenizer()
    assert not made.is_fast
    pieces, truncated = tokens.tokenise(made, ["abcdefgh", "abc", ""], 5)
    assert [piece.tolist() for piece in pieces] == [
        [[100, 101, 102, 103, 1]],
        [[100, 101, 102, 1]],
        [[1]],
    ]
    assert truncated == 1
    assert tokens.count_tokens(made, ["abcdefgh", "abc", ""]).tolist() == [9, 4, 1]


def test_tokens_of_many_texts_are_counted_in_their_order(tokenizer):
    texts = ["dog " * (number % 7) for number in range(3000)]
    counts = tokens.count_tokens(tokenizer("bert"), texts)
    assert counts.tolist() == [2 + number % 7 for number in range(3000)]


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    side=st.sampled_from(["left", "right"]),
    fields=st.integers(1, 2),
)
def test_padding_surrounds_texts_and_leaves_them_whole(lengths, side, fields):
    pieces = [np.full((fields, length), length + 10) for length in lengths]
    values, mask = tokens.pad(pieces, side, 7)
    assert values.shape == (fields, len(lengths), max(lengths))
    for row, piece in enumerate(pieces):
        assert (values[:, row, mask[row]] == piece).all()
        assert mask[row].sum() == piece.shape[1]
        assert mask[row, 0 if side == "right" else -1]
        assert (values[0, row, ~mask[row]] == 7).all()
        assert (values[1:, row, ~mask[row]] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_limit_is_what_tokenizer_and_positions_allow(tokenizer, checkpoint, kind):
    made = tokenizer(kind)
    config = transformers.AutoConfig.from_pretrained(checkpoint(kind))
    assert tokens.length_limit(config, made) == 64
    made.model_max_length = 30
    assert tokens.length_limit(config, made) == 30


@pytest.mark.parametrize(
    ("kind", "limit"),
    [("bert", 64), ("distilbert", 64), ("roberta", 64), ("gpt2", 64), ("llama", 64), ("t5", None)],
)
def test_without_a_tokenizer_limit_positions_decide(checkpoint, tmp_path, kind, limit):
    folder = shutil.copytree(checkpoint(kind), tmp_path / kind)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["model_max_length"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    made = transformers.AutoTokenizer.from_pretrained(folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    assert tokens.length_limit(config, made) == limit


@pytest.mark.parametrize(
    ("config", "offset"),
    [
        (transformers.RobertaConfig, 2),
        (transformers.XLMRobertaConfig, 2),
        (transformers.MPNetConfig, 2),
        (transformers.BertConfig, 0),
        (transformers.ElectraConfig, 0),
        (transformers.OPTConfig, 0),
        (transformers.GPT2Config, 0),
    ],
)
def test_families_that_number_positions_from_their_padding_have_fewer(config, offset):
    small = config(
        num_hidden_layers=1, hidden_size=8, num_attention_heads=2, max_position_embeddings=20
    )
    assert tokens.position_offset(small) == offset


@pytest.mark.parametrize("item", [None, 3, 1.5, b"bytes", ["a", "list"]])
def test_an_item_that_is_no_text_is_named_with_its_place_and_type(item):
    with pytest.raises(DataError, match=f"item 1 .*{type(item).__name__}"):
        tokens.as_texts(["a text", item])


def test_a_text_in_place_of_a_batch_is_refused():
    with pytest.raises(DataError, match="batches of texts"):
        tokens.as_texts("a text")


@pytest.mark.parametrize("batch", [None, 3])
def test_what_is_no_batch_is_refused(batch):
    with pytest.raises(DataError, match=f"not {type(batch).__name__}"):
        tokens.as_texts(batch)


def test_a_text_that_is_no_unicode_is_named():
    with pytest.raises(DataError, match=r"item 2 .*surrogates"):
        tokens.as_texts(["fine", "also fine: 😀", "broken: \ud800"])


def test_numpy_texts_are_texts():
    assert tokens.as_texts(np.array(["one", "two"])) == ["one", "two"]
