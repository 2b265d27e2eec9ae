from collections import Counter
from io import BytesIO
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mezzanine_core.errors import ConfigError, DataError
from mezzanine_core.fingerprint import content_keys
from mezzanine_worlds_hf.classification import HFDatasetWorld
from mezzanine_worlds_hf.config import HFDatasetConfig


def _png(seed: int, size: tuple[int, int] = (4, 5)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _pixels(encoded: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(encoded)))


def test_items_have_the_texts_and_labels_of_their_rows(written, texts, classified, fetched) -> None:
    columns = {"train": texts(20), "test": texts(8, "other")}
    data = classified(written(**columns), n_train=12).load()
    for name, n in (("train", 12), ("test", 8)):
        split = data.labelled(name)
        pairs = dict(zip(columns[name]["text"], columns[name]["label"], strict=True))
        items = fetched(split.input)
        assert len(set(items)) == n
        assert [pairs[text] for text in items] == split.label.tolist()
        np.testing.assert_array_equal(split.input.keys, content_keys(items))
        assert split.frame is None
        assert split.label_names == ("0", "1")


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "saved", "file"])
def test_the_same_rows_give_the_same_items_whatever_holds_them(
    kind: str, tmp_path: Path, texts, classified
) -> None:
    rows = Dataset.from_dict(texts(20))
    path = tmp_path / kind
    path.mkdir()
    if kind == "saved":
        DatasetDict(train=rows).save_to_disk(path)
    elif kind == "file":
        path = path / "all.csv"
        rows.to_csv(path)
    else:
        writer = {"parquet": rows.to_parquet, "csv": rows.to_csv, "jsonl": rows.to_json}[kind]
        writer(path / f"train.{kind}")
    data = classified(path, n_test=5, seed=3).load()
    reference = tmp_path / "reference" / "train.parquet"
    reference.parent.mkdir()
    rows.to_parquet(reference)
    expected = classified(reference, n_test=5, seed=3).load()
    for name in ("train", "test"):
        one, other = data.labelled(name), expected.labelled(name)
        np.testing.assert_array_equal(one.input.keys, other.input.keys)
        np.testing.assert_array_equal(one.label, other.label)


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 99), st.integers(1, 20), st.integers(1, 8))
def test_a_smaller_world_is_the_first_part_of_a_larger(
    tmp_path: Path, texts, seed: int, n: int, m: int
) -> None:
    for split, size in (("train", 20), ("test", 8)):
        Dataset.from_dict(texts(size, split)).to_parquet(tmp_path / f"{split}.parquet")
    sizes = ({}, {"n_train": n, "n_test": m})
    whole, part = (
        HFDatasetWorld(HFDatasetConfig(dataset=str(tmp_path), seed=seed, **size)).load()
        for size in sizes
    )
    for name, size in (("train", n), ("test", m)):
        a, b = whole.labelled(name), part.labelled(name)
        np.testing.assert_array_equal(a.input.keys[:size], b.input.keys)
        np.testing.assert_array_equal(a.label[:size], b.label)


