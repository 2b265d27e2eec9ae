import subprocess
import sys

import numpy as np
import pytest
import zarr
from zarr.core.codec_pipeline import BatchedCodecPipeline

from mezzanine_core.cache.arrays import open_array, read_rows, write_array
from mezzanine_core.errors import CacheError


@pytest.fixture
def stored(tmp_path, rows):
    """An array of 100 rows in chunks of 7, and where it lies."""
    data = rows(100, 6)[1]
    write_array(tmp_path / "array", data, 7, ("item", "feature"))
    return data, tmp_path / "array"


@pytest.mark.parametrize(("start", "stop"), [(0, 100), (0, 7), (3, 4), (6, 9), (93, 100)])
def test_rows_come_back(stored, start, stop):
    data, path = stored
    out = np.empty((stop - start, 6), np.float32)
    read_rows(open_array(path), start, out)
    np.testing.assert_array_equal(out, data[start:stop])


def test_what_is_written_is_plain_zarr(stored):
    data, path = stored
    array = zarr.open_array(path, mode="r")
    assert array.metadata.zarr_format == 3
    assert array.metadata.dimension_names == ("item", "feature")
    np.testing.assert_array_equal(array[:], data)


def test_the_slow_pipeline_never_runs(tmp_path, rows, monkeypatch):
    async def never(*_: object) -> None:
        raise AssertionError("Zarr's own codec pipeline was used")

    monkeypatch.setattr(BatchedCodecPipeline, "read", never)
    monkeypatch.setattr(BatchedCodecPipeline, "write", never)
    write_array(tmp_path / "array", rows(30)[1], 7, ("item", "feature"))
    read_rows(open_array(tmp_path / "array"), 5, np.empty((20, 5), np.float32))


def test_another_pipeline_than_zarrs_is_refused(stored, monkeypatch):
    """As when another thread sets Zarr's configuration at the wrong moment."""
    monkeypatch.setattr("mezzanine_core.cache.arrays._PIPELINE", {})
    with pytest.raises(CacheError, match="BatchedCodecPipeline, not strict zarrs"):
        open_array(stored[1])


def test_the_configuration_of_zarr_is_left_as_it_was(tmp_path, rows):
    before = zarr.config.get("codec_pipeline")
    write_array(tmp_path / "array", rows(10)[1], 7, ("item", "feature"))
    open_array(tmp_path / "array")
    assert zarr.config.get("codec_pipeline") == before


def test_a_missing_chunk_reads_as_nan_which_no_latent_is(stored):
    (stored[1] / "c.1.0").unlink()
    out = np.zeros((21, 6), np.float32)
    read_rows(open_array(stored[1]), 0, out)
    assert np.isnan(out).all(axis=1).tolist() == [False] * 7 + [True] * 7 + [False] * 7


def test_importing_the_cache_imports_neither_zarr_nor_torch():
    text = "import sys, mezzanine_core.latents; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "mezzanine_core.cache.store" in modules
    assert modules.isdisjoint({"zarr", "zarrs", "torch", "filelock"})
