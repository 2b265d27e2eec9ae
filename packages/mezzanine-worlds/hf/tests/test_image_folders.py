from pathlib import Path

import numpy as np
import pytest
from datasets import load_dataset
from PIL import Image

from mezzanine_worlds_hf.image_folders import ImageFolder, holds_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Grey images whose brightness tells them apart: split/class/number."""
    for split, numbers in (("train", range(4)), ("test", range(4, 6))):
        for number in numbers:
            path = tmp_path / split / ("even", "odd")[number % 2] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (3, 2), (number,) * 3).save(path)
    return tmp_path


def _grey(images: list) -> list[int]:
    return [int(image[0, 0, 0]) for image in images]


def test_folders_say_split_and_class(folder: Path, classified, fetched) -> None:
    data = classified(folder).load()
    for name, numbers in (("train", {0, 1, 2, 3}), ("test", {4, 5})):
        split = data.labelled(name)
        found = _grey(fetched(split.input))
        assert set(found) == numbers
        assert split.label.tolist() == [number % 2 for number in found]
        assert split.label_names == ("even", "odd")


def test_classes_without_splits_are_set_apart(folder: Path, classified, fetched) -> None:
    data = classified(folder / "train", n_test=1).load()
    found = [number for n in ("train", "test") for number in _grey(fetched(data.labelled(n).input))]
    assert sorted(found) == [0, 1, 2, 3]


def test_the_images_are_those_that_datasets_finds(folder: Path, tmp_path_factory) -> None:
    cache = str(tmp_path_factory.mktemp("cache"))
    reference = load_dataset("imagefolder", data_dir=str(folder), cache_dir=cache)
    expected = {(np.asarray(row["image"])[0, 0, 0], row["label"]) for row in reference["train"]}
    rows = ImageFolder("images", folder).read("train")
    assert {(np.asarray(row["image"])[0, 0, 0], row["label"]) for row in rows} == expected


def test_an_edited_image_changes_source_and_fingerprint(folder: Path, classified) -> None:
    before = classified(folder)
    known = before.source(), before.fingerprint()
    assert classified(folder).fingerprint() == known[1]
    Image.new("RGB", (3, 2), (99,) * 3).save(folder / "test" / "odd" / "5.png")
    assert classified(folder).source() != known[0]
    assert classified(folder).fingerprint() != known[1]


def test_an_image_of_another_class_changes_the_source(folder: Path, classified) -> None:
    before = classified(folder).source()
    (folder / "train" / "odd" / "1.png").rename(folder / "train" / "even" / "1.png")
    assert classified(folder).source() != before


def test_data_files_win_over_images_beside_them(folder: Path, written, texts) -> None:
    data = written(train=texts(4))
    (folder / "train").rename(data / "figures")
    assert not holds_images(data)


def test_a_folder_of_texts_holds_no_images(written, texts) -> None:
    assert not holds_images(written(train=texts(4)))
