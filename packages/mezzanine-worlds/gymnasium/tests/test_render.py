import hashlib

import gymnasium
import numpy as np
import pytest

from mezzanine_core.errors import DataError
from mezzanine_worlds_gymnasium import render as module
from mezzanine_worlds_gymnasium.environments import EnvRef, headless
from mezzanine_worlds_gymnasium.render import RenderTask, Replay, render, sized
from mezzanine_worlds_gymnasium.rollout import Episode, RollTask, env_ref, roll

ENVIRONMENTS = [
    "CartPole-v1",
    "Pendulum-v1",
    "MountainCar-v0",
    "Acrobot-v1",
    "Taxi-v4",
    "LunarLander-v3",
    "BipedalWalker-v3",
]


def _replay(episode: Episode, *steps: int) -> Replay:
    last = steps[-1]
    return Replay(episode.seed, episode.actions[:last], episode.history[: last + 1], steps)


def _plain(env_id: str, episode: Episode) -> np.ndarray:
    """Every frame of an episode, as a plain loop renders them."""
    with headless():
        env = gymnasium.make(env_id, render_mode="rgb_array", max_episode_steps=1000)
        env.reset(seed=episode.seed)
        images = [env.render()]
        for action in episode.actions:
            env.step(action)
            images.append(env.render())
        env.close()
    return np.stack(images)


def _check_parity(small, env_id: str) -> None:
    config = small(env_id=env_id, max_steps=30)
    episode = roll(RollTask(config, "train", 0))
    expected = _plain(env_id, episode)
    steps = sorted({0, 1, 4, 5, len(episode) - 2, len(episode) - 1} & set(range(len(episode))))
    images = render(RenderTask(env_ref(config), (_replay(episode, *steps),), None))
    np.testing.assert_array_equal(images, expected[steps])
    assert (images[0] != images[-1]).any()


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_frames_are_those_of_a_plain_loop_bit_for_bit(small, env_id: str) -> None:
    _check_parity(small, env_id)


def test_pictures_that_depend_on_the_rendering_are_found_out(toy, monkeypatch) -> None:
    monkeypatch.setattr(module, "_CHECKED", 1)
    config = toy({"fault": "fading"}).config
    episode = roll(RollTask(config, "train", 0))
    with pytest.raises(DataError, match="the same state differently") as caught:
        render(RenderTask(env_ref(config), (_replay(episode, 3, 5),), None))
    assert "rendering=every" in caught.value.hint


def test_with_every_step_rendered_pictures_that_depend_on_it_are_those_of_a_plain_loop(toy) -> None:
    config = toy({"fault": "fading"}, rendering="every").config
    episode = roll(RollTask(config, "train", 0))
    images = render(RenderTask(env_ref(config), (_replay(episode, 3, 5),), None))
    assert images[:, 0, 0, 0].tolist() == [3, 5]


@pytest.mark.parametrize("env_id", ["LunarLander-v3", "BipedalWalkerHardcore-v3"])
def test_environments_known_to_count_their_renderings_render_every_step(small, env_id) -> None:
    assert env_ref(small(env_id=env_id)).every
    assert not env_ref(small(env_id=env_id, rendering="wanted")).every
    assert not env_ref(small(env_id=env_id, observations="vector")).every
    assert not env_ref(small()).every


@pytest.mark.usefixtures("mujoco_renders")
def test_frames_of_mujoco_are_those_of_a_plain_loop_bit_for_bit(small) -> None:
    _check_parity(small, "InvertedPendulum-v5")


@pytest.mark.parametrize("env_id", ["Pendulum-v1", "LunarLander-v3"])
def test_a_frame_is_the_same_whatever_else_is_rendered(small, env_id: str) -> None:
    config = small(env_id=env_id)
    one, other = (roll(RollTask(config, "train", number)) for number in (0, 1))
    ref = env_ref(config)
    alone = render(RenderTask(ref, (_replay(one, 9),), 64))[0]
    among = render(RenderTask(ref, (_replay(other, 0, 20), _replay(one, 3, 9, 30)), 64))
    np.testing.assert_array_equal(among[3], alone)


