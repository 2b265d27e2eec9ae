"""The latent cache: row-level, content-addressed, shared by any number of processes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.cache import manage
from mezzanine_core.cache.catalogue import Catalogue
from mezzanine_core.cache.entries import EncoderEntry, EncoderInfo, GcReport, Problem, RmReport
from mezzanine_core.cache.index import Positions
from mezzanine_core.cache.layout import (
    Precision,
    ViewRecord,
    encoder_directory,
    expand,
    now,
    plain,
    view_path,
    write_json,
)
from mezzanine_core.cache.writer import SegmentWriter
from mezzanine_core.encoders import Latents
from mezzanine_core.errors import CacheError, ConfigError, LatentError
from mezzanine_core.fingerprint import Keys

_log = logging.getLogger(__name__)

SEGMENT_BYTES = 128 * 1024 * 1024
"""Most bytes of latents in a segment: what a writer holds in memory, and a killed run may lose."""

SEGMENT_SECONDS = 15.0
"""After this long a segment is committed though it is not full."""


class LatentCache:
    """Latents by encoder fingerprint and item key.

    Nothing is created before something is written, and nothing that was committed is ever changed:
    any number of processes may read and write one cache at once, without locks. Two that encode the
    same item store it twice; either copy is as good.

    Every block that is read is compared with the digest of what was written. A segment that is
    damaged, or removed while it is read, is reported in a warning, and counts as absent.

    An object is used by one thread at a time.

    Args:
        root: The cache directory; ``~`` is expanded.
        segment_bytes: Most bytes of latents in a segment.
        segment_seconds: After this long a segment is committed though it is not full.
        dtype: How new latents are stored; ``float16`` halves the disk space and keeps about three
            decimal digits. Either is read whatever this says.

    Raises:
        ConfigError: If a size is not positive, or ``~user`` does not exist.
    """

    def __init__(
        self,
        root: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_seconds: float = SEGMENT_SECONDS,
        dtype: Precision = "float32",
    ) -> None:
        if segment_bytes < 1 or segment_seconds <= 0:
            raise ConfigError("the size and the age of a cache segment must be positive")
        self.root = expand(root)
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._dtype: Precision = dtype
        self._catalogues: dict[str, Catalogue] = {}

    def find(self, encoder: str, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which keys are committed.

        The keys of each segment are checked; its latents are checked when they are read.

        Args:
            encoder: Fingerprint of the encoder.
            keys: uint8 [n, 16].

        Returns:
            bool [n].

        Raises:
            CacheError: If the cache cannot be listed.
        """
        catalogue = self._refreshed(encoder)
        return catalogue.find(keys) >= 0

    def read(self, encoder: str, keys: Keys) -> Latents:
        """Latents of keys that are committed.

        Args:
            encoder: Fingerprint of the encoder.
            keys: uint8 [n, 16], repetitions allowed.

        Returns:
            float32 [n, D] in the order of ``keys``; [0, 0] where nothing at all is cached.

        Raises:
            CorruptSegmentError: If a segment is damaged and no other holds its latents.
            CacheError: If a key is not committed, or the cache cannot be read.
        """
        catalogue = self._refreshed(encoder)
        latents = np.empty((len(keys), catalogue.dim or 0), np.float32)
        read, failure = _read_trusted(catalogue, keys, latents, np.arange(len(keys)))
        if failure is not None and not read.all():
            raise failure
        if not read.all():
            missing = np.flatnonzero(~read)
            raise CacheError(
                f"{missing.size} of {len(keys)} latents of encoder {encoder[:12]} are not in the "
                f"cache at {self.root}; the first has key {keys[missing[0]].tobytes().hex()}",
                hint="encode_column encodes what is missing.",
            )
        return latents

    def read_into(
        self, encoder: str, keys: Keys, out: Latents, rows: Positions
    ) -> npt.NDArray[np.bool_]:
        """Read what there is, and say what there is not.

        Args:
            encoder: Fingerprint of the encoder.
            keys: uint8 [n, 16].
            out: float32 [m, D], C-contiguous; ``out[rows[i]]`` receives the latent of ``keys[i]``.
            rows: int64 [n], distinct, each in [0, m).

        Returns:
            bool [n]: which latents were read, every one of them checked. Where it is false, the
            row of ``out`` holds nothing of meaning.

        Raises:
            CacheError: If the cache cannot be listed. Damage is not raised but logged; what is
                damaged was not read.
        """
        read, _ = _read_trusted(self._refreshed(encoder), keys, out, rows)
        return read

    def writer(self, encoder: str, dim: int, *, card: Mapping[str, Any]) -> SegmentWriter:
        """A context manager that appends latents of one encoder; see :class:`SegmentWriter`.

        Args:
            encoder: Fingerprint of the encoder.
            dim: Length D of a latent, at least 1.
            card: What the encoder is, for people and listings: ``name`` and settings.

        Raises:
            PluginError: If the fingerprint cannot name a directory.
            LatentError: If ``dim`` is not positive.
            CacheError: On entering, if the cache cannot be written.
        """
        if dim < 1:
            raise LatentError(f"latents of length {dim} cannot be cached: an encoder's dim is ≥ 1")
        return SegmentWriter(
            encoder_directory(self.root, encoder),
            dim,
            card=card,
            segment_bytes=self._segment_bytes,
            segment_seconds=self._segment_seconds,
            dtype=self._dtype,
        )

    def record_view(self, encoder: str, world: str, summary: Mapping[str, Any]) -> bool:
        """Note for people what a (world, encoder) pair resolved to, in ``views/<world>.json``.

        Nothing is computed from it, so a cache that cannot be written is no error.

        Args:
            encoder: Fingerprint of the encoder.
            world: Fingerprint of the world.
            summary: Splits, sizes and the like.

        Returns:
            Whether it was noted.
        """
        path = view_path(encoder_directory(self.root, encoder), world)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, ViewRecord(created=now(), summary=plain(summary)))
        except OSError as error:
            _log.debug("the view %s was not recorded: %s", path, error)
            return False
        return True

    def ls(self) -> list[EncoderEntry]:
        """What the cache holds, encoder by encoder, the latest first."""
        return manage.ls(self.root)

    def info(self, prefix: str) -> EncoderInfo:
        """Segments and views of one encoder.

        Args:
            prefix: The first digits of its fingerprint, as many as make it unambiguous.

        Raises:
            UnknownNameError: If no encoder, or more than one, begins with it.
        """
        return manage.info(self.root, prefix)

    def verify(self, prefix: str | None = None, *, remove: bool = False) -> list[Problem]:
        """Read every committed segment in full and compare it with its record.

        Args:
            prefix: As for :meth:`info`; all encoders by default.
            remove: Delete what is corrupt, so that the next run encodes it anew.

        Raises:
            UnknownNameError: As for :meth:`info`.
        """
        return manage.verify(self.root, prefix, remove=remove)

    def gc(self, *, dry_run: bool = False) -> GcReport:
        """Delete what writers that died have left: segments never committed, temporary files.

        A segment that a living process is writing is left alone.

        Args:
            dry_run: Only say what would go.
        """
        return manage.gc(self.root, dry_run=dry_run)

    def rm(self, prefix: str | None, *, dry_run: bool = False) -> RmReport:
        """Delete an encoder's latents; runs that want them encode them anew.

        Args:
            prefix: As for :meth:`info`; ``None`` for all encoders.
            dry_run: Only say what would go.

        Raises:
            UnknownNameError: As for :meth:`info`.
            CacheError: If something cannot be deleted.
        """
        return manage.rm(self.root, prefix, dry_run=dry_run)

    def _refreshed(self, encoder: str) -> Catalogue:
        if encoder not in self._catalogues:
            self._catalogues[encoder] = Catalogue(encoder_directory(self.root, encoder))
        self._catalogues[encoder].refresh()
        return self._catalogues[encoder]


def _read_trusted(
    catalogue: Catalogue, keys: Keys, out: Latents, rows: Positions
) -> tuple[npt.NDArray[np.bool_], CacheError | None]:
    """Read what can be read. Where a segment fails, another may hold the same latents."""
    read = np.zeros(len(keys), np.bool_)
    failure: CacheError | None = None
    pending = np.arange(len(keys))
    while pending.size:
        positions = catalogue.find(keys[pending])
        pending, positions = pending[positions >= 0], positions[positions >= 0]
        read[pending], met = catalogue.read_into(positions, out, rows[pending])
        failure = failure or met
        pending = pending[~read[pending]]
    return read, failure
