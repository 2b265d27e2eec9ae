"""Disks that are full, and directories that cannot be read or written: real ones."""

import errno
import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from mezzanine_core.cache import LatentCache
from mezzanine_core.cache.failures import write_error
from mezzanine_core.errors import CacheError

ENCODER = "5eed" * 16
MEBIBYTE = 1 << 20
NOBODY = 65534

needs_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can mount a file system"
)


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 2 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def ordinary_user():
    """A directory, and a context in which an ordinary user may read it but not write.

    Root may write whatever permissions say, so a test that runs as root gives up that right.
    """
    if os.name != "posix":
        pytest.skip("needs POSIX permissions")

    @contextmanager
    def become(forbidden=None):
        for path in (root, *root.rglob("*")):
            path.chmod(0 if path == forbidden else 0o555 if path.is_dir() else 0o444)
        os.seteuid(NOBODY if os.getuid() == 0 else os.getuid())
        try:
            yield
        finally:
            os.seteuid(os.getuid())
            for path in (root, *root.rglob("*")):
                path.chmod(0o755)

    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        yield root / "cache", become


@needs_root
def test_a_full_disk_is_an_error_that_keeps_what_was_committed(small_disk, rows):
    keys, latents = rows(3000, dim=256)
    cache = LatentCache(small_disk / "cache", segment_bytes=MEBIBYTE // 2)

    def write() -> None:
        with cache.writer(ENCODER, 256, card={}) as writer:
            for at in range(0, 3000, 100):
                writer.append(keys[at : at + 100], latents[at : at + 100])

    with pytest.raises(CacheError, match="No space left on device") as caught:
        write()
    for words in ("mezz cache rm", "--cache-dir", "encodes only what is missing"):
        assert words in str(caught.value)
    found = cache.find(ENCODER, keys)
    assert 1000 <= found.sum() < 3000
    np.testing.assert_array_equal(cache.read(ENCODER, keys[found]), latents[found])
    assert cache.verify() == []
    assert cache.ls()[0].uncommitted == 0, "what did not fit does not go on taking up space"


@needs_root
def test_a_disk_that_is_full_from_the_start_is_noticed_before_anything_is_encoded(small_disk):
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(bytes(4 * MEBIBYTE))
    with (
        pytest.raises(CacheError, match="No space left on device"),
        LatentCache(small_disk / "cache").writer(ENCODER, 3, card={}),
    ):
        pytest.fail("it began to encode")


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_limit_on_file_sizes_is_reported_as_a_lack_of_space(process):
    worker = process(
        """
        import resource
        from mezzanine_core.errors import CacheError
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        keys = np.random.default_rng(0).integers(0, 256, (5000, 16), dtype=np.uint8)
        cache = LatentCache(ROOT, segment_bytes=80_000)
        try:
            with cache.writer(ENCODER, 4, card={}) as writer:
                writer.append(keys[:3000], np.ones((3000, 4), np.float32))
            with LatentCache(ROOT).writer("wide", 400, card={}) as writer:
                writer.append(keys, np.ones((5000, 400), np.float32))
        except CacheError as error:
            print(error)
        print(cache.find(ENCODER, keys[:3000]).all(), cache.find("wide", keys).any())
        """
    )
    stdout, stderr = worker.communicate(timeout=60)
    assert worker.returncode == 0, stderr
    assert "File too large" in stdout
    assert "mezz cache rm" in stdout
    assert stdout.splitlines()[-1] == "True False"


def test_a_read_only_cache_is_read(ordinary_user, rows):
    root, become = ordinary_user
    keys, latents = rows(50)
    cache = LatentCache(root)
    with cache.writer(ENCODER, 5, card={"name": "some"}) as writer:
        writer.append(keys, latents)
    with become():
        np.testing.assert_array_equal(cache.read(ENCODER, keys), latents)
        assert cache.verify() == []
        assert cache.ls()[0].rows == 50
        assert not cache.record_view(ENCODER, "w" * 64, {})


def test_a_read_only_cache_that_must_be_written_says_so_before_encoding(ordinary_user, rows):
    root, become = ordinary_user
    cache = LatentCache(root)
    with cache.writer(ENCODER, 5, card={}) as writer:
        writer.append(*rows(5))
    with become():
        for encoder in (ENCODER, "another"):
            with (
                pytest.raises(CacheError, match="Permission denied") as caught,
                cache.writer(encoder, 5, card={}),
            ):
                pytest.fail("it began to encode")
            assert "--cache-dir" in str(caught.value)
        with pytest.raises(CacheError, match="Permission denied"):
            cache.rm(ENCODER)
    assert cache.find(ENCODER, rows(5)[0]).all()


def test_a_cache_that_may_not_be_listed_is_an_error(ordinary_user, rows):
    root, become = ordinary_user
    cache = LatentCache(root)
    with cache.writer(ENCODER, 5, card={}) as writer:
        writer.append(*rows(5))
    with (
        become(forbidden=root / ENCODER / "segments"),
        pytest.raises(CacheError, match="cannot read the latent cache") as caught,
    ):
        LatentCache(root).find(ENCODER, rows(5)[0])
    assert "Permission denied" in str(caught.value)


@pytest.mark.parametrize("place", ["", ENCODER, f"{ENCODER}/segments"])
def test_a_file_in_place_of_a_directory_is_an_error(tmp_path, rows, place):
    root = tmp_path / "cache"
    file = root / place if place else root
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("not a directory")
    cache = LatentCache(root)
    with (
        pytest.raises(CacheError, match="cannot write the latent cache") as caught,
        cache.writer(ENCODER, 5, card={}),
    ):
        pytest.fail("it began to encode")
    assert "--cache-dir" in str(caught.value)
    with pytest.raises(CacheError, match="cannot read the latent cache"):
        cache.find(ENCODER, rows(5)[0])


@pytest.mark.parametrize(
    ("error", "reason", "hint"),
    [
        (OSError(errno.ENOSPC, "x"), "No space left on device", "mezz cache rm"),
        (RuntimeError("write failed (os error 28)"), "No space left on device", "mezz cache rm"),
        (OSError(errno.EDQUOT, "x"), "quota", "mezz cache rm"),
        (OSError(errno.EROFS, "x"), "Read-only file system", "Make it writable"),
        (OSError(errno.ENOENT, "x"), "No such file", "cannot be made there"),
        (OSError(errno.EIO, "x"), "Input/output error", "Check the disk"),
        (RuntimeError("something else"), "something else", "Check the disk"),
    ],
)
def test_each_failure_to_write_says_what_to_do(tmp_path, error, reason, hint):
    failure = write_error(tmp_path, error)
    assert reason in failure.message
    assert str(tmp_path) in failure.message
    assert hint in (failure.hint or "")
