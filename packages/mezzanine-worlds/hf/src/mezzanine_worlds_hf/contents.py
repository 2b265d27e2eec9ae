"""What the items of a split are: texts or encoded images in Arrow columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import Keys, content_keys
from mezzanine_core.worlds import ArrayColumn, Column, Frame
from mezzanine_worlds_hf.fields import listed
from mezzanine_worlds_hf.images import ImageColumn, image_keys
from mezzanine_worlds_hf.sampling import Rows

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset


@dataclass(frozen=True, eq=False)
class Contents:
    """The items of all rows of a split.

    Attributes:
        keys: Identity of what symmetries act on, uint8 [n, 16]: training and test share none.
        whole: Identity of all that the answer hangs on (passage and question), uint8 [n, 16].
        blank: Which rows have no content, bool [n].
        column: The items of some rows.
        frame: What stands around them.
    """

    keys: Keys
    whole: Keys
    blank: npt.NDArray[np.bool_]
    column: Callable[[Rows], Column]
    frame: Callable[[Rows], Frame | None]


def arrow_column(rows: Dataset, field: str) -> pa.ChunkedArray:
    """A column as it is stored, without decoding or copying."""
    return rows.select_columns([field]).with_format("arrow")[:][field]


def texts_of(rows: Dataset, field: str, split: str) -> list[str]:
    """A column of texts; a missing one is empty.

    Raises:
        DataError: If the column holds something else.
    """
    import pyarrow as pa

    column = arrow_column(rows, field)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (is_text or pa.types.is_string_view(kind) or pa.types.is_null(kind)):
        raise DataError(
            f"the field {field!r} of the split {split!r} holds {kind}, not texts; "
            f"there are the fields {listed(rows.column_names)}",
            hint="Name the field that holds the texts.",
        )
    return [text or "" for text in column.to_pylist()]


def text_contents(
    texts: Sequence[str],
    whole: Sequence[str] | None = None,
    frame: Callable[[Rows], Frame | None] = lambda _: None,
) -> Contents:
    """Contents that are texts.

    Args:
        texts: One for each row.
        whole: For each row, all that the answer hangs on; by default the text.
        frame: What stands around the texts of some rows.
    """
    keys = content_keys(texts)

    def column(rows: Rows) -> Column:
        return ArrayColumn([texts[row] for row in rows.tolist()], "text", keys[rows])

    return Contents(
        keys=keys,
        whole=keys if whole is None else content_keys(whole),
        blank=np.array([not text.strip() for text in texts], np.bool_),
        column=column,
        frame=frame,
    )


def image_contents(rows: Dataset, field: str, split: str) -> Contents:
    """Contents that are images: of an Image feature, or bytes of image files.

    Raises:
        DataError: If the column holds something else, or a file that it names cannot be read.
    """
    import pyarrow as pa

    column = arrow_column(rows, field)
    names = {inner.name for inner in column.type} if pa.types.is_struct(column.type) else set()
    if not (names >= {"bytes", "path"} or _is_binary(column.type)):
        raise DataError(
            f"the field {field!r} of the split {split!r} holds {column.type}, not images; "
            f"there are the fields {listed(rows.column_names)}",
            hint="Name the field that holds the images.",
        )

    def read(row: int) -> bytes:
        value = column[row].as_py()
        if not isinstance(value, dict):
            return value or b""
        if value["bytes"] is not None:
            return bytes(value["bytes"])
        return _file(value["path"], split, row) if value["path"] is not None else b""

    def items(chosen: Rows) -> Column:
        return ImageColumn(lambda item: read(int(chosen[item])), keys[chosen])

    blank = np.zeros(len(column), np.bool_)

    def encoded(row: int) -> bytes:
        content = read(row)
        blank[row] = not content
        return content

    keys = image_keys(encoded(row) for row in range(len(column)))
    return Contents(keys=keys, whole=keys, blank=blank, column=items, frame=lambda _: None)


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _file(path: str, split: str, row: int) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(
            f"the image of row {row} of the split {split!r} cannot be read from {path} "
            f"({error.strerror})"
        ) from error
