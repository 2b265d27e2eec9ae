"""Steps are what lerobot reads, and what is missing or damaged is named."""

import numpy as np
import pyarrow as pa
import pytest

from mezzanine_core.errors import DataError
from mezzanine_worlds_lerobot.metadata import Feature
from mezzanine_worlds_lerobot.sources import LocalFolder
from mezzanine_worlds_lerobot.steps import read_steps


def steps_of(root, places=(0, 3), keys=("action", "observation.state")):
    source = LocalFolder(root, "name")
    metadata = source.metadata()
    return read_steps(source, metadata, places, [metadata.features[key] for key in keys])


@pytest.mark.parametrize("name", ["pusht", "pusht_video"])
def test_steps_of_the_play_are_read(request, name, played):
    written = request.getfixturevalue(name)
    for place, steps in steps_of(written.root, range(8)).items():
        np.testing.assert_array_equal(steps.vectors["action"], played[place]["actions"])
        np.testing.assert_array_equal(steps.vectors["observation.state"], played[place]["states"])
        np.testing.assert_allclose(steps.seconds, np.arange(len(steps.row)) / 10, atol=1e-6)


def test_steps_of_a_real_robot_are_those_that_lerobot_gives(g1, reference):
    steps = steps_of(g1, [0, 1])
    items = reference(g1, [0, 130, 131, 200])
    for (place, step), item in zip([(0, 0), (0, 130), (1, 0), (1, 69)], items, strict=True):
        assert int(item["episode_index"]) == place
        for key in ("action", "observation.state"):
            np.testing.assert_array_equal(steps[place].vectors[key][step], item[key].numpy())
        assert steps[place].seconds[step] == float(item["timestamp"])


def test_vectors_of_length_one_are_read_whether_stored_as_lists_or_as_numbers(altered, pusht):
    def with_two(table):
        reward = pa.array(np.arange(len(table), dtype=np.float32))
        listed = pa.array([[float(value)] for value in range(len(table))], pa.list_(pa.float32()))
        return table.append_column("reward", reward).append_column("listed", listed)

    source = LocalFolder(altered(pusht.root, with_two), "name")
    features = [Feature(key, "float32", (1,), ()) for key in ("reward", "listed")]
    steps = read_steps(source, source.metadata(), [1], features)[1]
    np.testing.assert_array_equal(steps.vectors["reward"][:, 0], steps.row)
    np.testing.assert_array_equal(steps.vectors["listed"][:, 0], steps.row)


def test_a_missing_file_is_named(copied, pusht):
    root = copied(pusht.root)
    file = min((root / "data").glob("*/*.parquet"))
    file.unlink()
    with pytest.raises(DataError, match=f"no file {file}") as caught:
        steps_of(root)
    assert "--episodes" in caught.value.hint


def test_a_truncated_file_is_named(copied, pusht):
    root = copied(pusht.root)
    file = min((root / "data").glob("*/*.parquet"))
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(DataError, match=f"{file} cannot be read as parquet"):
        steps_of(root)


def test_an_episode_with_fewer_steps_than_the_metadata_say_is_named(altered, pusht):
    root = altered(pusht.root, lambda table: table.slice(1))
    with pytest.raises(DataError, match=r"episode 0 has 14 frames by the metadata, but .* has 13"):
        steps_of(root)


def test_steps_in_another_order_are_refused(altered, pusht):
    def backwards(table):
        return table.take(pa.array(np.arange(len(table))[::-1]))

    with pytest.raises(DataError, match="of it in another order"):
        steps_of(altered(pusht.root, backwards))


def test_a_column_that_is_not_there_is_named(altered, pusht):
    root = altered(pusht.root, lambda table: table.drop_columns(["action"]))
    with pytest.raises(DataError, match="has no column 'action'"):
        steps_of(root)


def test_actions_of_different_lengths_are_refused(altered, pusht):
    def ragged(table):
        place = table.column_names.index("action")
        values = [[1.0], *([[1.0, 2.0, 3.0], [1.0, 2.0]] * len(table))][: len(table)]
        return table.set_column(place, "action", pa.array(values, pa.list_(pa.float32())))

    with pytest.raises(DataError, match=r"'action' of episode 0 .* not have 2 numbers"):
        steps_of(altered(pusht.root, ragged))
