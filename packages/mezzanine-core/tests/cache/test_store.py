import logging
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.cache import LatentCache
from mezzanine_core.errors import CacheError, ConfigError, LatentError

ENCODER = "5eed" * 16


def put(cache, keys, latents, encoder=ENCODER, batch=None):
    with cache.writer(encoder, latents.shape[1], card={"name": "some"}) as writer:
        for at in range(0, len(keys), batch or max(1, len(keys))):
            stop = at + (batch or len(keys))
            writer.append(keys[at:stop], latents[at:stop])


def segments(cache, encoder=ENCODER):
    return sorted((cache.root / encoder / "segments").iterdir())


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 60),
    segment_rows=st.integers(1, 70),
    batch=st.integers(1, 70),
    order=st.lists(st.integers(0, 59), max_size=80),
)
def test_what_was_written_is_read_in_any_order(rows, n, segment_rows, batch, order):
    keys, latents = rows(n)
    wanted = np.array(order, np.int64) % n
    with TemporaryDirectory() as root:
        cache = LatentCache(root, segment_bytes=segment_rows * 20)
        put(cache, keys, latents, batch=batch)
        for reader in (cache, LatentCache(root)):
            np.testing.assert_array_equal(reader.read(ENCODER, keys[wanted]), latents[wanted])
        bounds = [int(entry.rows) for entry in cache.info(ENCODER).segments]
        assert sum(bounds) == n
        assert max(bounds) <= segment_rows


@settings(max_examples=20, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 40))
def test_find_says_what_read_can_read(rows, stored, segment_rows):
    keys, latents = rows(len(stored))
    mask = np.array(stored)
    with TemporaryDirectory() as root:
        cache = LatentCache(root, segment_bytes=segment_rows * 20)
        put(cache, keys[mask], latents[mask])
        assert cache.find(ENCODER, keys).tolist() == stored
        out = np.full((len(keys) + 3, 5), -1, np.float32)
        read = cache.read_into(ENCODER, keys, out, np.arange(len(keys)) + 3)
        assert read.tolist() == stored
        np.testing.assert_array_equal(out[3:][mask], latents[mask])
        if not mask.all():
            missing = keys[~mask][0].tobytes().hex()
            with pytest.raises(CacheError, match=f"{(~mask).sum()} of .* has key {missing}"):
                cache.read(ENCODER, keys)


def test_writing_twice_changes_nothing_for_a_reader(tmp_path, rows):
    keys, latents = rows(30)
    cache = LatentCache(tmp_path)
    put(cache, keys, latents)
    before = cache.read(ENCODER, keys)
    put(cache, keys, latents)
    np.testing.assert_array_equal(cache.read(ENCODER, keys), before)
    assert cache.info(ENCODER).items == 30
    assert cache.ls()[0].rows == 60


def test_a_cache_sees_what_another_commits_and_what_another_removes(tmp_path, rows):
    keys, latents = rows(20)
    mine, theirs = LatentCache(tmp_path), LatentCache(tmp_path)
    assert not mine.find(ENCODER, keys).any()
    put(theirs, keys, latents)
    assert mine.find(ENCODER, keys).all()
    theirs.rm(ENCODER)
    assert not mine.find(ENCODER, keys).any()


def test_encoders_are_kept_apart(tmp_path, rows):
    keys, latents = rows(4)
    cache = LatentCache(tmp_path)
    put(cache, keys, latents)
    put(cache, keys, 2 * latents[:, :3], encoder="other")
    np.testing.assert_array_equal(cache.read("other", keys), 2 * latents[:, :3])
    np.testing.assert_array_equal(cache.read(ENCODER, keys), latents)


def test_nothing_is_created_before_something_is_written(tmp_path, rows):
    cache = LatentCache(tmp_path / "cache")
    assert not cache.find(ENCODER, rows(3)[0]).any()
    assert cache.read(ENCODER, rows(0)[0]).shape[0] == 0
    assert cache.ls() == []
    assert cache.verify() == []
    assert cache.gc().removed == ()
    assert not (tmp_path / "cache").exists()


def test_a_writer_that_is_given_nothing_leaves_no_segment(tmp_path, rows):
    cache = LatentCache(tmp_path)
    put(cache, *rows(0))
    assert segments(cache) == []


def test_nobody_sees_a_segment_before_it_is_committed(tmp_path, rows):
    keys, latents = rows(10)
    cache = LatentCache(tmp_path, segment_bytes=6 * 20)
    with cache.writer(ENCODER, 5, card={}) as writer:
        writer.append(keys[:4], latents[:4])
        assert cache.find(ENCODER, keys).sum() == 0
        writer.append(keys[4:], latents[4:])
        assert cache.find(ENCODER, keys).sum() == 6
    assert cache.find(ENCODER, keys).all()


