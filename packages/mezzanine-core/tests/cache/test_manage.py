import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mezzanine_core.cache import LatentCache
from mezzanine_core.errors import UnknownNameError

HOLD = """
cache = LatentCache(ROOT)
with cache.writer(ENCODER, 4, card={"name": "held"}) as writer:
    keys = np.random.default_rng(1).integers(0, 256, (3, 16), dtype=np.uint8)
    writer.append(keys, np.ones((3, 4), np.float32))
    print("holding", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def cache(tmp_path, rows):
    """A cache of two encoders, ``ab…`` with 30 latents in 3 segments and ``ac…`` with 4."""
    cache = LatentCache(tmp_path / "cache", segment_bytes=10 * 20)
    for name, n, dim in (("ab" * 32, 30, 5), ("ac" * 32, 4, 3)):
        with cache.writer(name, dim, card={"name": f"encoder {n}", "config": {"n": n}}) as writer:
            writer.append(*rows(n, dim))
    cache.record_view("ab" * 32, "77" * 32, {"train": 30})
    return cache


@pytest.fixture
def held(tmp_path, process):
    """A real process that has a segment in flight."""
    worker = process(HOLD)
    assert worker.stdout.readline() == "holding\n"
    return worker


def disk_size(path):
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def test_listing_says_what_there_is(cache):
    entries = {entry.fingerprint: entry for entry in cache.ls()}
    assert set(entries) == {"ab" * 32, "ac" * 32}
    entry = entries["ab" * 32]
    assert (entry.name, entry.dim, entry.dtype) == ("encoder 30", 5, "float32")
    assert (entry.segments, entry.rows, entry.views) == (3, 30, 1)
    assert (entry.broken, entry.uncommitted) == (0, 0)
    assert entry.created <= entry.modified
    assert entry.card == {"name": "encoder 30", "config": {"n": 30}}


def test_sizes_are_those_of_the_files(cache):
    for entry in cache.ls():
        assert entry.bytes == disk_size(cache.root / entry.fingerprint)
    info = cache.info("ab")
    for segment in info.segments:
        assert segment.bytes == disk_size(cache.root / ("ab" * 32) / "segments" / segment.name)


def test_the_latest_encoder_is_listed_first(cache, rows):
    assert [entry.fingerprint[:2] for entry in cache.ls()] == ["ac", "ab"]


def test_details_list_segments_in_the_order_of_their_commits(cache):
    info = cache.info("ab")
    assert info.items == 30
    assert [segment.rows for segment in info.segments] == [10, 10, 10]
    assert [s.created for s in info.segments] == sorted(s.created for s in info.segments)
    assert [view.summary for view in info.views] == [{"train": 30}]
    assert info.path == str(cache.root / ("ab" * 32))


@pytest.mark.parametrize(
    ("prefix", "what", "hint"),
    [
        ("ff", "begins with 'ff'", "mezz cache ls"),
        ("a", "2 encoders", "more digits"),
        ("", "no encoder", ""),
    ],
)
def test_a_prefix_must_name_one_encoder(cache, prefix, what, hint):
    for call in (cache.info, cache.verify, cache.rm):
        with pytest.raises(UnknownNameError, match=what) as caught:
            call(prefix)
        assert hint in (caught.value.hint or "")
    assert len(cache.ls()) == 2


def test_other_peoples_files_are_left_alone(cache):
    (cache.root / "notes").mkdir()
    (cache.root / "notes" / "mine.txt").write_text("x")
    (cache.root / "README").write_text("x")
    assert len(cache.ls()) == 2
    cache.gc()
    cache.rm(None)
    assert sorted(path.name for path in cache.root.iterdir()) == ["README", "notes"]


def test_removing_an_encoder_leaves_the_others(cache):
    size = disk_size(cache.root / ("ab" * 32))
    planned = cache.rm("ab", dry_run=True)
    assert len(cache.ls()) == 2
    done = cache.rm("ab")
    assert planned == done
    assert (done.encoders, done.segments, done.rows, done.bytes) == (("ab" * 32,), 3, 30, size)
    assert [entry.fingerprint for entry in cache.ls()] == ["ac" * 32]
    assert not (cache.root / ("ab" * 32)).exists()


def test_removing_everything_empties_the_cache(cache):
    assert len(cache.rm(None).encoders) == 2
    assert list(cache.root.iterdir()) == []


def test_a_segment_in_flight_is_not_collected_and_can_be_committed(tmp_path, held):
    cache = LatentCache(tmp_path / "cache")
    for report in (cache.gc(dry_run=True), cache.gc()):
        assert (report.removed, report.in_flight) == ((), 1)
    assert cache.ls()[0].uncommitted == 1
    held.communicate("go on\n", timeout=30)
    assert held.returncode == 0
    assert (cache.ls()[0].rows, cache.ls()[0].uncommitted) == (3, 0)
    assert cache.gc().in_flight == 0


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")
def test_what_a_killed_writer_left_is_collected(tmp_path, held):
    cache = LatentCache(tmp_path / "cache")
    held.send_signal(signal.SIGKILL)
    held.wait(timeout=30)
    planned = cache.gc(dry_run=True)
    assert len(planned.removed) == 1
    report = cache.gc()
    assert (report.removed, report.in_flight) == (planned.removed, 0)
    assert cache.gc().removed == ()
    assert list((tmp_path / "cache").glob("*/segments/*")) == []


def test_removing_an_encoder_leaves_what_is_being_written(tmp_path, held, rows):
    cache = LatentCache(tmp_path / "cache")
    (encoder,) = (path.name for path in cache.root.iterdir())
    with cache.writer(encoder, 4, card={}) as writer:
        writer.append(*rows(5, 4))
    report = cache.rm(encoder)
    assert (report.segments, report.in_flight) == (1, 1)
    held.communicate("go on\n", timeout=30)
    assert held.returncode == 0
    assert cache.ls()[0].rows == 3


def test_a_writer_in_the_same_process_is_alive_too(tmp_path, encoder, rows):
    cache = LatentCache(tmp_path)
    with cache.writer(encoder, 5, card={}) as writer:
        writer.append(*rows(3))
        assert cache.gc().in_flight == 1
    assert cache.find(encoder, rows(3)[0]).all()


def test_a_directory_without_a_lock_is_collected_when_it_is_old(tmp_path, encoder):
    cache = LatentCache(tmp_path)
    segment = tmp_path / encoder / "segments" / ("0f" * 16)
    segment.mkdir(parents=True)
    (segment / "latents").write_bytes(b"x")
    assert cache.gc().in_flight == 1
    old = time.time() - 48 * 3600
    for path in (segment / "latents", segment):
        os.utime(path, (old, old))
    assert cache.gc().removed == (str(segment),)


def test_what_a_writer_left_that_died_before_it_had_its_lock_is_collected(tmp_path, encoder):
    segment = tmp_path / encoder / "segments" / ("0f" * 16)
    segment.mkdir(parents=True)
    cache = LatentCache(tmp_path)
    assert cache.gc(dry_run=True).removed == (str(segment),)
    assert cache.gc().removed == (str(segment),)
    assert not segment.exists()


def test_a_writer_that_begins_while_the_cache_is_collected_loses_nothing(tmp_path, encoder, rows):
    """Also in the moment in which its directory is made but not locked."""
    cache = LatentCache(tmp_path)
    done = threading.Event()

    def collect():
        while not done.is_set():
            LatentCache(tmp_path).gc()

    keys, latents = rows(60)
    with ThreadPoolExecutor(1) as pool:
        collector = pool.submit(collect)
        try:
            for row in range(len(keys)):
                with cache.writer(encoder, 5, card={}) as writer:
                    writer.append(keys[row : row + 1], latents[row : row + 1])
        finally:
            done.set()
        collector.result()
    assert cache.find(encoder, keys).all()
    assert cache.ls()[0].uncommitted == 0


def test_committed_segments_are_never_collected(cache, rows):
    cache.gc()
    assert cache.find("ab" * 32, rows(30)[0]).all()
    lock = next((cache.root / ("ab" * 32) / "segments").iterdir()) / "writer.lock"
    lock.touch()
    assert cache.gc().removed == ()
    assert cache.find("ab" * 32, rows(30)[0]).all()


def test_temporary_files_are_collected_when_they_are_old(cache):
    new = cache.root / ("ab" * 32) / "card.json-1.tmp"
    old = cache.root / ("ab" * 32) / "views" / "77.json-1.tmp"
    for path in (new, old):
        path.write_text("{")
    os.utime(old, (time.time() - 7200,) * 2)
    report = cache.gc()
    assert (report.removed, report.bytes) == ((str(old),), 1)
    assert new.exists()


def test_both_precisions_are_listed_and_read(tmp_path, encoder, rows):
    keys, latents = rows(8)
    for dtype, part in (("float32", slice(0, 4)), ("float16", slice(4, 8))):
        with LatentCache(tmp_path, dtype=dtype).writer(encoder, 5, card={}) as writer:
            writer.append(keys[part], latents[part])
    cache = LatentCache(tmp_path)
    assert cache.ls()[0].dtype == "float16,float32"
    np.testing.assert_allclose(cache.read(encoder, keys), latents, rtol=1e-3)


@pytest.fixture
def strangers(cache):
    """Old files of other people in the cache directory, some of them named like ours."""
    old = time.time() - 48 * 3600
    paths = [
        cache.root / name
        for name in (
            "video/thesis.tex",
            "video/segments/part1/a.ts",
            "game/card.json",
            "game/save.dat",
            f"{'ab' * 32}/notes.txt",
            f"{'ab' * 32}/segments/part1/commit.json",
            f"{'ab' * 32}/segments/{'0f' * 16}/mine.txt",
        )
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        for changed in (path, path.parent):
            os.utime(changed, (old, old))
    return paths


@pytest.mark.parametrize(
    "tidy",
    [
        lambda cache: cache.gc(),
        lambda cache: cache.rm(None),
        lambda cache: cache.verify(remove=True),
    ],
    ids=["gc", "rm", "verify"],
)
def test_nothing_of_other_people_is_ever_deleted(cache, strangers, tidy):
    tidy(cache)
    assert [path for path in strangers if not path.exists()] == []


def test_an_encoder_whose_card_is_damaged_is_still_listed(cache):
    (cache.root / ("ab" * 32) / "card.json").write_text("{")
    assert {entry.fingerprint for entry in cache.ls()} == {"ab" * 32, "ac" * 32}
