"""What is recorded at each step of an episode besides frames: when, what was done, the state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mezzanine_core.errors import DataError
from mezzanine_worlds_lerobot.metadata import Feature, Metadata
from mezzanine_worlds_lerobot.sources import Source

Floats = npt.NDArray[np.float32]

_INDEX = ("episode_index", "frame_index", "timestamp")


@dataclass(frozen=True, eq=False)
class Steps:
    """The L steps of one episode.

    Attributes:
        row: Row of each in its parquet file, int64 [L].
        seconds: When it was, since the start of the episode, float64 [L].
        vectors: Feature → its values, float32 [L, A].
    """

    row: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    vectors: Mapping[str, Floats]


def read_steps(
    source: Source, metadata: Metadata, places: Iterable[int], features: Sequence[Feature]
) -> dict[int, Steps]:
    """Read the steps of some episodes; each parquet file once, and no images.

    Args:
        source: The data set.
        metadata: What it says of itself.
        places: Places of the episodes in the metadata.
        features: Vectors to read.

    Returns:
        Place of the episode → its steps.

    Raises:
        DataError: If a file is missing or damaged, or does not hold what the metadata say.
        DatasetNotFoundError: If a file has to be downloaded and cannot be.
    """
    files: defaultdict[str, list[int]] = defaultdict(list)
    for place in places:
        files[metadata.data_file(place)].append(place)
    found = {}
    for name, here in files.items():
        path = source.file(name)
        table = _read(path, features)
        episode = table.column("episode_index").to_numpy()
        for place in here:
            number, length = int(metadata.numbers[place]), int(metadata.lengths[place])
            rows = np.flatnonzero(episode == number)
            steps = table.take(pa.array(rows))
            _check_whole(steps, number, length, path)
            found[place] = Steps(
                row=rows,
                seconds=steps.column("timestamp").to_numpy().astype(np.float64),
                vectors={one.key: _vector(steps, one, number, path) for one in features},
            )
    return found


def _read(path: Path, features: Sequence[Feature]) -> pa.Table:
    columns = [*_INDEX, *dict.fromkeys(feature.key for feature in features)]
    try:
        there_are = pq.read_schema(path).names
        missing = [column for column in columns if column not in there_are]
        if missing:
            raise DataError(f"{path} has no column {missing[0]!r}, which its metadata name")
        return pq.read_table(path, columns=columns, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} cannot be read as parquet ({error})",
            hint="The file is damaged: copy or download it again.",
        ) from error


def _check_whole(steps: pa.Table, number: int, length: int, path: Path) -> None:
    frames = steps.column("frame_index").to_numpy()
    if not np.array_equal(frames, np.arange(length)):
        raise DataError(
            f"episode {number} has {length} frames by the metadata, but {path} has {len(frames)}"
            + (" of it" if len(frames) != length else " of it in another order"),
            hint="The data set is damaged: copy or download it again, or leave the episode out "
            "with --episodes.",
        )


def _vector(steps: pa.Table, feature: Feature, number: int, path: Path) -> Floats:
    """The values of a vector, float32 [L, A]; vectors of length 1 may be stored as numbers."""
    column = steps.column(feature.key).combine_chunks()
    values: Any = column
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        lengths = pc.list_value_length(column).unique().to_pylist()
        values = column.flatten() if lengths == list(feature.shape) else None
    if values is None or values.null_count or len(values) != len(steps) * feature.shape[0]:
        raise DataError(
            f"{feature.key!r} of episode {number} in {path} does not have {feature.shape[0]} "
            "numbers at every step, as the metadata say"
        )
    flat: Floats = values.to_numpy(zero_copy_only=False).astype(np.float32)
    return flat.reshape(-1, feature.shape[0])
