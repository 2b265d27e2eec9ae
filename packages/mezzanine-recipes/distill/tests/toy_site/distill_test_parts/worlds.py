"""Tales: texts whose label is what most of their sentences say."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field

from mezzanine_core.config import WorldConfig
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.worlds import ArrayColumn, Frame, Labelled, World, WorldData

NAMES = ("bad", "good")
_SAID = (
    ("It was bad.", "They lost.", "Rain fell."),
    ("It was good.", "They won.", "The sun rose."),
)


class TalesConfig(WorldConfig):
    n_train: int = Field(80, ge=1)
    n_test: int = Field(40, ge=1)
    sentences: int = Field(4, ge=1, description="Sentences of each text but those of one")
    single: float = Field(0.0, ge=0, le=1, description="Share of the texts with one sentence")
    leak: int = Field(0, ge=0, description="Test items that are in training too")
    repeat: int = Field(0, ge=0, description="Test items that are there twice")
    fault: Literal["none", "one_class", "other_names"] = "none"
    question: bool = Field(False, description="Whether a question stands after each text")


class TalesWorld(World[TalesConfig]):
    def source(self) -> Mapping[str, Any]:
        return {"world": "tales"}

    def fingerprint(self) -> str:
        return fingerprint({**self.source(), "config": self.config.fingerprint_payload()})

    def load(self) -> WorldData:
        config = self.config
        train = self._tales(config.n_train, np.random.default_rng([config.seed, 0]))
        test = self._tales(config.n_test, np.random.default_rng([config.seed, 1]))
        test[: config.leak] = train[: config.leak]
        test[config.n_test - config.repeat :] = test[: config.repeat]
        return WorldData(
            {"train": self._split(train, "train"), "test": self._split(test, "test")},
            {"truth": "the majority of the sentences"},
        )

    def frame_records(self, records):
        for number, record in enumerate(records):
            if "text" not in record:
                raise DataError(f"record {number} has no field 'text'")
        return [record["text"] for record in records], self._frame(len(records))

    def _tales(self, count, rng):
        """Pairs of text and label; each text has a number, so that no two are equal."""
        tales = []
        for number in rng.permutation(10 * count)[:count]:
            label = int(rng.integers(2)) if self.config.fault != "one_class" else 0
            sentences = 1 if rng.random() < self.config.single else self.config.sentences
            said = [
                _SAID[label if rng.random() < 0.75 else 1 - label][rng.integers(3)]
                for _ in range(sentences)
            ]
            said[0] = f"Day {number} {said[0][0].lower()}{said[0][1:]}"
            tales.append((" ".join(said), label))
        return tales

    def _split(self, tales, name):
        texts = [text for text, _ in tales]
        other = self.config.fault == "other_names" and name == "test"
        return Labelled(
            ArrayColumn(texts, "text"),
            np.array([label for _, label in tales], np.int64),
            NAMES[::-1] if other else NAMES,
            self._frame(len(texts)),
        )

    def _frame(self, count):
        if not self.config.question:
            return None
        return Frame([""] * count, ["\nHow was it?"] * count)
