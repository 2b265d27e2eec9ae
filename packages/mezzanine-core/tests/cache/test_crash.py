"""Real processes that are killed or interrupted while they encode."""

import os
import signal
import time

import pytest

from mezzanine_core.cache import LatentCache

ENCODER = "5eed" * 16
ITEMS, SEGMENT_ROWS, BATCH = 2000, 40, 8
SETTINGS = f"segment_bytes=16 * {SEGMENT_ROWS}"
RUN = f"encode({ITEMS}, 0.04, {SETTINGS})"
AGAIN = f"""
latents, counts = encode({ITEMS}, 0.0, {SETTINGS})
assert np.array_equal(latents, items({ITEMS})[:, :4] * 2)
print("counts", counts.cached, counts.materialised, counts.encoded)
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


def run_until_some_are_committed(process, root, how):
    """Start a real run, and send it a signal once it has committed a few segments."""
    worker = process(RUN)
    deadline = time.monotonic() + 60
    while len(list(root.glob("*/segments/*/commit.json"))) < 3:
        assert worker.poll() is None, worker.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    worker.send_signal(how)
    stdout, stderr = worker.communicate(timeout=30)
    encoded = sum(int(line.split()[1]) for line in stdout.splitlines())
    assert encoded < ITEMS, "it was interrupted, not finished"
    return worker, encoded, stderr


def test_a_killed_run_loses_the_segment_in_flight_and_no_more(tmp_path, process):
    root = tmp_path / "cache"
    worker, encoded, _ = run_until_some_are_committed(process, root, signal.SIGKILL)
    assert worker.returncode == -signal.SIGKILL

    cache = LatentCache(root)
    assert cache.verify() == []
    committed = cache.ls()[0].rows
    assert committed >= 3 * SEGMENT_ROWS
    assert encoded - committed < SEGMENT_ROWS + BATCH

    again = process(AGAIN)
    stdout, stderr = again.communicate(timeout=60)
    assert again.returncode == 0, stderr
    missing = ITEMS - committed
    assert stdout.splitlines()[-1] == f"counts {committed} {missing} {missing}"

    assert len(cache.gc().removed) <= 1
    assert cache.ls()[0].uncommitted == 0
    assert cache.info(ENCODER).items == ITEMS
    assert cache.verify() == []


def test_an_interrupted_run_keeps_what_it_committed_and_leaves_nothing_else(tmp_path, process):
    root = tmp_path / "cache"
    worker, encoded, stderr = run_until_some_are_committed(process, root, signal.SIGINT)
    assert worker.returncode != 0
    assert "KeyboardInterrupt" in stderr
    cache = LatentCache(root)
    entry = cache.ls()[0]
    assert entry.rows >= 3 * SEGMENT_ROWS
    assert encoded - entry.rows < SEGMENT_ROWS + BATCH
    assert entry.uncommitted == 0
    assert cache.verify() == []
    assert cache.gc().removed == ()


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_everything(tmp_path, process):
    """Wherever the signal strikes: while a segment is written, committed, or begun."""
    root = tmp_path / "cache"
    for attempt in range(8):
        worker = process(RUN.replace("0.04", "0.0005"))
        worker.stdout.readline()
        time.sleep(0.013 * attempt)
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=30)
        assert LatentCache(root).verify() == []
    last = process(AGAIN)
    _, stderr = last.communicate(timeout=60)
    assert last.returncode == 0, stderr
    cache = LatentCache(root)
    cache.gc()
    assert (cache.info(ENCODER).items, cache.ls()[0].uncommitted) == (ITEMS, 0)
