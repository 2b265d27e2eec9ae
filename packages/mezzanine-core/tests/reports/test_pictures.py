"""Which pictures of a run a page shows."""

import base64

import pytest

from mezzanine_core.presentation import Picture
from mezzanine_core.reports.pictures import MOST_BYTES, shown

PNG = (
    b"\x89PNG\r\n\x1a\n"
    + b"\x00\x00\x00\rIHDR"
    + (640).to_bytes(4, "big")
    + (480).to_bytes(4, "big")
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"><path d="M0 0"/></svg>'


def picture(name):
    return Picture(file=name, title="Ranks", caption="See the left end.", alt="A line.")


def test_captioned_pictures_come_in_their_order_and_others_not_at_all(tmp_path):
    for name in ("a.svg", "b.svg", "other.svg"):
        (tmp_path / name).write_bytes(SVG)
    found = shown(tmp_path, [picture("b.svg"), picture("a.svg")], ["a.svg", "b.svg", "other.svg"])
    assert [one.file for one in found] == ["b.svg", "a.svg"]
    assert all(one.svg and not one.problem and not one.wide for one in found)


def test_without_captions_every_picture_is_shown_by_its_name(tmp_path):
    (tmp_path / "plot.PNG").write_bytes(PNG)
    (found,) = shown(tmp_path, [], ["plot.PNG", "weights.bin"])
    assert found.title == "plot.PNG"
    assert found.data == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert found.wide


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone.svg", "cannot be read"),
        ("damaged.svg", "cannot be shown"),
        ("../outside.svg", "cannot be shown"),
        ("link.svg", "cannot be shown"),
        ("weights.bin", "cannot be shown"),
    ],
)
def test_a_picture_that_cannot_be_shown_says_why(tmp_path, name, problem):
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "outside.svg").write_bytes(SVG)
    (run / "damaged.svg").write_bytes(b"<svg")
    (run / "link.svg").symlink_to(tmp_path / "outside.svg")
    (run / "weights.bin").write_bytes(b"0")
    (found,) = shown(run, [picture(name)], [])
    assert problem in found.problem
    assert found.svg is None
    assert found.data is None


def test_a_page_does_not_grow_without_bounds(tmp_path):
    (tmp_path / "large.png").write_bytes(PNG + bytes(MOST_BYTES * 3 // 4))
    (tmp_path / "small.svg").write_bytes(SVG)
    large, small = shown(tmp_path, [], ["large.png", "small.svg"])
    assert "too large" in large.problem
    assert small.svg
