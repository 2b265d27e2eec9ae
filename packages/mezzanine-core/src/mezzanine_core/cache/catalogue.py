"""Which latents of one encoder are committed, and in which segment each lies."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mezzanine_core.cache.failures import corrupt, reading
from mezzanine_core.cache.index import KeyIndex, Positions, first_position
from mezzanine_core.cache.layout import read_card
from mezzanine_core.cache.segment import Segment
from mezzanine_core.encoders import Latents
from mezzanine_core.errors import CacheError
from mezzanine_core.fingerprint import KEY_BYTES, Keys

_log = logging.getLogger(__name__)

_SEGMENT = re.compile(r"[0-9a-f]{32}")


class Catalogue:
    """The committed segments of one encoder, as far as they can be trusted.

    Segments are immutable: each is opened once, and :meth:`refresh` looks only for new ones and for
    ones that are gone. A segment that turns out damaged is reported once, in a warning, and from
    then on counts as absent, so that what it held is encoded anew instead of stopping the run.

    Args:
        directory: The encoder's directory; it need not exist.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._keys: dict[str, Keys] = {}
        self._segments: dict[str, Segment] = {}
        self._distrusted: set[str] = set()
        self._order: list[str] = []
        self._starts: Positions = np.zeros(1, np.int64)
        self._joined: Keys | None = None
        self._index: KeyIndex | None = None

    def refresh(self) -> None:
        """Take in segments that were committed, and let go of ones that were removed.

        Raises:
            CacheError: If the directory cannot be listed.
        """
        names = set(segment_names(self._directory))
        gone = self._segments.keys() - names
        for name in gone:
            self._forget(name)
        new = sorted(names - self._segments.keys() - self._distrusted)
        card = read_card(self._directory) if new else None
        for name in new:
            self._take_in(name, None if card is None else card.dim)

    def find(self, keys: Keys) -> Positions:
        """Position of each key for :meth:`read_into`, int64 [n]; -1 where it is not committed."""
        held = self._held()
        # A run that repeats an earlier one asks for what that one wrote, in the same order.
        start = first_position(held, keys[0]) if len(keys) else 0
        if start >= 0 and np.array_equal(held[start : start + len(keys)], keys):
            return np.arange(start, start + len(keys))
        if self._index is None:
            self._index = KeyIndex(held)
        return self._index.find(keys)

    def distinct(self) -> int:
        """How many distinct keys are committed."""
        held = self._held()
        return len(np.unique(KeyIndex(held).find(held)))

    @property
    def dim(self) -> int | None:
        """Length of a latent, or ``None`` where nothing is committed."""
        return next((segment.record.dim for segment in self._segments.values()), None)

    def read_into(
        self, positions: Positions, out: Latents, rows: Positions
    ) -> tuple[npt.NDArray[np.bool_], CacheError | None]:
        """Read latents into ``out[rows]``.

        Args:
            positions: From :meth:`find`, each ≥ 0.
            out: float32 [m, D], C-contiguous.
            rows: Where each latent goes, each in [0, m).

        Returns:
            Which were read, bool [n], and the first damage that was met. Rows of a damaged segment
            were not read; the segment is trusted no more.
        """
        read = np.zeros(len(positions), np.bool_)
        failure: CacheError | None = None
        ascending = np.argsort(positions, kind="stable")
        cuts = np.searchsorted(positions[ascending], self._starts)
        for name, start, low, high in zip(
            self._order, self._starts[:-1], cuts[:-1], cuts[1:], strict=True
        ):
            if low == high:
                continue
            here = ascending[low:high]
            try:
                segment = self._segments[name]
                self._check_dim(segment, out.shape[1])
                segment.gather(positions[here] - start, out, rows[here])
                read[here] = True
            except CacheError as error:
                failure = failure or error
                self._distrust(name, error)
        return read, failure

    def _held(self) -> Keys:
        """Keys of all segments, in the order in which these were committed."""
        if self._joined is None:
            self._order = sorted(
                self._segments, key=lambda name: (self._segments[name].record.created, name)
            )
            parts = [self._keys[name] for name in self._order]
            self._starts = np.cumsum([0, *(len(part) for part in parts)])
            self._joined = np.concatenate(parts or [np.empty((0, KEY_BYTES), np.uint8)])
        return self._joined

    def _take_in(self, name: str, dim: int | None) -> None:
        """Add a segment, unless it is not committed yet or cannot be trusted."""
        try:
            segment = Segment.open(self._directory / "segments" / name)
            if segment is None:
                return
            if dim is not None:
                self._check_dim(segment, dim)
            self._keys[name] = segment.keys()
            self._segments[name] = segment
            self._joined = self._index = None
        except CacheError as error:
            self._distrust(name, error)

    def _check_dim(self, segment: Segment, dim: int) -> None:
        if segment.record.dim != dim:
            raise corrupt(
                segment.directory, f"its latents have length {segment.record.dim}, expected {dim}"
            )

    def _distrust(self, name: str, error: CacheError) -> None:
        _log.warning("%s; its latents count as missing. %s", error.message, error.hint or "")
        self._distrusted.add(name)
        self._forget(name)

    def _forget(self, name: str) -> None:
        self._segments.pop(name, None)
        self._keys.pop(name, None)
        self._joined = self._index = None


def segment_names(directory: Path) -> list[str]:
    """Names of the segments, committed or not; empty where there are none.

    A directory whose name is not 32 hexadecimal digits is not a segment, but somebody else's.

    Raises:
        CacheError: If they cannot be listed.
    """
    segments = directory / "segments"
    with reading(segments):
        try:
            found = [path for path in segments.iterdir() if _SEGMENT.fullmatch(path.name)]
            return [path.name for path in found if path.is_dir()]
        except FileNotFoundError:
            return []