def test_a_segment_that_has_waited_is_committed_though_it_is_not_full(tmp_path, rows):
    keys, latents = rows(3)
    cache = LatentCache(tmp_path, segment_seconds=1e-9)
    with cache.writer(ENCODER, 5, card={}) as writer:
        writer.append(keys, latents)
        assert cache.find(ENCODER, keys).all()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_exception_drops_the_segment_in_flight_and_keeps_the_others(tmp_path, rows, error):
    keys, latents = rows(10)
    cache = LatentCache(tmp_path, segment_bytes=4 * 20)

    def interrupted() -> None:
        with cache.writer(ENCODER, 5, card={}) as writer:
            for at in range(10):
                writer.append(keys[at : at + 1], latents[at : at + 1])
            raise error

    with pytest.raises(error):
        interrupted()
    assert cache.find(ENCODER, keys).tolist() == [True] * 8 + [False] * 2
    assert len(segments(cache)) == 2


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(1, 40))
def test_half_precision_reads_as_the_writer_said(rows, n, segment_rows):
    keys, latents = rows(n)
    with TemporaryDirectory() as root:
        cache = LatentCache(root, dtype="float16", segment_bytes=segment_rows * 10)
        with cache.writer(ENCODER, 5, card={}) as writer:
            said = writer.append(keys, latents)
        read = LatentCache(root).read(ENCODER, keys)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, said)
    np.testing.assert_array_equal(read, latents.astype(np.float16))


def test_what_does_not_fit_into_half_precision_is_refused(tmp_path, rows):
    keys = rows(2)[0]
    cache = LatentCache(tmp_path, dtype="float16")
    with (
        pytest.raises(LatentError, match="magnitude 70000 does not fit into float16"),
        cache.writer(ENCODER, 5, card={}) as writer,
    ):
        writer.append(keys, np.full((2, 5), -70_000, np.float32))
    assert segments(cache) == []


@pytest.mark.parametrize(
    ("latents", "keys", "error", "what"),
    [
        (np.ones((2, 6), np.float32), np.ones((2, 16), np.uint8), LatentError, r"\[n, 5\]"),
        (np.ones((2, 5)), np.ones((2, 16), np.uint8), LatentError, "float64"),
        (np.ones((2, 5), np.float32), np.ones((3, 16), np.uint8), CacheError, "2 latents but"),
        (np.ones((2, 5), np.float32), np.ones((2, 16), np.int8), CacheError, "int8"),
    ],
)
def test_rows_of_a_wrong_shape_or_type_are_refused(tmp_path, latents, keys, error, what):
    with (
        pytest.raises(error, match=what),
        LatentCache(tmp_path).writer(ENCODER, 5, card={}) as writer,
    ):
        writer.append(keys, latents)


def test_a_writer_works_inside_its_with_block_only(tmp_path, rows):
    writer = LatentCache(tmp_path).writer(ENCODER, 5, card={})
    with pytest.raises(CacheError, match="inside its `with` block"):
        writer.append(*rows(2))


def test_an_encoder_whose_latents_change_length_is_refused(tmp_path, rows):
    cache = LatentCache(tmp_path)
    put(cache, *rows(2))
    with pytest.raises(CacheError, match="gave latents of length 5, now 6"):
        put(cache, *rows(2, dim=6))


def test_rows_that_do_not_lie_side_by_side_are_stored(tmp_path, rows):
    keys, latents = rows(40, dim=8)
    cache = LatentCache(tmp_path, segment_bytes=100)
    put(cache, keys[::2], np.asfortranarray(latents)[::2])
    np.testing.assert_array_equal(cache.read(ENCODER, keys[::2]), latents[::2])


def test_a_view_is_recorded_for_people(tmp_path, rows):
    cache = LatentCache(tmp_path)
    put(cache, *rows(2))
    assert cache.record_view(ENCODER, "w0" * 32, {"train": 2, "path": tmp_path})
    assert cache.record_view(ENCODER, "w0" * 32, {"train": 3})
    (view,) = cache.info(ENCODER).views
    assert (view.world, view.summary) == ("w0" * 32, {"train": 3})


def test_a_view_that_cannot_be_recorded_is_no_error(tmp_path, caplog):
    (tmp_path / "cache").write_text("a file")
    with caplog.at_level(logging.DEBUG):
        assert not LatentCache(tmp_path / "cache").record_view(ENCODER, "w0", {})
    assert "was not recorded" in caplog.text


@pytest.mark.parametrize("settings_", [{"segment_bytes": 0}, {"segment_seconds": 0.0}])
def test_a_segment_without_size_or_age_is_a_config_error(tmp_path, settings_):
    with pytest.raises(ConfigError, match="must be positive"):
        LatentCache(tmp_path, **settings_)


def test_two_processes_that_encode_the_same_items_do_no_harm(tmp_path, process):
    workers = [process("encode(400, 0.002, segment_bytes=16 * 50)") for _ in range(2)]
    for worker in workers:
        _, stderr = worker.communicate(timeout=60)
        assert worker.returncode == 0, stderr
    cache = LatentCache(tmp_path / "cache")
    entry = cache.info(ENCODER)
    assert entry.items == 400
    assert 400 <= entry.entry.rows <= 800
    assert cache.verify() == []
    assert cache.gc().removed == ()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 45), st.integers(0, 45), st.integers(1, 25), st.booleans())
def test_a_request_in_the_order_of_writing_is_like_any_other(rows, first, last, batch, twice):
    """Also where it goes on past what was written, or what was written repeats."""
    keys, latents = rows(45)
    with TemporaryDirectory() as root:
        cache = LatentCache(root, segment_bytes=10 * 20)
        for _ in range(1 + twice):
            put(cache, keys[:30], latents[:30], batch=batch)
        wanted = keys[first:last]
        assert cache.find(ENCODER, wanted).tolist() == [row < 30 for row in range(first, last)]
        some = slice(first, min(last, 30))
        np.testing.assert_array_equal(cache.read(ENCODER, keys[some]), latents[some])
