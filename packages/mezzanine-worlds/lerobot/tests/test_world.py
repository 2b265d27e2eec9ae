"""Pairs of frames with all that was done between them, split by episode, and their identities."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.worlds import Transitions
from mezzanine_worlds_lerobot.config import LeRobotConfig
from mezzanine_worlds_lerobot.world import LeRobotWorld


def keys_of(split):
    return {tuple(key) for part in (split.obs, split.next_obs) for key in part.keys.tolist()}


def starts_of(world, name):
    return world.pairs()[name].start


def set_values(key, values):
    """What puts other values into a column, given as a function of the table."""

    def change(table):
        kind = pa.list_(pa.float32())
        column = pa.array([row.tolist() for row in values(table)], kind)
        return table.set_column(table.column_names.index(key), key, column)

    return change


@settings(deadline=None, max_examples=25)
@given(
    delta=st.integers(1, 8),
    n_train=st.integers(1, 30),
    n_test=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_actions_are_all_that_was_done_between_the_frames(pusht, delta, n_train, n_test, seed):
    config = LeRobotConfig(
        root=str(pusht.root), delta_steps=delta, n_train=n_train, n_test=n_test, seed=seed
    )
    world = LeRobotWorld(config)
    data = world.load()
    for name, n in (("train", n_train), ("test", n_test)):
        split, starts = data.transitions(name), starts_of(world, name)
        assert len(split) == n
        for row, (episode, start) in enumerate(zip(split.episode, starts, strict=True)):
            assert 0 <= start < start + delta < len(pusht.frames[episode])
            done = pusht.actions[episode][start : start + delta]
            np.testing.assert_array_equal(split.action[row], done.ravel())


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 99), delta=st.integers(1, 8))
def test_splits_share_no_episode_and_no_frame(pusht, seed, delta):
    config = LeRobotConfig(
        root=str(pusht.root), delta_steps=delta, n_train=20, n_test=15, seed=seed
    )
    data = LeRobotWorld(config).load()
    train, test = data.transitions("train"), data.transitions("test")
    assert not set(train.episode) & set(test.episode)
    assert not keys_of(train) & keys_of(test)
    assert len(np.unique(train.keys, axis=0)) == 20


def test_features_are_named_by_what_they_are_and_when(world, pusht):
    split = world(pusht.root, delta_steps=2).load().transitions("test")
    assert split.action_names == ("x@0", "y@0", "x@1", "y@1")
    assert split.state is None


def test_the_state_is_that_at_the_first_frame(world, pusht, played):
    opened = world(pusht.root, delta_steps=3, state_key="observation.state")
    split = opened.load().transitions("train")
    assert split.state_names == ("x", "y")
    starts = starts_of(opened, "train")
    expected = [played[e]["states"][t] for e, t in zip(split.episode, starts, strict=True)]
    np.testing.assert_array_equal(split.state, expected)


def test_transitions_of_a_real_robot_are_those_that_lerobot_gives(world, g1, reference, fetched):
    opened = world(g1, n_train=25, delta_steps=4, state_key="observation.state")
    split = opened.load().transitions("train")
    begins = np.cumsum([0, *opened._opened.metadata.lengths])
    first = begins[split.episode] + starts_of(opened, "train")
    camera = "observation.images.cam_high"
    items = reference(
        g1, first.tolist(), delta_timestamps={"action": [step / 10 for step in range(4)]}
    )
    following = reference(g1, (first + 4).tolist())
    obs, next_obs = fetched(split.obs), fetched(split.next_obs)
    for row, (before, after) in enumerate(zip(items, following, strict=True)):
        assert int(before["episode_index"]) == int(after["episode_index"]) == split.episode[row]
        np.testing.assert_array_equal(obs[row], before[camera])
        np.testing.assert_array_equal(next_obs[row], after[camera])
        np.testing.assert_array_equal(split.action[row], before["action"].numpy().ravel())
        np.testing.assert_array_equal(split.state[row], before["observation.state"].numpy())


@pytest.mark.parametrize("name", ["pusht", "pusht_video"])
def test_equal_frames_have_equal_keys_whatever_is_drawn(request, world, name, fetched):
    """Over draws that differ in everything: the key decides the frame, and the frame the key."""
    root = request.getfixturevalue(name).root
    found = {}
    for settings_ in ({}, {"seed": 3, "delta_steps": 2}, {"episodes": "0:5", "n_test": 5}):
        split = world(root, **settings_).load().transitions("train")
        for column in (split.obs, split.next_obs):
            for key, frame in zip(column.keys, fetched(column), strict=True):
                assert (found.setdefault(key.tobytes(), frame) == frame).all()
    frames = world(root)._opened.metadata.lengths.sum()
    assert 60 < len(found) <= frames


@pytest.mark.parametrize("change", [{"image_size": 32}, {"image_size": 48}])
def test_other_images_have_other_keys(world, pusht, change):
    first, second = (
        world(pusht.root, **settings_).load().transitions("train") for settings_ in ({}, change)
    )
    assert not keys_of(first) & keys_of(second)


def test_the_same_files_in_another_folder_are_the_same_data_set(world, copied, pusht):
    first, second = world(pusht.root), world(copied(pusht.root))
    assert first.fingerprint() == second.fingerprint()
    keys = [one.load().transitions("test").keys for one in (first, second)]
    np.testing.assert_array_equal(*keys)


def test_other_actions_make_another_data_set_of_other_transitions(world, altered, pusht_video):
    def values(table):
        return np.stack(table.column("action").to_pylist()) + 1

    changed = altered(pusht_video.root, set_values("action", values))
    first, second = world(pusht_video.root), world(changed)
    assert first.fingerprint() != second.fingerprint()
    one, other = (opened.load().transitions("train") for opened in (first, second))
    np.testing.assert_array_equal(one.obs.keys, other.obs.keys)
    assert not (one.keys == other.keys).all(axis=1).any()


def test_another_video_makes_another_data_set_of_other_frames(world, copied, g1):
    root = copied(g1)
    (video,) = root.glob("videos/*/*/*.mp4")
    video.write_bytes(video.read_bytes() + b"\0")
    first, second = world(g1), world(root)
    assert first.fingerprint() != second.fingerprint()
    assert not keys_of(first.load().transitions("train")) & keys_of(
        second.load().transitions("train")
    )


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"delta_steps": 2},
        {"n_train": 29},
        {"n_test": 19},
        {"episodes": "0:7"},
        {"state_key": "observation.state"},
        {"action_key": "observation.state"},
        {"image_size": 32},
    ],
)
def test_settings_that_change_the_data_change_the_fingerprint(world, pusht, change):
    assert world(pusht.root).fingerprint() != world(pusht.root, **change).fingerprint()


def test_what_the_data_set_is_called_does_not_change_the_fingerprint(world, pusht):
    named = world(pusht.root, repo_id="org/name", camera_key="observation.image")
    assert world(pusht.root).fingerprint() == named.fingerprint()


def test_equal_settings_draw_equal_splits_and_other_seeds_others(world, pusht):
    first, second, third = (
        world(pusht.root, seed=seed).load().transitions("train").keys for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)


def test_only_the_episodes_asked_for_are_drawn_from(world, pusht):
    data = world(pusht.root, episodes="1:4,6", n_train=20, n_test=10).load()
    drawn = {int(e) for split in data.splits.values() for e in split.episode}
    assert drawn <= {1, 2, 3, 6}


def test_loading_decodes_no_frame(world, copied, g1):
    root = copied(g1)
    (video,) = root.glob("videos/*/*/*.mp4")
    video.write_bytes(b"this is no video")
    assert isinstance(world(root).load().splits["train"], Transitions)


def test_the_report_says_what_was_drawn_from_what(world, pusht):
    report = world(pusht.root, n_train=40, n_test=20, delta_steps=2).load().report
    assert (report["kind"], report["format"], report["fps"]) == ("folder", "v3.0", 10)
    assert report["delta_seconds"] == pytest.approx(0.2)
    assert report["camera"]["decoder"] == {"name": "pillow"}
    splits = report["splits"]
    assert splits["train"]["episodes"] + splits["test"]["episodes"] == report["episodes"] == 8
    available = sum(split["pairs_available"] for split in splits.values())
    assert available == sum(len(frames) - 2 for frames in pusht.frames)
    assert (splits["train"]["pairs"], splits["test"]["pairs"]) == (40, 20)


def test_the_report_says_what_decodes_a_video(world, pusht_video):
    decoder = world(pusht_video.root).load().report["camera"]["decoder"]
    assert decoder["name"] == "pyav"
    assert decoder["version"]


@pytest.mark.parametrize("key", ["action", "observation.state"])
def test_a_value_that_is_not_finite_is_named_by_episode_and_frame(world, altered, pusht, key):
    def values(table):
        found = np.stack(table.column(key).to_pylist())
        step = np.asarray(table.column("frame_index"))
        found[(np.asarray(table.column("episode_index")) == 3) & (step == 7)] = np.nan
        return found

    root = altered(pusht.root, set_values(key, values))
    settings_ = {"n_train": 80, "n_test": 55, "state_key": "observation.state"}
    with pytest.raises(DataError, match=f"'{key}' of episode 3, frame 7, is not finite"):
        world(root, **settings_).load()


def test_a_value_that_no_pair_uses_need_not_be_finite(world, altered, pusht):
    """Nothing is done at the last frame of an episode, which some data sets mark with NaN."""

    def values(table):
        found = np.stack(table.column("action").to_pylist())
        step = np.asarray(table.column("frame_index"))
        found[np.append(step[1:] == 0, True)] = np.nan
        return found

    root = altered(pusht.root, set_values("action", values))
    world(root, n_train=80, n_test=50).load()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delta_steps": 25}, "longest of 8 episodes has 25 frames"),
        ({"delta_steps": 22}, "only one episode"),
        ({"episodes": "2"}, "only one episode"),
        ({"n_train": 120}, "8 episodes have 138 pairs"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_there_is(world, pusht, change, message):
    with pytest.raises(DataError, match=message):
        world(pusht.root, **change).load()


@pytest.mark.parametrize("change", [{"camera_key": "a"}, {"action_key": "a"}, {"state_key": "a"}])
def test_keys_that_are_not_there_are_refused_before_anything_is_read(world, pusht, change):
    with pytest.raises(ConfigError, match=r"no (camera|action|state) 'a'; it has 'observation|act"):
        world(pusht.root, **change).source()


def test_a_missing_video_is_named_on_loading(world, copied, g1):
    root = copied(g1)
    (video,) = root.glob("videos/*/*/*.mp4")
    video.unlink()
    with pytest.raises(DataError, match=f"no file {video}"):
        world(root).load()
