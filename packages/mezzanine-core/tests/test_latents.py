import logging
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.cache import LatentCache
from mezzanine_core.config import EncoderConfig
from mezzanine_core.encoders import Encoder
from mezzanine_core.errors import CacheError, LatentError, PluginError
from mezzanine_core.latents import encode_column
from mezzanine_core.progress import Progress
from mezzanine_core.worlds import ArrayColumn, Column

DIM = 3


class Linear(Encoder[EncoderConfig]):
    """A fixed linear map that remembers which items it was given."""

    accepts = frozenset({"vector"})
    dim = DIM

    def __init__(self, name="linear", break_at=None, broken=np.nan):
        super().__init__(EncoderConfig(name=name))
        self.seen = []
        self.break_at = break_at
        self.broken = broken

    def fingerprint(self):
        return f"fingerprint-of-{self.config.name}"

    def encode(self, batch):
        latents = truth(batch)
        for item, latent in zip(batch, latents, strict=True):
            if item[0] == self.break_at:
                latent[1] = self.broken
            self.seen.append(item[0])
        return latents


class Batches(ArrayColumn):
    """Gives rows in small batches, the last rows first, and remembers what it was asked for."""

    _FETCH_ROWS = 4

    def fetch(self, rows, executor):
        self.asked = rows.tolist()
        yield from super().fetch(rows[::-1], executor)


def truth(items):
    return np.ascontiguousarray(items[:, :1] * np.arange(1, DIM + 1, dtype=np.float32))


def vectors(values):
    return np.array([[value, -value] for value in values], np.float32).reshape(-1, 2)


def column(values):
    return Batches(vectors(values), "vector")


def encode(column, encoder, cache, label="items"):
    with LocalExecutor(LocalConfig(workers=1)) as executor, Progress(quiet=True) as progress:
        return encode_column(column, encoder, cache, executor, progress, label=label)


def counts(**values):
    names = ("requested", "unique", "cached", "materialised", "encoded")
    return tuple(values[name] for name in names)


@settings(max_examples=30, deadline=None)
@given(
    first=st.lists(st.integers(0, 30), max_size=40),
    second=st.lists(st.integers(0, 30), max_size=40),
    segment_rows=st.integers(1, 12),
)
def test_each_item_is_encoded_once_and_comes_back_in_the_columns_order(first, second, segment_rows):
    """Whatever repeats within a request or between two, and however segments cut it."""
    with TemporaryDirectory() as root:
        encoder = Linear()
        done = set()
        for values in (first, second, second):
            encoder.seen.clear()
            cache = LatentCache(root, segment_bytes=segment_rows * 4 * DIM)
            latents, made = encode(column(values), encoder, cache)
            np.testing.assert_array_equal(latents, truth(vectors(values)))
            assert latents.shape == (len(values), DIM)
            new = set(values) - done
            assert sorted(encoder.seen) == sorted(new)
            assert tuple(made.model_dump().values()) == counts(
                requested=len(values),
                unique=len(set(values)),
                cached=len(set(values) - new),
                materialised=len(new),
                encoded=len(new),
            )
            done |= new


def test_where_everything_is_cached_nothing_is_fetched_encoded_or_written(tmp_path):
    cache = LatentCache(tmp_path)
    encode(column(range(9)), Linear(), cache)
    files = sorted(tmp_path.rglob("*"))

    class Untouchable(ArrayColumn):
        def fetch(self, rows, executor):
            raise AssertionError("an item was materialised")

    encoder = Linear()
    latents, made = encode(Untouchable(vectors(range(9)), "vector"), encoder, cache)
    np.testing.assert_array_equal(latents, truth(vectors(range(9))))
    assert (made.materialised, made.encoded, encoder.seen) == (0, 0, [])
    assert sorted(tmp_path.rglob("*")) == files


def test_only_one_row_of_each_missing_item_is_asked_for(tmp_path):
    cache = LatentCache(tmp_path)
    encode(column([1, 2]), Linear(), cache)
    asked = column([5, 1, 5, 6, 2, 6, 7])
    encode(asked, Linear(), cache)
    assert asked.asked == [0, 3, 6]


