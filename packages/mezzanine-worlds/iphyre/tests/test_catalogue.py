import numpy as np
import pytest

from mezzanine_worlds_iphyre.catalogue import BLOCKS, FPS, GAMES, MAX_BLOCKS, SIZE


def test_the_catalogue_is_that_of_the_simulator(iphyre) -> None:
    paras = iphyre.games.PARAS
    assert {game: sum(layout["eli"]) for game, layout in paras.items()} == dict(BLOCKS)
    assert tuple(paras) == GAMES
    assert iphyre.games.MAX_ELI_OBJ_NUM == MAX_BLOCKS == 6


def test_speed_and_size_are_those_of_the_simulator(iphyre) -> None:
    env = iphyre.simulator.IPHYRE("hole")
    assert (env.FPS, env.WIDTH, env.HEIGHT) == (FPS, SIZE, SIZE)


@pytest.mark.parametrize("game", GAMES)
def test_removable_blocks_do_not_move_so_their_centres_stay_where_they_are(
    iphyre, game: str
) -> None:
    layout = iphyre.games.PARAS[game]
    assert not any(np.array(layout["dynamic"])[np.array(layout["eli"]) == 1])
