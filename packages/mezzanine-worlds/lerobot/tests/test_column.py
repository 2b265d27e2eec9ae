"""A column gives each of its frames once, however they are spread over files and workers."""

from __future__ import annotations

import numpy as np
import pytest

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.cache import LatentCache
from mezzanine_core.errors import DataError
from mezzanine_core.latents import encode_column
from mezzanine_core.progress import Progress
from mezzanine_encoders_pixels.config import PixelsConfig
from mezzanine_encoders_pixels.encoder import PixelsEncoder
from mezzanine_worlds_lerobot import column as module


@pytest.fixture(params=["pusht", "pusht_video"])
def written(request):
    return request.getfixturevalue(request.param)


def expected_frames(written, split, starts, offset):
    return np.stack(
        [written.frames[e][t + offset] for e, t in zip(split.episode, starts, strict=True)]
    )


def starts_of(world, name):
    return world.pairs()[name].start


def test_every_frame_of_several_files_comes_once_and_where_it_belongs(world, pusht, fetched):
    opened = world(pusht.root, n_train=100, delta_steps=2)
    split = opened.load().transitions("train")
    starts = starts_of(opened, "train")
    assert len(set(split.obs.places.file.tolist())) > 1
    np.testing.assert_array_equal(fetched(split.obs), expected_frames(pusht, split, starts, 0))
    np.testing.assert_array_equal(fetched(split.next_obs), expected_frames(pusht, split, starts, 2))


def test_frames_of_videos_are_those_of_the_play_up_to_compression(world, pusht_video, fetched):
    opened = world(pusht_video.root, n_train=100, delta_steps=2)
    split = opened.load().transitions("train")
    assert len(set(split.obs.places.file.tolist())) > 1
    true = expected_frames(pusht_video, split, starts_of(opened, "train"), 0).astype(float)
    # Another step of the play differs by more than this where anything moves.
    assert np.abs(fetched(split.obs) - true).mean(axis=(1, 2, 3)).max() < 4


def test_any_rows_in_any_order_are_those_rows(world, written, fetched, serial):
    column = world(written.root).load().transitions("train").obs
    whole = fetched(column)
    rows = np.random.default_rng(0).permutation(len(column))[:17]
    for part, batch in column.fetch(rows, serial):
        np.testing.assert_array_equal(batch, whole[part])
        rows = np.setdiff1d(rows, part)
    assert rows.size == 0


def test_no_rows_give_nothing(world, pusht, serial):
    column = world(pusht.root).load().transitions("train").obs
    assert list(column.fetch(np.array([], np.int64), serial)) == []


@pytest.mark.slow
def test_worker_processes_give_the_same_frames(world, written, fetched, monkeypatch):
    column = world(written.root).load().transitions("train").obs
    alone = fetched(column)
    monkeypatch.setattr(module, "_PARALLEL_FRAMES", 1)
    monkeypatch.setattr(module, "_TASK_FRAMES", 7)
    with LocalExecutor(LocalConfig(workers=2)) as executor:
        np.testing.assert_array_equal(fetched(column, executor), alone)


def test_a_damaged_video_is_named_when_it_is_fetched(world, copied, g1, fetched):
    root = copied(g1)
    (video,) = root.glob("videos/*/*/*.mp4")
    video.write_bytes(video.read_bytes()[:500_000])
    split = world(root).load().transitions("train")
    with pytest.raises(DataError, match=str(video)):
        fetched(split.obs)


def test_a_full_cache_decodes_nothing(world, copied, g1, serial, tmp_path):
    """The video is destroyed once its frames are encoded, and nobody notices."""
    root = copied(g1)
    column = world(root).load().transitions("train").obs
    encoder, cache = PixelsEncoder(PixelsConfig(size=4, dim=None)), LatentCache(tmp_path / "cache")
    given = (column, encoder, cache, serial, Progress(quiet=True))
    first, _ = encode_column(*given, label="frames")
    (video,) = root.glob("videos/*/*/*.mp4")
    video.write_bytes(b"")
    again, counts = encode_column(*given, label="frames")
    np.testing.assert_array_equal(again, first)
    assert counts.materialised == 0
