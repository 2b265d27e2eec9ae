"""What a data set says of itself is what lerobot reads, and what it lacks is said."""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_worlds_lerobot.errors import FormatError
from mezzanine_worlds_lerobot.metadata import FORMAT, Feature, read_metadata
from mezzanine_worlds_lerobot.sources import LocalFolder


def metadata_of(root):
    return LocalFolder(root, "org/name").metadata()


def change_info(root, **fields):
    path = root / "meta" / "info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    return root


@pytest.fixture(params=["g1", "pusht", "pusht_video"])
def root(request):
    found = request.getfixturevalue(request.param)
    return found if isinstance(found, Path) else found.root


def test_the_format_is_the_one_that_lerobot_writes(lerobot_dataset):
    from lerobot.datasets import lerobot_dataset as module

    assert module.CODEBASE_VERSION == FORMAT


def test_metadata_agree_with_those_that_lerobot_reads(root, lerobot_dataset):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lerobot_dataset("any/name", root=root).meta
    ours = metadata_of(root)
    assert ours.fps == theirs.fps
    assert list(ours.features) == list(theirs.features)
    assert [f.key for f in ours.features.values() if f.is_camera] == theirs.camera_keys
    assert ours.numbers.tolist() == list(range(theirs.total_episodes))
    assert ours.lengths.sum() == theirs.total_frames
    for place in range(theirs.total_episodes):
        assert ours.data_file(place) == str(theirs.get_data_file_path(place))
        assert ours.lengths[place] == theirs.episodes[place]["length"]
        for camera in theirs.video_keys:
            assert ours.video_file(place, camera) == str(theirs.get_video_file_path(place, camera))
            start = theirs.episodes[place][f"videos/{camera}/from_timestamp"]
            assert ours.video_start(place, camera) == start


def test_episodes_lie_in_several_files_of_the_written_data_sets(pusht, pusht_video):
    images, videos = metadata_of(pusht.root), metadata_of(pusht_video.root)
    assert len({images.data_file(place) for place in range(8)}) > 1
    assert len({videos.video_file(place, "observation.image") for place in range(8)}) > 1


@pytest.mark.parametrize(
    "names", [["x", "y"], [["x", "y"]], {"motors": ["x", "y"]}, {"x": 0, "y": 1}, {"a": ["x", "y"]}]
)
def test_names_of_parts_are_found_however_they_are_nested(copied, pusht, names):
    root = copied(pusht.root)
    info = json.loads((root / "meta" / "info.json").read_text())
    info["features"]["action"]["names"] = names
    change_info(root, features=info["features"])
    assert metadata_of(root).features["action"].part_names() == ("x", "y")


@pytest.mark.parametrize("names", [(), ("x",), ("x", "x"), ("x", "y", "z")])
def test_parts_without_fitting_names_are_called_by_their_place(names):
    assert Feature("action", "float32", (2,), names).part_names() == ("0", "1")


def test_the_only_camera_needs_no_name(pusht):
    assert metadata_of(pusht.root).camera(None).key == "observation.image"


def test_a_camera_that_is_not_there_is_refused_and_the_cameras_are_listed(pusht):
    with pytest.raises(ConfigError, match=r"no camera 'top'; it has 'observation\.image'"):
        metadata_of(pusht.root).camera("top")


def test_one_of_several_cameras_has_to_be_named(copied, pusht):
    root = copied(pusht.root)
    features = json.loads((root / "meta" / "info.json").read_text())["features"]
    change_info(root, features={**features, "wrist": features["observation.image"]})
    with pytest.raises(ConfigError, match=r"2 cameras: 'observation\.image', 'wrist'") as caught:
        metadata_of(root).camera(None)
    assert "--camera_key" in caught.value.hint


def test_an_action_that_is_not_there_is_refused_and_the_actions_are_listed(pusht):
    with pytest.raises(ConfigError, match="no action 'push'; it has 'action'") as caught:
        metadata_of(pusht.root).vector("push", "action")
    assert "--action_key" in caught.value.hint


@pytest.mark.parametrize("change", [{"dtype": "int64"}, {"shape": [2, 1]}])
def test_an_action_that_is_no_real_vector_is_refused_with_what_it_is(copied, pusht, change):
    root = copied(pusht.root)
    features = json.loads((root / "meta" / "info.json").read_text())["features"]
    change_info(root, features={**features, "action": {**features["action"], **change}})
    found = f"{change.get('dtype', 'float32')} and shape {[*change.get('shape', [2])]}"
    with pytest.raises(ConfigError) as caught:
        metadata_of(root).vector("action", "action")
    assert found in caught.value.message


def test_unknown_episodes_are_refused_with_those_there_are(pusht):
    with pytest.raises(ConfigError, match="no episode 8; it has 8 episodes, 0 to 7"):
        metadata_of(pusht.root).chosen([1, 8, 9])


@pytest.mark.parametrize(("version", "first"), [("v2.1", ""), ("v2.0", "First bring it to v2.1")])
def test_an_older_format_is_refused_with_how_to_convert_it(copied, pusht, version, first):
    root = change_info(copied(pusht.root), codebase_version=version)
    with pytest.raises(FormatError, match=f"old format {version}; v3.0 is read") as caught:
        metadata_of(root)
    assert caught.value.hint.startswith(first)
    assert "convert_dataset_v21_to_v30 --repo-id=org/name --root=" in caught.value.hint


def test_a_newer_format_is_refused(copied, pusht):
    with pytest.raises(FormatError, match=r"format v4\.0; v3\.0 is read"):
        metadata_of(change_info(copied(pusht.root), codebase_version="v4.0"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"fps": 10}', '{"codebase_version": "new"}'])
def test_a_damaged_info_is_named(copied, pusht, text):
    root = copied(pusht.root)
    (root / "meta" / "info.json").write_text(text)
    with pytest.raises(DataError, match=r"info\.json is no info\.json of LeRobot"):
        metadata_of(root)


def test_a_data_set_that_was_not_finalized_is_refused_with_what_to_do(copied, pusht):
    root = copied(pusht.root)
    shutil.rmtree(root / "meta" / "episodes")
    with pytest.raises(DataError, match="holds no parquet file") as caught:
        metadata_of(root)
    assert "finalize()" in caught.value.hint


def test_damaged_episodes_are_named(copied, pusht):
    root = copied(pusht.root)
    (file,) = (root / "meta" / "episodes").glob("*/*.parquet")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match="metadata of data set 'org/name' cannot be read"):
        metadata_of(root)


def test_metadata_that_lack_a_field_are_refused(copied, pusht):
    source = LocalFolder(copied(pusht.root), "org/name")
    (file,) = (source.folder / "meta" / "episodes").glob("*/*.parquet")
    info = json.loads((source.folder / "meta" / "info.json").read_text())
    del info["fps"]
    with pytest.raises(DataError, match="KeyError: 'fps'"):
        read_metadata(info, [file], "org/name")


def test_a_folder_without_a_data_set_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no LeRobot data set: it has no meta/info\.json"):
        LocalFolder(tmp_path, "x")
    with pytest.raises(ConfigError, match="there is no such folder"):
        LocalFolder(tmp_path / "absent", "x")


def test_lengths_are_those_of_the_play(pusht):
    ours = metadata_of(pusht.root)
    np.testing.assert_array_equal(ours.lengths, [len(frames) for frames in pusht.frames])
