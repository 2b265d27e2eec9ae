"""The worlds obey the laws of worlds, on files that the tests write."""

import numpy as np
import pytest
from datasets import Dataset
from PIL import Image

from mezzanine_core.testing import Subject, WorldTests

SPLITS = {"train": 30, "test": 16, "validation": 14}


def write(folder, rows_of):
    for split, rows in SPLITS.items():
        Dataset.from_dict(rows_of(split, rows)).to_parquet(folder / f"{split}.parquet")
    return str(folder)


@pytest.fixture(scope="module")
def texts_folder(tmp_path_factory):
    def rows(split, count):
        texts = [f"{split} {row}. It was so." for row in range(count)]
        labels = [row % 2 for row in range(count)]
        others = [(row // 2) % 2 for row in range(count)]
        titles = [f"{text} Indeed." for text in texts]
        return {"text": texts, "label": labels, "body": titles, "other": others}

    return write(tmp_path_factory.mktemp("texts"), rows)


class TestTexts(WorldTests):
    @pytest.fixture
    def subject(self, texts_folder):
        return Subject(
            "hf_dataset",
            settings={"dataset": texts_folder, "n_train": 12, "n_test": 8},
            variations={
                "train_split": "validation",
                "test_split": "validation",
                "label_names": ["bad", "good"],
                "text_field": "body",
                "label_field": "other",
                "template": "Review: {text}",
            },
            # One needs another folder, the hub, or pictures; the others change nothing here.
            unused=["dataset", "revision", "subset", "image_field"],
        )


@pytest.fixture(scope="module")
def images_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            (folder / split / label).mkdir(parents=True)
            for row in range(5):
                pixels = rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / split / label / f"{row}.png")
    return str(folder)


class TestImages(WorldTests):
    @pytest.fixture
    def subject(self, images_folder):
        return Subject(
            "hf_dataset",
            settings={"dataset": images_folder, "n_train": 8, "n_test": 6},
            variations={"label_names": ["cats", "dogs"]},
            unused=[
                *("dataset", "revision", "subset", "train_split", "test_split"),
                *("text_field", "image_field", "label_field", "template", "empty"),
            ],
        )


@pytest.fixture(scope="module")
def questions_folder(tmp_path_factory):
    def rows(split, count):
        return {
            "passage": [f"In {split} {row} it rained. Then it stopped." for row in range(count)],
            "question": [f"did it rain in {split} {row}" for row in range(count)],
            "answer": [row % 3 > 0 for row in range(count)],
            "story": [f"Rain {row} of {split} fell." for row in range(count)],
            "asked": [f"was {split} {row} wet" for row in range(count)],
            "wet": [row % 2 > 0 for row in range(count)],
            "title": [f"Rain {row % 4}" for row in range(count)],
            "heading": [f"Weather {row % 4}" for row in range(count)],
        }

    return write(tmp_path_factory.mktemp("questions"), rows)


class TestQuestions(WorldTests):
    @pytest.fixture
    def subject(self, questions_folder):
        return Subject(
            "hf_qa",
            settings={
                "dataset": questions_folder,
                "n_train": 12,
                "n_test": 8,
                "template": "{title}\n{passage}\n{question}?",
            },
            variations={
                "train_split": "validation",
                "test_split": "validation",
                "label_names": ["no", "yes"],
                "passage_field": "story",
                "question_field": "asked",
                "answer_field": "wet",
                "title_field": "heading",
                "template": "{passage} {question}?",
            },
            unused=["dataset", "revision", "subset"],
        )
