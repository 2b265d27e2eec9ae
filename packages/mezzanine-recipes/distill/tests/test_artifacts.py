from pathlib import Path

import pytest
from matplotlib.figure import Figure

from mezzanine_core.errors import OutputDirectoryError
from mezzanine_recipes_distill.artifacts import save_figure, writing

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
def test_full_disk_is_told_by_figure_and_reason(tmp_path):
    path = tmp_path / "plot.png"
    path.symlink_to(FULL)
    with pytest.raises(OutputDirectoryError, match=r"plot\.png.*No space left on device"):
        save_figure(Figure(), path)


def test_missing_folder_is_told_by_figure_and_reason(tmp_path):
    with pytest.raises(OutputDirectoryError, match=r"plot\.png.*No such file or directory"):
        save_figure(Figure(), tmp_path / "gone" / "plot.png")


def test_errors_without_a_reason_of_the_system_are_told_in_their_own_words(tmp_path):
    with pytest.raises(OutputDirectoryError, match="encoder error -2"), writing(tmp_path):
        raise OSError("encoder error -2")


def test_other_errors_pass(tmp_path):
    with pytest.raises(ZeroDivisionError), writing(tmp_path):
        raise ZeroDivisionError
