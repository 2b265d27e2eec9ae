"""Where things lie in the cache, and the JSON records beside the arrays.

::

    <root>/<encoder fingerprint>/card.json                        what the encoder is
    <root>/<encoder fingerprint>/segments/<uuid>/latents          Zarr v3, [n, D] float32 or float16
    <root>/<encoder fingerprint>/segments/<uuid>/keys             Zarr v3, [n, 16] uint8
    <root>/<encoder fingerprint>/segments/<uuid>/commit.json      written last
    <root>/<encoder fingerprint>/views/<world fingerprint>.json   what a (world, encoder) pair is

A segment without ``commit.json`` does not exist for a reader: either it is being written now, or
its writer died.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import platformdirs
from pydantic import Field, JsonValue, ValidationError, model_validator

from mezzanine_core.cache.failures import corrupt
from mezzanine_core.config import MezzModel
from mezzanine_core.errors import CacheError, ConfigError, PluginError
from mezzanine_core.files import write_atomically

FORMAT: Final = 1
"""Version of the layout; a reader refuses segments of another one."""

Precision = Literal["float32", "float16"]
"""How latents are stored. They are float32 on both sides of the cache."""

COMMIT = "commit.json"
CARD = "card.json"
LATENTS = "latents"
KEYS = "keys"
LOCK = "writer.lock"

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")


class CommitRecord(MezzModel):
    """``commit.json``: what a segment holds, and the digests to check it by."""

    format: Literal[1] = FORMAT
    rows: int = Field(ge=1, description="Number of latents, n")
    dim: int = Field(ge=1, description="Length of a latent, D")
    dtype: Precision = Field(description="How the latents are stored")
    block_rows: int = Field(ge=1, description="Latents that one digest covers")
    latents_crc32c: str = Field(
        pattern=r"^([0-9a-f]{8})+$",
        description="CRC-32C of each block of latents as stored (C order, little-endian), 8 digits",
    )
    keys_crc32c: str = Field(pattern=r"^[0-9a-f]{8}$", description="CRC-32C of all keys")
    created: str = Field(description="When it was committed, ISO 8601 in UTC")

    @model_validator(mode="after")
    def _one_digest_a_block(self) -> CommitRecord:
        expected = -(-self.rows // self.block_rows)
        if len(self.latents_crc32c) != 8 * expected:
            raise ValueError(f"{len(self.latents_crc32c) / 8:g} digests for {expected} blocks")
        return self

    def digests(self) -> npt.NDArray[np.uint32]:
        """The digest of each block of latents, uint32 [number of blocks]."""
        return np.frombuffer(bytes.fromhex(self.latents_crc32c), dtype=">u4").astype(np.uint32)


class CardRecord(MezzModel):
    """``card.json``: what the encoder of a directory is, for people and for listings."""

    format: Literal[1] = FORMAT
    dim: int = Field(ge=1, description="Length of a latent, D")
    dtype: Precision = Field(description="How the first run stored latents")
    created: str = Field(description="When the first run encoded with it, ISO 8601 in UTC")
    encoder: dict[str, JsonValue] = Field(description="The encoder's name and settings")


class ViewRecord(MezzModel):
    """``views/<world fingerprint>.json``: what a (world, encoder) pair resolved to, for people."""

    format: Literal[1] = FORMAT
    created: str = Field(description="When it was last written, ISO 8601 in UTC")
    summary: dict[str, JsonValue] = Field(description="What the run says about it")


def default_cache_dir() -> Path:
    """Where latents are cached unless a flag says otherwise.

    Returns:
        ``MEZZ_CACHE_DIR`` where it is set and not empty, else ``mezzanine/latents`` in the user's
        cache directory of the platform.

    Raises:
        ConfigError: If ``MEZZ_CACHE_DIR`` names the home of a user who does not exist.
    """
    given = os.environ.get("MEZZ_CACHE_DIR")
    if given:
        return expand(given)
    return platformdirs.user_cache_path("mezzanine", appauthor=False) / "latents"


def expand(path: str | Path) -> Path:
    """``path`` with ``~`` expanded, absolute.

    Raises:
        ConfigError: If it names the home of a user who does not exist.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(f"cannot expand the cache directory {str(path)!r}: {error}") from error


def encoder_directory(root: Path, encoder: str) -> Path:
    """The directory of an encoder.

    Raises:
        PluginError: If the fingerprint cannot name a directory.
    """
    if not _NAME.fullmatch(encoder):
        raise PluginError(
            f"the encoder fingerprint {encoder!r} cannot name a directory",
            hint="An encoder's fingerprint() is mezzanine_core.fingerprint.fingerprint(...).",
        )
    return root / encoder


def view_path(directory: Path, world: str) -> Path:
    """The record of a world in an encoder's directory.

    Raises:
        PluginError: If the fingerprint cannot name a file.
    """
    if not _NAME.fullmatch(world):
        raise PluginError(f"the world fingerprint {world!r} cannot name a file")
    return directory / "views" / f"{world}.json"


def read_commit(segment: Path) -> CommitRecord | None:
    """The commit record of a segment, or ``None`` where it is not committed.

    Raises:
        CorruptSegmentError: If the record is damaged.
        CacheError: If it is of a layout that this version does not know, or cannot be read.
    """
    try:
        text = (segment / COMMIT).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CacheError(f"cannot read {segment / COMMIT}: {error.strerror}") from error
    try:
        record = json.loads(text)
        if isinstance(record, dict) and record.get("format", FORMAT) != FORMAT:
            raise CacheError(
                f"cache segment {segment} has format {record['format']}, not {FORMAT}",
                hint="Upgrade mezzanine-core, or choose another cache directory with --cache-dir.",
            )
        return CommitRecord.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise corrupt(segment, f"{COMMIT}: {where} {first['msg']}".replace(":  ", ": ")) from error
    except ValueError as error:
        raise corrupt(segment, f"{COMMIT} is not JSON ({error})") from error


def read_card(directory: Path) -> CardRecord | None:
    """The card of an encoder's directory, or ``None`` where there is none that can be read."""
    try:
        return CardRecord.model_validate_json((directory / CARD).read_bytes())
    except (OSError, ValidationError):
        return None


def write_json(path: Path, record: MezzModel) -> None:
    """Write a record so that a reader sees all of it or nothing, whenever the writer dies.

    Raises:
        OSError: If it cannot be written; nothing is left behind.
    """
    write_atomically(path, record.model_dump_json(indent=1), writer=f"-{uuid.uuid4().hex}")


def plain(value: Mapping[str, Any]) -> dict[str, JsonValue]:
    """``value`` as JSON values; what JSON does not know is written as text."""
    return json.loads(json.dumps(value, default=str))  # type: ignore[no-any-return]


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