def test_class_labels_name_the_classes(tmp_path: Path, classified) -> None:
    features = Features({"sentence": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    rows = Dataset.from_dict(
        {"sentence": ["a", "b", "c"], "label": ["pos", "neg", "pos"]}, features=features
    )
    rows.to_parquet(tmp_path / "train.parquet")
    data = classified(tmp_path, n_test=1).load()
    assert data.labelled("train").label_names == ("neg", "pos")
    counts = Counter()
    for name in ("train", "test"):
        counts.update(data.report["splits"][name]["labels"])
    assert counts == {"neg": 1, "pos": 2}


def test_the_template_frames_the_texts(written, texts, classified) -> None:
    folder = written(train=texts(4), test=texts(2, "other"))
    split = classified(folder, template="Review: {text}\nSentiment:").load().labelled("test")
    assert split.frame.around(1, "x") == "Review: x\nSentiment:"


def test_unlabelled_splits_are_refused_with_the_splits_there_are(written, texts, classified):
    folder = written(train=texts(4), validation=texts(2, "v"), test=texts(3, "t", [-1]))
    with pytest.raises(
        DataError, match=r"3 of 3 labels of the split 'test' are missing.*validation"
    ):
        classified(folder).load()
    assert len(classified(folder, test_split="validation").load().labelled("test")) == 2


@pytest.mark.parametrize("blank", ["", " \n", None])
def test_empty_texts_are_counted_and_the_first_named(written, classified, blank) -> None:
    folder = written(train={"text": ["a", blank, "b", "c", blank], "label": [0, None, 1, 0, 1]})
    with pytest.raises(DataError, match=r"2 of 5 items of the split 'train' are empty.* row 1"):
        classified(folder).load()
    report = classified(folder, empty="drop", n_test=1).load().report["splits"]
    assert report["train"]["empty_dropped"] == 2
    assert report["train"]["items"] + report["test"]["items"] == 3


def test_overlap_is_dropped_from_training_and_reported(written, texts, classified) -> None:
    train, test = texts(10), texts(4, "other")
    test["text"][0] = train["text"][3]
    folder = written(train=train, test=test)
    assert classified(folder).load().report["overlap"] == {
        "policy": "drop",
        "set_apart": False,
        "shared_rows": 1,
        "rows_dropped": 1,
        "shared_test_items_left": 0,
    }
    kept = classified(folder, overlap="keep").load()
    assert len(kept.labelled("train")) == 10
    assert kept.report["overlap"]["shared_test_items_left"] == 1


def test_equal_texts_with_other_labels_are_counted(written, classified) -> None:
    train = {"text": ["a", "a", "a", "b", "b", "c"], "label": [0, 1, 0, 1, 1, 0]}
    test = {"text": ["c", "d"], "label": [1, 1]}
    report = classified(written(train=train, test=test)).load().report
    assert report["conflicts"] == {"contents": 2, "rows": 5}
    assert report["splits"]["train"]["repeated"] == 3


def test_more_than_there_is_is_answered_with_what_there_is(written, texts, classified) -> None:
    folder = written(train=texts(10), test=texts(4, "other"))
    with pytest.raises(DataError, match="n_train=11, but 10 is all: there are 10 training rows"):
        classified(folder, n_train=11).load()
    with pytest.raises(DataError, match="n_test=5, but 4 is all: there are 4 test rows"):
        classified(folder, n_test=5).load()


def test_fields_and_splits_that_are_missing_are_answered_with_those_there_are(
    written, texts, classified
) -> None:
    folder = written(train=texts(4), test=texts(2, "other"))
    with pytest.raises(ConfigError, match="no split 'dev'; there are test, train"):
        classified(folder, test_split="dev").load()
    with pytest.raises(ConfigError, match=r"text_field='body'.*fields text, label"):
        classified(folder, text_field="body").load()
    with pytest.raises(DataError, match="'label' of the split 'train' holds int64, not texts"):
        classified(folder, text_field="label").load()


def test_a_field_that_only_training_has_is_missed_in_the_test_split(written, texts, classified):
    folder = written(train=texts(4), test={"text": ["a"], "tag": [1]})
    with pytest.raises(
        ConfigError, match=r"split 'test' of .* has the fields text, tag, but not label"
    ):
        classified(folder).load()


def test_both_splits_have_their_texts_in_the_same_field(written, texts, classified) -> None:
    folder = written(train=texts(4), test={"sentence": ["a"], "label": [1]})
    with pytest.raises(ConfigError, match=r"'test' .* fields sentence, label, but not text"):
        classified(folder).load()


def test_texts_beside_images_have_to_be_chosen(written, classified) -> None:
    folder = written(train={"text": ["a"], "image": [b"x"], "label": [0]})
    with pytest.raises(ConfigError, match="fields text, image, label, and whether texts or"):
        classified(folder).load()
    with pytest.raises(ConfigError, match="both given"):
        classified(folder, text_field="text", image_field="image").load()
    with pytest.raises(ConfigError, match="template stands around texts"):
        classified(folder, image_field="image", template="{text}").load()


def test_a_split_without_rows_is_an_error(written, texts, classified) -> None:
    features = Features({"text": Value("string"), "label": Value("int64")})
    folder = written(features=features, train=texts(4), test={"text": [], "label": []})
    with pytest.raises(DataError, match="there is none: there are 0 test rows"):
        classified(folder).load()


@pytest.mark.parametrize("feature", [datasets.Image(), Value("binary")], ids=["image", "binary"])
@pytest.mark.parametrize("saved", [False, True])
def test_images_are_decoded_when_they_are_fetched(
    feature, saved: bool, tmp_path: Path, classified, fetched
) -> None:
    encoded = [_png(seed, (4, 5 + seed % 2)) for seed in range(12)]
    features = Features({"img": feature, "label": ClassLabel(names=["cat", "dog"])})
    columns = {"img": encoded, "label": [row % 2 for row in range(12)]}
    rows = Dataset.from_dict(columns, features=features)
    if saved:
        rows.save_to_disk(tmp_path / "saved")
    else:
        (tmp_path / "saved").mkdir()
        rows.to_parquet(tmp_path / "saved" / "train.parquet")
    data = classified(tmp_path / "saved", n_test=4).load()
    expected = {_pixels(item).tobytes(): row % 2 for row, item in enumerate(encoded)}
    for name, n in (("train", 8), ("test", 4)):
        split = data.labelled(name)
        assert split.input.kind == "image"
        images = [item.tobytes() for item in fetched(split.input)]
        assert len(set(images)) == n
        assert [expected[image] for image in images] == split.label.tolist()


def test_images_in_files_beside_the_data_are_read(tmp_path: Path, classified, fetched) -> None:
    paths = []
    for seed in range(4):
        paths.append(str(tmp_path / f"{seed}.png"))
        Path(paths[-1]).write_bytes(_png(seed))
    rows = [{"bytes": None, "path": path} for path in paths]
    (tmp_path / "data").mkdir()
    table = pa.table({"image": rows, "label": [0, 1, 0, 1]})
    pq.write_table(table, tmp_path / "data" / "train.parquet")
    world = classified(tmp_path / "data", n_test=1)
    images = fetched(world.load().labelled("train").input)
    assert {image.tobytes() for image in images} < {_pixels(_png(s)).tobytes() for s in range(4)}
    Path(paths[2]).unlink()
    with pytest.raises(DataError, match=r"image of row 2 .*2\.png"):
        classified(tmp_path / "data").load()


def test_missing_images_are_empty_items(tmp_path: Path, classified) -> None:
    features = Features({"image": datasets.Image(), "label": Value("int64")})
    columns = {"image": [_png(0), None, _png(1)], "label": [0, 0, 1]}
    Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "train.parquet")
    with pytest.raises(DataError, match=r"1 of 3 items .* are empty, the first in row 1"):
        classified(tmp_path).load()
    assert len(classified(tmp_path, empty="drop", n_test=1).load().labelled("train")) == 1


def test_a_field_that_holds_no_images_is_refused(written, texts, classified) -> None:
    with pytest.raises(DataError, match="'text' of the split 'train' holds string, not images"):
        classified(written(train=texts(4)), image_field="text").load()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"n_train": 5},
        {"n_test": 2},
        {"test_split": "train"},
        {"label_names": "bad,good"},
        {"template": "{text}!"},
        {"overlap": "keep"},
        {"empty": "drop"},
        {"text_field": "title"},
    ],
    ids=str,
)
def test_every_setting_that_decides_the_items_is_in_the_fingerprint(
    change, written, texts, classified
) -> None:
    columns = {"train": texts(10), "test": texts(4, "other")}
    for rows in columns.values():
        rows["title"] = rows["text"]
    folder = written(**columns)
    assert classified(folder).fingerprint() != classified(folder, **change).fingerprint()


