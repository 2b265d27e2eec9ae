import shutil
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.cache import segment as module
from mezzanine_core.cache.segment import Segment, write_segment
from mezzanine_core.errors import CacheError, CorruptSegmentError

BLOCKS = 100
ROWS = BLOCKS * 32 - 3


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A segment of 100 blocks of 32 latents, in several chunks: its latents and its directory."""
    directory = tmp_path_factory.mktemp("segment")
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((ROWS, 1024), dtype=np.float32)
    keys = rng.integers(0, 256, (ROWS, 16), dtype=np.uint8)
    record = write_segment(directory, keys, latents)
    assert record.block_rows == 32
    assert len(list((directory / "latents").glob("c.*"))) > 1
    return keys, latents, directory


def gather(directory: Path, rows: np.ndarray) -> np.ndarray:
    segment = Segment.open(directory)
    out = np.full((len(rows), segment.record.dim), np.inf, np.float32)
    segment.gather(rows, out, np.arange(len(rows)))
    return out


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
def test_a_partial_read_equals_numpy_take(stored, rows, seed):
    """Also where rows repeat, lie in one block or far apart, and go anywhere in the result."""
    _, latents, directory = stored
    rows = np.sort(rows)
    targets = np.random.default_rng(seed).permutation(len(rows) + 5)[: len(rows)]
    out = np.zeros((len(rows) + 5, latents.shape[1]), np.float32)
    Segment.open(directory).gather(rows, out, targets)
    expected = np.zeros_like(out)
    expected[targets] = latents.take(rows, axis=0)
    np.testing.assert_array_equal(out, expected)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, ROWS - 1), st.integers(1, ROWS), st.sampled_from([1 << 17, 1 << 23, 1 << 26]))
def test_a_run_of_rows_equals_its_slice_however_it_is_grouped(stored, start, length, group):
    _, latents, directory = stored
    rows = np.arange(start, min(start + length, ROWS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PORTION_BYTES", group)
        np.testing.assert_array_equal(gather(directory, rows), latents[rows])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 200), st.integers(1, 300), st.sampled_from([np.float32, np.float16]))
def test_what_is_written_is_read_whatever_its_shape(n, dim, dtype):
    rng = np.random.default_rng(n)
    latents = rng.standard_normal((n, dim)).astype(dtype)
    keys = rng.integers(0, 256, (n, 16), dtype=np.uint8)
    with TemporaryDirectory() as directory:
        write_segment(Path(directory), keys, latents)
        segment = Segment.open(Path(directory))
        np.testing.assert_array_equal(segment.keys(), keys)
        rows = np.arange(n)
        out = np.empty((n, dim), np.float32)
        segment.gather(rows, out, rows)
        np.testing.assert_array_equal(out, latents.astype(np.float32))
        segment.verify()


def test_a_segment_takes_little_more_space_than_its_rows(tmp_path):
    """Zarr pads the last chunk; chunks are of about equal size, so that it pads little."""
    latents = np.ones((2001, 768), np.float32)
    write_segment(tmp_path, np.zeros((2001, 16), np.uint8), latents)
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert latents.nbytes < size < 1.1 * latents.nbytes


def test_a_few_rows_are_read_without_the_rest(stored):
    """In memory: a few blocks, not the segment. On disk: other chunks are not even opened."""
    _, latents, directory = stored
    segment = Segment.open(directory)
    rows = np.array([5, 6, 900])
    out = np.empty((3, 1024), np.float32)
    segment.gather(rows, out, np.arange(3))
    tracemalloc.start()
    segment.gather(rows, out, np.arange(3))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(out, latents[rows])
    assert peak < latents.nbytes / 10


def test_damage_elsewhere_does_not_hinder_a_read(stored, tmp_path):
    _, latents, source = stored
    directory = shutil.copytree(source, tmp_path / "copy")
    last = max((directory / "latents").glob("c.*"), key=lambda path: int(path.name.split(".")[1]))
    last.unlink()
    np.testing.assert_array_equal(gather(directory, np.arange(10)), latents[:10])
    with pytest.raises(CorruptSegmentError):
        gather(directory, np.array([0, ROWS - 1]))


def test_memory_does_not_grow_with_what_lies_between_rows(stored, monkeypatch):
    _, latents, directory = stored
    monkeypatch.setattr(module, "_PORTION_BYTES", 1 << 20)  # in effect, one chunk
    segment = Segment.open(directory)
    rows = np.arange(0, ROWS, 2)
    out = np.empty((len(rows), 1024), np.float32)
    tracemalloc.start()
    segment.gather(rows, out, np.arange(len(rows)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(out, latents[rows])
    assert peak < 0.6 * latents.nbytes, "one chunk, and what is picked from it"


def test_any_flipped_bit_of_what_is_read_is_noticed(stored, tmp_path):
    _, latents, source = stored
    rng = np.random.default_rng(3)
    for at in rng.integers(0, latents[:640].nbytes, 10):
        directory = shutil.copytree(source, tmp_path / str(at))
        chunk = directory / "latents" / "c.0.0"
        data = bytearray(chunk.read_bytes())
        data[at % len(data)] ^= 1 << int(rng.integers(8))
        chunk.write_bytes(data)
        row = at % len(data) // 4096
        with pytest.raises(CorruptSegmentError, match="differ from what was committed"):
            gather(directory, np.array([row]))
        with pytest.raises(CorruptSegmentError, match=f"{directory} is corrupt"):
            Segment.open(directory).verify()


def test_a_segment_that_is_removed_while_it_is_read_is_not_called_corrupt(stored, tmp_path):
    directory = shutil.copytree(stored[2], tmp_path / "copy")
    segment = Segment.open(directory)
    shutil.rmtree(directory)
    with pytest.raises(CacheError, match="was removed while it was being read") as caught:
        segment.gather(np.arange(3), np.empty((3, 1024), np.float32), np.arange(3))
    assert not isinstance(caught.value, CorruptSegmentError)


def test_chunks_are_the_bytes_of_the_rows_and_nothing_else(stored):
    """No compression, no pickle: anything that can read a file can read a latent."""
    keys, latents, directory = stored
    chunks = sorted((directory / "latents").glob("c.*"), key=lambda p: int(p.name.split(".")[1]))
    data = b"".join(chunk.read_bytes() for chunk in chunks)
    assert data[: latents.nbytes] == latents.astype("<f4").tobytes()
    assert (directory / "keys" / "c.0.0").read_bytes() == keys.tobytes()
    names = {path.name for path in directory.rglob("*") if path.is_file()}
    assert names - {chunk.name for chunk in chunks} == {"zarr.json", "commit.json"}
