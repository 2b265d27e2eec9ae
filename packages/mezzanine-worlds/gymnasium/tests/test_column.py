import numpy as np
import pytest

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_worlds_gymnasium import column as module
from mezzanine_worlds_gymnasium.column import FrameColumn
from mezzanine_worlds_gymnasium.render import RenderTask, Replay, render
from mezzanine_worlds_gymnasium.rollout import RollTask, env_ref, roll

ROWS = [(2, 5), (0, 3), (1, 0), (0, 3), (0, 1), (2, 0), (1, 8)]


@pytest.fixture
def column(small):
    """Builds a column of some rows (episode, step) of three episodes."""

    def make(rows=ROWS, size=16, source="source", **changes) -> FrameColumn:
        config = small(**changes)
        episodes = [roll(RollTask(config, "train", number)) for number in range(3)]
        episode, step = (np.array(part, np.int64) for part in zip(*rows, strict=True))
        return FrameColumn(episodes, episode, step, env=env_ref(config), size=size, source=source)

    return make


def _alone(column: FrameColumn, row: int, size: int) -> np.ndarray:
    episode = column._episodes[column.episode[row]]
    replay = Replay(episode.seed, episode.actions, episode.history, (int(column.step[row]),))
    return render(RenderTask(column._env, (replay,), size))[0]


def test_fetched_rows_are_the_frames_that_they_stand_for(column, fetched) -> None:
    frames = column(size=32)
    images = fetched(frames)
    assert images.dtype == np.uint8
    assert images.shape == (7, 32, 32, 3)
    for row in range(7):
        np.testing.assert_array_equal(images[row], _alone(frames, row, 32))


def test_each_requested_row_comes_once_in_small_batches(column, serial) -> None:
    frames = column([(0, row % 9) for row in range(300)])
    wanted = np.arange(299, -1, -1)[:290]
    batches = list(frames.fetch(wanted, serial))
    assert sorted(np.concatenate([rows for rows, _ in batches])) == sorted(wanted)
    for rows, images in batches:
        assert rows.dtype == np.int64
        assert len(rows) == len(images) <= 256


def test_no_rows_give_no_batches(column, serial) -> None:
    assert list(column().fetch(np.empty(0, np.int64), serial)) == []


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_an_episode_is_played_by_one_task_unless_it_is_too_large(
    column, monkeypatch, serial, size
) -> None:
    monkeypatch.setattr(module, "_TASK_FRAMES", size)
    frames = column()
    parts = [rows for rows, _ in frames.fetch(np.arange(7), serial)]
    episodes = [set(frames.episode[rows].tolist()) for rows in parts]
    assert all(len(rows) <= size for rows in parts)
    for number, rows in ((0, 3), (1, 2), (2, 2)):
        assert sum(number in each for each in episodes) == -(-rows // size)


def test_images_do_not_depend_on_the_number_of_workers(column, monkeypatch, fetched) -> None:
    frames = column(env_id="LunarLander-v3", size=64)
    expected = fetched(frames)
    monkeypatch.setattr(module, "_PARALLEL_FRAMES", 1)
    monkeypatch.setattr(module, "_TASK_FRAMES", 3)
    with LocalExecutor(LocalConfig(workers=2)) as executor:
        batches = list(frames.fetch(np.arange(7), executor))
    assert len(batches) == 3
    for rows, images in batches:
        np.testing.assert_array_equal(images, expected[rows])


def test_keys_tell_frames_and_sources_apart_and_nothing_else(column) -> None:
    keys = column().keys
    same = (keys[:, None] == keys[None, :]).all(axis=-1)
    np.testing.assert_array_equal(same, [[one == other for other in ROWS] for one in ROWS])
    assert (column(source="another").keys != keys).any(axis=1).all()


def test_keys_are_shared_by_policies_as_long_as_they_act_alike(column) -> None:
    rows = [(0, step) for step in range(9)]
    random, right = column(rows), column(rows, policy="gym_toys:always_right")
    actions = [each._episodes[0].actions[:8] for each in (random, right)]
    apart = int(np.argmax(actions[0] != actions[1]))
    same = (random.keys == right.keys).all(axis=1)
    assert same.tolist() == [step <= apart for step in range(9)]
