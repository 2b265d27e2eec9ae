"""A world and a column that return other things than the contract says."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mezzanine_core.config import EncoderConfig, WorldConfig
from mezzanine_core.executors import Executor
from mezzanine_core.worlds import ArrayColumn, Batch, Column, Labelled, Rows, World, WorldData


class Dust(World[WorldConfig]):
    def source(self) -> str:  # error: [override] Return type "str" of "source"
        return "dust"

    def fingerprint(self) -> bytes:  # error: [override] Return type "bytes" of "fingerprint"
        return b"dust"

    def load(self) -> dict[str, Labelled]:  # error: [override] Return type "dict[str, Labelled]"
        return {}


class Fog(World[EncoderConfig]):  # error: [type-var] Type argument "EncoderConfig" of "World"
    def source(self) -> Mapping[str, Any]:
        return {"grains": self.config.grains}  # error: [attr-defined] has no attribute "grains"

    def load(self) -> WorldData:
        labels = np.zeros(3, np.float32)
        column = ArrayColumn(["a", "b", "c"], "txet")  # error: [arg-type] Argument 2
        split = Labelled(column, labels, ("a",))  # error: [arg-type] Argument 2 to "Labelled"
        return WorldData({"train": split})


class Frames(Column):
    def fetch(  # error: [override] Return type "Iterator[ndarray
        self, rows: Rows, executor: Executor
    ) -> Iterator[Batch]:
        yield np.zeros(3)


Fog(EncoderConfig())  # error: [abstract] Cannot instantiate abstract class "Fog"
WorldData({"train": {}})  # error: [dict-item] expected "str": "Transitions | Labelled"
