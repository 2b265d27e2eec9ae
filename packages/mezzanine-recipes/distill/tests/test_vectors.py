"""Vector pictures for a report."""

from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from mezzanine_core.errors import OutputDirectoryError
from mezzanine_core.reports.vectors import inlined
from mezzanine_recipes_distill.vectors import hover, panel, save_vector

SVG = "{http://www.w3.org/2000/svg}"


def draw(axes):
    axes.plot([1, 2], [3, 4], "o", label="a < b", gid=hover('k = 1 & "more"'))
    axes.set_xlabel("Steps")
    axes.set_title("dropped")
    axes.legend()


def saved(path, figure=None):
    save_vector(figure or panel(draw), path)
    return path.read_bytes()


def test_marks_say_their_figures(tmp_path):
    root = ElementTree.fromstring(saved(tmp_path / "a.svg"))
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert titles == ['k = 1 & "more"']


def test_text_stays_text_and_the_ground_is_clear(tmp_path):
    root = ElementTree.fromstring(saved(tmp_path / "a.svg"))
    texts = {"".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")}
    assert {"Steps", "a < b"} <= texts
    assert "dropped" not in texts
    assert b"fill: #ffffff" not in (tmp_path / "a.svg").read_bytes()


def test_the_same_figure_gives_the_same_file(tmp_path):
    assert saved(tmp_path / "a.svg") == saved(tmp_path / "b.svg")


def test_a_report_takes_it(tmp_path):
    kept = inlined(saved(tmp_path / "a.svg"), "p1", "", "")
    assert "k = 1 &amp; " in kept
    assert "var(--c-" in kept


def test_long_labels_are_broken_and_a_legend_covers_nothing():
    def crowded(axes):
        draw(axes)
        axes.set_ylabel("Share of test items with a gap up to g, at least")

    figure = panel(crowded)
    assert "\n" in figure.axes[0].get_ylabel()
    assert figure.axes[0].get_legend() is None
    assert len(figure.legends) == 1


def test_a_picture_that_cannot_be_written_is_told_as_such(tmp_path):
    with pytest.raises(OutputDirectoryError, match="cannot be written"):
        save_vector(Figure(), tmp_path / "gone" / "a.svg")
