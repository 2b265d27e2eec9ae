"""Decoded frames are those of a plain decoder and of lerobot, whichever are asked for."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import DataError
from mezzanine_worlds_lerobot.sources import LocalFolder
from mezzanine_worlds_lerobot.video import VideoTask

CAMERA = {"g1": "observation.images.cam_high", "pusht_video": "observation.image"}


@pytest.fixture(scope="session")
def g1_video(g1):
    return g1 / "videos" / CAMERA["g1"] / "chunk-000" / "file-000.mp4"


@functools.cache
def all_frames(path):
    """Every frame and its time, by decoding from beginning to end."""
    with av.open(str(path)) as container:
        frames = [(float(f.time), f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    return [time for time, _ in frames], np.stack([frame for _, frame in frames])


def decoded(path, seconds, **changes):
    task = {"tolerance": 0.01, "size": None, "backend": "pyav", **changes}
    return np.concatenate(list(VideoTask(path, list(seconds), **task).frames()))


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_any_frames_of_a_real_video_are_those_of_a_plain_decoder(g1_video, data):
    times, frames = all_frames(g1_video)
    # Clusters far from each other, so that some are reached by seeking and some by going on.
    starts = data.draw(st.sets(st.integers(0, len(times) - 1), min_size=1, max_size=5))
    near = data.draw(st.sets(st.integers(0, 40), max_size=5))
    places = sorted({min(start + step, len(times) - 1) for start in starts for step in {0} | near})
    found = decoded(g1_video, [times[place] for place in places])
    np.testing.assert_array_equal(found, frames[places])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_frames_of_a_video_with_many_key_frames_are_those_of_a_plain_decoder(pusht_video, data):
    path = data.draw(st.sampled_from(sorted(pusht_video.root.glob("videos/*/*/*.mp4"))))
    times, frames = all_frames(path)
    places = sorted(data.draw(st.sets(st.integers(0, len(times) - 1), min_size=1)))
    found = decoded(path, [times[place] for place in places])
    np.testing.assert_array_equal(found, frames[places])


@pytest.mark.parametrize("name", CAMERA)
def test_frames_equal_those_that_lerobot_gives(request, name, reference):
    found = request.getfixturevalue(name)
    root = found if isinstance(found, Path) else found.root
    source = LocalFolder(root, name)
    metadata = source.metadata()
    begins = np.cumsum([0, *metadata.lengths])
    for place in (0, len(metadata.lengths) - 1):
        path = source.file(metadata.video_file(place, CAMERA[name]))
        start = metadata.video_start(place, CAMERA[name])
        steps = [0, 5, int(metadata.lengths[place]) - 1]
        ours = decoded(path, [start + step / metadata.fps for step in steps])
        theirs = reference(root, [int(begins[place]) + step for step in steps])
        for one, item in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, item[CAMERA[name]])


def encoded(path, **options):
    """A video of 60 frames in which stripes grow, 10 a second."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options=options)
        stream.width = stream.height = 64
        for step in range(60):
            image = np.zeros((64, 64, 3), np.uint8)
            image[3 * step % 64 :] = rng.integers(0, 256, 3)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())
    return path


def test_a_video_with_one_key_frame_is_decoded_from_its_beginning(tmp_path):
    path = encoded(tmp_path / "one.mp4", g="1000", bf="2")
    times, frames = all_frames(path)
    np.testing.assert_array_equal(decoded(path, [times[7], times[50]]), frames[[7, 50]])


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_that_are_shown_before_the_key_frame_that_is_stored_before_them_are_found(
    tmp_path, suffix
):
    """Groups of pictures are open, so seeking in mp4, by decoding time, may lead too far."""
    openly = "open-gop=1:b-pyramid=2:scenecut=0"
    path = encoded(tmp_path / f"open.{suffix}", **{"g": "7", "bf": "3", "x264-params": openly})
    times, frames = all_frames(path)
    for place, second in enumerate(times):
        np.testing.assert_array_equal(decoded(path, [second])[0], frames[place])