def test_another_encoder_shares_nothing(tmp_path):
    cache = LatentCache(tmp_path)
    encode(column([1, 2]), Linear("one"), cache)
    assert encode(column([1, 2]), Linear("two"), cache)[1].encoded == 2


def test_half_precision_gives_the_same_latents_fresh_and_cached(tmp_path):
    values = np.random.default_rng(0).standard_normal(50)
    fresh, made = encode(column(values), Linear(), LatentCache(tmp_path, dtype="float16"))
    cached, _ = encode(column(values), Linear(), LatentCache(tmp_path))
    assert made.encoded == 50
    np.testing.assert_array_equal(fresh, cached)
    assert (fresh != truth(vectors(values))).any()


def test_a_damaged_segment_is_encoded_anew_with_a_warning(tmp_path, caplog):
    cache = LatentCache(tmp_path, segment_bytes=4 * 4 * DIM)
    encode(column(range(12)), Linear(), cache)
    chunk = sorted(tmp_path.glob("*/segments/*/latents/c.0.0"))[0]
    chunk.write_bytes(b"\1" * len(chunk.read_bytes()))
    encoder = Linear()
    with caplog.at_level(logging.WARNING):
        latents, made = encode(column(range(12)), encoder, LatentCache(tmp_path))
    np.testing.assert_array_equal(latents, truth(vectors(range(12))))
    assert (made.cached, made.encoded, len(encoder.seen)) == (8, 4, 4)
    assert "is corrupt" in caplog.text
    latents, made = encode(column(range(12)), Linear(), LatentCache(tmp_path))
    np.testing.assert_array_equal(latents, truth(vectors(range(12))))
    assert made.encoded == 0, "what was encoded anew is read from its new segment"


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_latent_that_is_not_finite_names_its_item(tmp_path, broken):
    items = column([4, 5, 6, 7, 8, 9])
    with pytest.raises(LatentError, match="encoder 'linear' gave NaN or infinite values") as caught:
        encode(items, Linear(break_at=5, broken=broken), LatentCache(tmp_path))
    assert f"row 1 (key {items.keys[1].tobytes().hex()})" in str(caught.value)
    assert caught.value.hint is not None
    found = LatentCache(tmp_path).find(Linear().fingerprint(), items.keys)
    assert not found[1]


def test_constant_latents_are_cached_without_complaint(tmp_path):
    """That they are useless is for the recipe to say, which knows what they are for."""

    class Constant(Linear):
        def encode(self, batch):
            return np.ones((len(batch), DIM), np.float32)

    assert encode(column(range(5)), Constant(), LatentCache(tmp_path))[1].encoded == 5


@pytest.mark.parametrize(
    ("output", "what"),
    [
        (lambda n: np.ones((n, DIM + 1), np.float32), r"float32 \[4, 4\] .* expected float32"),
        (lambda n: np.ones((n + 1, DIM), np.float32), r"float32 \[5, 3\]"),
        (lambda n: np.ones(n, np.float32), r"float32 \[4\]"),
        (lambda n: np.ones((n, DIM)), r"float64 \[4, 3\]"),
        (lambda n: [[1.0] * DIM] * n, "gave a list"),
    ],
)
def test_an_encoder_that_gives_something_else_is_told_what_is_expected(tmp_path, output, what):
    class Wrong(Linear):
        def encode(self, batch):
            return output(len(batch))

    with pytest.raises(LatentError, match=what):
        encode(column(range(8)), Wrong(), LatentCache(tmp_path))
    assert LatentCache(tmp_path).ls()[0].rows == 0


class Disloyal(Column):
    """A column whose batches are what a test says."""

    kind = "vector"

    def __init__(self, n, batches):
        self.keys = np.random.default_rng(0).integers(0, 256, (n, 16), dtype=np.uint8)
        self.batches = batches

    def fetch(self, rows, executor):
        for given_rows, items in self.batches:
            yield np.array(given_rows), vectors(range(items))