def test_what_a_set_is_called_and_how_its_fields_were_found_is_not_in_the_fingerprint(
    written, texts, classified
) -> None:
    columns = {"train": texts(10), "test": texts(4, "other")}
    here, there = (written(name, **columns) for name in ("here", "there"))
    fingerprint = classified(here).fingerprint()
    assert classified(there).fingerprint() == fingerprint
    spelled = {"name": "hf_dataset@dist", "text_field": "text", "test_split": "test"}
    assert classified(here, **spelled).fingerprint() == fingerprint
    assert classified(here).source() == classified(there).source()


def test_an_edit_of_the_data_changes_source_and_fingerprint(written, texts, classified) -> None:
    before = classified(written(train=texts(10), test=texts(4, "other")))
    known = before.source(), before.fingerprint()
    after = classified(written(train=texts(10), test=texts(4, "edited")))
    assert after.source() != known[0]
    assert after.fingerprint() != known[1]


def test_loading_writes_nothing_beside_the_data_and_no_progress(
    written, texts, tmp_path: Path, python
) -> None:
    folder = written(train=texts(10), test=texts(4, "other"))
    before = sorted(path.name for path in folder.iterdir())
    script = (
        "from mezzanine_worlds_hf.classification import HFDatasetWorld as World\n"
        "from mezzanine_worlds_hf.config import HFDatasetConfig as Config\n"
        f"world = World(Config(dataset={str(folder)!r}))\n"
        "world.fingerprint(), world.load()"
    )
    home = tmp_path / "home"
    done = python(script, HF_HOME=str(home))
    assert (done.stdout, done.stderr) == ("", "")
    assert sorted(path.name for path in folder.iterdir()) == before
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("name", "classes", "rows"), [("ag_news", 4, 4999), ("imdb", 2, 1707)])
def test_real_data_load(shared_data: Path, classified, name, classes, rows) -> None:
    world = classified(shared_data / name, n_train=600, n_test=200)
    data = world.load()
    assert (len(data.labelled("train")), len(data.labelled("test"))) == (600, 200)
    report = data.report["splits"]
    assert report["train"]["rows"] == rows
    assert len(report["test"]["labels"]) == classes
    # More than a quarter of its fair share of each class; the chance of less is below 1e-9.
    assert min(report["train"]["labels"].values()) > 600 / classes / 4