def test_frames_are_shrunk_where_that_is_asked_for(g1_video):
    times, _ = all_frames(g1_video)
    assert decoded(g1_video, times[:3], size=80).shape == (3, 60, 80, 3)


def test_a_missing_video_is_named(tmp_path):
    with pytest.raises(DataError, match=re.escape(f"{tmp_path / 'absent.mp4'} cannot be decoded")):
        decoded(tmp_path / "absent.mp4", [0.0])


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_video_is_named(tmp_path, g1_video, share):
    path = tmp_path / "cut.mp4"
    content = g1_video.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
    times, _ = all_frames(g1_video)
    with pytest.raises(DataError, match=re.escape(str(path))) as caught:
        decoded(path, times[-3:])
    assert "copy or download it again" in caught.value.hint


def test_a_video_whose_data_end_early_is_named(tmp_path, pusht_video):
    """Its table of contents stands in front, so it opens, and ends where data are missing."""
    whole, path = min(pusht_video.root.glob("videos/*/*/*.mp4")), tmp_path / "cut.mp4"
    with (
        av.open(str(whole)) as source,
        av.open(str(path), "w", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    content = path.read_bytes()
    times, _ = all_frames(whole)
    assert len(decoded(path, times)) == len(times)
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(DataError, match=re.escape(str(path))):
        decoded(path, times)


@pytest.mark.parametrize("second", [0.05, 1e4])
def test_a_time_without_a_frame_is_named(g1_video, second):
    with pytest.raises(DataError, match=f"no frame at {second:.4f} s"):
        decoded(g1_video, [second])


@pytest.mark.slow
def test_torchcodec_gives_the_frames_that_lerobot_gives_with_it(g1, tmp_path, python):
    """In a process of its own that finds PyAV's FFmpeg, where the system has none."""
    libraries = Path(importlib.util.find_spec("av").origin).parents[1] / "av.libs"
    if not libraries.is_dir():
        pytest.skip("this PyAV brings no FFmpeg of its own")
    for library in libraries.iterdir():
        name = re.match(r"(lib(?:av|sw)\w+)-\w+\.so\.(\d+)", library.name)
        if name:
            (tmp_path / f"{name[1]}.so.{name[2]}").symlink_to(library)
    script = f"""
import warnings; warnings.simplefilter("ignore")
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.errors import DataError
from mezzanine_worlds_lerobot.config import LeRobotConfig
from mezzanine_worlds_lerobot.video import VideoTask
from mezzanine_worlds_lerobot.world import LeRobotWorld
root = {str(g1)!r}
world = LeRobotWorld(LeRobotConfig(root=root, n_train=25, n_test=2, delta_steps=3))
split = world.load().transitions("train")
assert world.source()["decoder"]["name"] == "torchcodec", world.source()
begins = np.cumsum([0, *LeRobotDataset("a/b", root=root).meta.episodes["length"]])
dataset = LeRobotDataset("a/b", root=root, video_backend="torchcodec")
start = world.pairs()["train"].start
for rows, batch in split.next_obs.fetch(np.arange(25), LocalExecutor(LocalConfig(workers=1))):
    for row, frame in zip(rows, batch):
        item = dataset[int(begins[split.episode[row]] + start[row] + 3)]
        theirs = item["observation.images.cam_high"].numpy().transpose(1, 2, 0)
        assert (np.round(255 * theirs) == frame).all(), row
video = root + "/videos/observation.images.cam_high/chunk-000/file-000.mp4"
for path, second in ((video, 1e4), (video, 0.05), (root + "/absent.mp4", 0.0)):
    try:
        list(VideoTask(path, [second], 0.01, None, "torchcodec").frames())
    except DataError as error:
        assert path in error.message
    else:
        raise AssertionError(path)
print("equal")
"""
    found = os.pathsep.join([str(tmp_path), str(libraries)])
    kept = {"LD_LIBRARY_PATH": found, "HF_DATASETS_CACHE": str(tmp_path / "datasets")}
    assert python(script, **kept).stdout.strip() == "equal"