@pytest.mark.parametrize(
    ("batches", "what"),
    [
        ([([0, 1], 2)], "left out 2 of 4 rows, row 2 first"),
        ([], "left out 4 of 4 rows, row 0 first"),
        ([([0, 1, 2, 3], 4), ([1], 1)], "gave row 1 twice"),
        ([([0, 0, 1, 2, 3], 5)], "gave a row twice in one batch"),
        ([([0, 1, 2, 3, 4], 5)], "gave row 4 twice, or without being asked"),
        ([([-1, 1, 2, 3], 4)], "gave row -1 twice, or without being asked"),
        ([([0, 1, 2, 3], 3)], r"gave 3 items for row numbers int64 \[4\]"),
        ([([0.0, 1.0], 2)], r"gave 2 items for row numbers float64 \[2\]"),
    ],
)
def test_a_column_that_breaks_its_contract_is_named(tmp_path, batches, what):
    with pytest.raises(PluginError, match=f"Disloyal.fetch {what}"):
        encode(Disloyal(4, batches), Linear(), LatentCache(tmp_path))


def test_a_cache_that_cannot_be_written_is_noticed_before_anything_is_materialised(tmp_path):
    (tmp_path / "cache").write_text("a file")
    items = column(range(3))
    with pytest.raises(CacheError):
        encode(items, Linear(), LatentCache(tmp_path / "cache"))
    assert not hasattr(items, "asked")


def test_progress_counts_what_is_encoded(tmp_path, capsys):
    cache = LatentCache(tmp_path)
    encode(column(range(3)), Linear(), cache)
    with LocalExecutor(LocalConfig(workers=1)) as executor, Progress(grace=0.0) as progress:
        encode_column(column(range(10)), Linear(), cache, executor, progress, label="test/obs")
    assert "test/obs: 7/7" in capsys.readouterr().err


def test_the_card_says_what_the_encoder_is(tmp_path):
    encode(column(range(3)), Linear(), LatentCache(tmp_path))
    entry = LatentCache(tmp_path).ls()[0]
    assert (entry.name, entry.dim) == ("linear", DIM)
    assert entry.card["class"].endswith(":Linear")
    assert entry.card["config"] == {"name": "linear"}


class Ahead(Linear):
    """Takes several batches before it gives latents, as one that prepares batches ahead does."""

    def __init__(self, ahead=2, **changes):
        super().__init__(**changes)
        self.ahead = ahead

    def encode_stream(self, batches):
        held = []
        for batch in batches:
            held.append(batch)
            if len(held) > self.ahead:
                yield self.encode(held.pop(0))
        for batch in held:
            yield self.encode(batch)


def test_an_encoder_may_take_batches_ahead(tmp_path):
    latents, made = encode(column(range(30)), Ahead(), LatentCache(tmp_path))
    np.testing.assert_array_equal(latents, truth(vectors(range(30))))
    assert made.encoded == 30


def test_an_encoder_gets_no_larger_batches_than_it_asks_for(tmp_path):
    sizes = []

    class Small(Linear):
        batch_rows = 3

        def encode(self, batch):
            sizes.append(len(batch))
            return super().encode(batch)

    latents, _ = encode(column(range(10)), Small(), LatentCache(tmp_path))
    np.testing.assert_array_equal(latents, truth(vectors(range(10))))
    assert sizes == [3, 1, 3, 1, 2]


class LeavesOut(Ahead):
    def encode_stream(self, batches):
        yield from list(super().encode_stream(batches))[:-1]


class GivesMore(Ahead):
    def encode_stream(self, batches):
        given = list(super().encode_stream(batches))
        yield from [*given, given[-1]]


@pytest.mark.parametrize(
    ("broken", "message"), [(LeavesOut, "no latents for 1 batches"), (GivesMore, "more batches")]
)
def test_a_stream_gives_latents_once_for_each_batch(tmp_path, broken, message):
    with pytest.raises(LatentError, match=message):
        encode(column(range(30)), broken(), LatentCache(tmp_path))


def test_a_stream_is_closed_when_its_latents_are_refused(tmp_path):
    closed = []

    class Closes(Linear):
        def encode_stream(self, batches):
            try:
                yield from super().encode_stream(batches)
            finally:
                closed.append(True)

    with pytest.raises(LatentError):
        encode(column(range(9)), Closes(break_at=3), LatentCache(tmp_path))
    assert closed == [True]