def test_a_frame_is_the_same_in_another_process_which_says_nothing(small, python) -> None:
    config = small(env_id="LunarLander-v3")
    episode = roll(RollTask(config, "train", 0))
    images = render(RenderTask(env_ref(config), (_replay(episode, 1, 25),), 128))
    script = (
        "import hashlib, sys\n"
        "from mezzanine_worlds_gymnasium.config import GymnasiumConfig\n"
        "from mezzanine_worlds_gymnasium.render import RenderTask, Replay, render\n"
        "from mezzanine_worlds_gymnasium.rollout import RollTask, env_ref, roll\n"
        f"config = GymnasiumConfig.model_validate_json({config.model_dump_json()!r})\n"
        "e = roll(RollTask(config, 'train', 0))\n"
        "replay = Replay(e.seed, e.actions, e.history, (1, 25))\n"
        "task = RenderTask(env_ref(config), (replay,), 128)\n"
        "sys.stdout.write(hashlib.sha256(render(task).tobytes()).hexdigest())"
    )
    result = python(script, PYTHONHASHSEED="7")
    assert result.stdout == hashlib.sha256(images.tobytes()).hexdigest()
    assert result.stderr == ""


def test_an_environment_that_does_not_repeat_itself_is_told_with_the_step(toy) -> None:
    config = toy({"fault": "drift"}).config
    episode = roll(RollTask(config, "train", 0))
    with pytest.raises(DataError, match=rf"from seed {episode.seed} .* at step [2-9]") as caught:
        render(RenderTask(env_ref(config), (_replay(episode, 10),), None))
    assert "gym_toys:Line-v0" in caught.value.message
    assert "observations=vector" in caught.value.hint


def test_other_actions_than_recorded_are_found_out(toy) -> None:
    config = toy().config
    episode = roll(RollTask(config, "train", 0))
    replay = _replay(episode, 10)
    forged = replay._replace(actions=1 - replay.actions)
    with pytest.raises(DataError, match="another observation at step 1"):
        render(RenderTask(env_ref(config), (forged,), None))


def test_what_is_no_rgb_image_is_refused(toy) -> None:
    config = toy({"fault": "grey"}).config
    episode = roll(RollTask(config, "train", 0))
    with pytest.raises(DataError, match=r"renders uint8 \[8, 12\], not an image"):
        render(RenderTask(env_ref(config), (_replay(episode, 1),), 16))


def test_frames_of_different_sizes_need_a_size(toy) -> None:
    config = toy({"fault": "growing"}).config
    episode = roll(RollTask(config, "train", 0))
    replays = (_replay(episode, 1, 2),)
    with pytest.raises(DataError, match="different sizes") as caught:
        render(RenderTask(env_ref(config), replays, None))
    assert "frame_size" in caught.value.hint
    assert render(RenderTask(env_ref(config), replays, 16)).shape == (2, 16, 16, 3)


def test_an_environment_that_fails_is_named(toy) -> None:
    config = toy().config
    episode = roll(RollTask(config, "train", 0))
    ref = EnvRef(config.env_id, {"fault": "raise"}, True)
    with pytest.raises(DataError, match=r"rendering the episode .* RuntimeError: the wheel"):
        render(RenderTask(ref, (_replay(episode, 5),), None))


def test_averaging_by_a_whole_factor_is_the_mean_of_each_box() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    boxes = image.reshape(16, 4, 16, 6, 3).astype(float).mean(axis=(1, 3))
    # Pillow rounds after each of its two passes.
    assert np.abs(sized(image, 16) - boxes).max() <= 1


def test_averaging_is_the_one_that_the_version_of_the_renderer_stands_for() -> None:
    """If Pillow averages differently, ``RENDERER`` must grow, or caches would mix both."""
    rows, columns, channels = np.mgrid[:400, :600, :3]
    image = ((rows * 7 + columns * columns + channels * 31) % 256).astype(np.uint8)
    digest = hashlib.sha256(sized(image, 96).tobytes()).hexdigest()
    assert digest == "e39a4e35015330d1b414bed68507140e5fbb1aa9c6d60ef6a7ae837e88a9da31"
