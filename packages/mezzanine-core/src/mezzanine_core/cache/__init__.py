"""The latent cache: an item that was ever encoded by an encoder is never encoded by it again."""

from mezzanine_core.cache.entries import (
    EncoderEntry,
    EncoderInfo,
    GcReport,
    Problem,
    RmReport,
    SegmentEntry,
    ViewEntry,
)
from mezzanine_core.cache.layout import Precision, default_cache_dir
from mezzanine_core.cache.store import LatentCache
from mezzanine_core.cache.writer import SegmentWriter

__all__ = [
    "EncoderEntry",
    "EncoderInfo",
    "GcReport",
    "LatentCache",
    "Precision",
    "Problem",
    "RmReport",
    "SegmentEntry",
    "SegmentWriter",
    "ViewEntry",
    "default_cache_dir",
]
