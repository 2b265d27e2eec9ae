import hashlib
import sys

import numpy as np
import pytest

from mezzanine_core.errors import DataError, MissingDependencyError
from mezzanine_worlds_iphyre.catalogue import BLOCKS, GAMES, SIZE
from mezzanine_worlds_iphyre.samples import Click, Clicks, Frame
from mezzanine_worlds_iphyre.simulate import Canvas, Episode, RenderTask, downsample, render


def _frame(game: str, clicks: Clicks, step: int) -> Frame:
    return Frame(game, tuple(click for click in clicks if click.step < step), step)


@pytest.mark.parametrize(
    ("game", "clicks"),
    [
        ("hole", (Click(0, 2), Click(25, 0), Click(100, 3))),
        ("seesaw", (Click(7, 0), Click(8, 1))),
        ("multi_ball_spring", (Click(30, 0), Click(31, 1), Click(90, 3))),
        ("multi_ball_lever", (Click(12, 1),)),
        ("activated_pendulum", (Click(3, 2), Click(40, 0))),
        ("pendulum", ()),
    ],
)
def test_frames_are_those_of_the_simulator_bit_for_bit(reference, game, clicks) -> None:
    steps = [0, 1, 8, 31, 60, 101, 240]
    expected = reference(game, clicks, steps)
    frames = tuple(_frame(game, clicks, step) for step in steps)
    np.testing.assert_array_equal(render(RenderTask(frames, SIZE)), expected)


@pytest.mark.parametrize("game", GAMES)
def test_every_game_plays_like_the_simulator_with_all_its_blocks_clicked(reference, game) -> None:
    clicks = tuple(Click(10 * block + 5, block) for block in range(BLOCKS[game]))
    expected = reference(game, clicks, [90])
    np.testing.assert_array_equal(render(RenderTask((Frame(game, clicks, 90),), SIZE)), expected)


def test_the_ball_is_red_on_white_and_falls_to_the_bottom() -> None:
    high, low = render(RenderTask((Frame("support", (), 0), Frame("support", (), 40)), SIZE))
    assert high[0, 0].tolist() == [255, 255, 255]
    assert high[345, 245].tolist() == [255, 0, 0]

    def row_of_ball(image) -> float:
        red = (image == (255, 0, 0)).all(axis=-1)
        return float(np.nonzero(red)[0].mean())

    assert row_of_ball(low) > row_of_ball(high) + 10


def test_a_frame_is_the_same_whatever_was_simulated_before() -> None:
    wanted = Frame("multi_ball_lever", (Click(12, 1),), 100)
    alone = render(RenderTask((wanted,), 64))[0]
    others = tuple(Frame(game, (), 50) for game in ("hole", "multi_ball_lever", "spring"))
    later = Frame("multi_ball_lever", (Click(12, 1),), 160)
    np.testing.assert_array_equal(render(RenderTask((*others, wanted, later), 64))[3], alone)


def test_a_frame_is_the_same_in_another_process_which_says_nothing(python) -> None:
    games = ("multi_ball_spring", "hole", "multi_ball_fill", "spring_flick")
    frames = tuple(Frame(game, (Click(9, 0), Click(20, 1)), 150) for game in games)
    here = hashlib.sha256(render(RenderTask(frames, 128)).tobytes()).hexdigest()
    script = (
        "import hashlib, sys\n"
        "from mezzanine_worlds_iphyre.samples import Click, Frame\n"
        "from mezzanine_worlds_iphyre.simulate import RenderTask, render\n"
        "litter = [bytearray(7 * n) for n in range(1000)]\n"
        f"frames = tuple(Frame(g, (Click(9, 0), Click(20, 1)), 150) for g in {games!r}[::-1])\n"
        "images = render(RenderTask(frames, 128))[::-1]\n"
        "sys.stdout.write(hashlib.sha256(images.tobytes()).hexdigest())"
    )
    result = python(script, PYTHONHASHSEED="7")
    assert result.stdout == here
    assert result.stderr == ""


def test_playing_leaves_the_display_and_the_sound_alone(python) -> None:
    script = (
        "from mezzanine_worlds_iphyre.samples import Frame\n"
        "from mezzanine_worlds_iphyre.simulate import RenderTask, render\n"
        "render(RenderTask((Frame('hole', (), 3),), 32))\n"
        "import pygame\n"
        "print(pygame.display.get_init(), pygame.mixer.get_init())"
    )
    assert python(script).stdout.strip() == "False None"


def test_frames_out_of_the_order_of_their_steps_are_refused() -> None:
    with pytest.raises(DataError, match="cannot go back to 4"):
        render(RenderTask((Frame("hole", (), 5), Frame("hole", (), 4)), 32))


def test_a_block_that_is_gone_cannot_be_clicked_again() -> None:
    clicks = (Click(3, 1), Click(9, 1))
    with pytest.raises(DataError, match="hole: the click on block 1 at step 9 hits nothing"):
        render(RenderTask((Frame("hole", clicks, 20),), 32))


def test_averaging_by_a_whole_factor_is_the_mean_of_each_box() -> None:
    image = Canvas().draw(Episode("seesaw", ()))
    boxes = image.reshape(100, 6, 100, 6, 3).astype(float).mean(axis=(1, 3))
    # Pillow rounds after each of its two passes.
    assert np.abs(downsample(image, 100) - boxes).max() <= 1
    np.testing.assert_array_equal(downsample(image, SIZE), image)


def test_averaging_is_the_one_that_the_version_of_the_renderer_stands_for() -> None:
    """If Pillow averages differently, ``RENDERER`` must grow, or caches would mix both."""
    rows, columns, channels = np.mgrid[:600, :600, :3]
    image = ((rows * 7 + columns * columns + channels * 31) % 256).astype(np.uint8)
    digest = hashlib.sha256(downsample(image, 128).tobytes()).hexdigest()
    assert digest == "0d0ccb248750f9af9c97bf8801d668b68feded6d8098520ef995cfb9269e3f66"


@pytest.mark.parametrize("missing", ["iphyre.simulator", "pygame", "pymunk.pygame_util"])
def test_a_missing_part_of_the_simulator_is_named(monkeypatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingDependencyError, match=missing) as caught:
        Episode("hole", ())
    assert "pip install" in str(caught.value)
