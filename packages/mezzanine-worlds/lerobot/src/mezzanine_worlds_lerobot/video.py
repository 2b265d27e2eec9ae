"""Decoding some frames of a video, in the order of their times.

Random access is what makes videos slow: each access seeks the key frame before the frame, and
decodes everything in between. Here a file is opened once, decoded forwards, and only frames that
are asked for become images; a jump that would skip more than the interval of key frames seeks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mezzanine_core.errors import DataError
from mezzanine_worlds_lerobot.backends import BackendName
from mezzanine_worlds_lerobot.frames import BATCH, Frame, Frames, shrink_frame

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_PROBED_PACKETS = 2000
"""Packets that are looked through for the second key frame."""

_HINT = "The video is damaged or incomplete: copy or download it again, or leave the episodes in "
_HINT += "it out with --episodes."


@dataclass(frozen=True)
class VideoTask:
    """Frames of a video to decode.

    Attributes:
        path: The video.
        seconds: When each frame is shown, ascending.
        tolerance: How far from that time a frame may be, in seconds.
        size: Longer side to shrink to; ``None`` for none.
        backend: What decodes.
    """

    path: Path
    seconds: Sequence[float]
    tolerance: float
    size: int | None
    backend: BackendName

    def frames(self) -> Iterator[Frames]:
        """The frames, in order, a few at a time.

        Raises:
            DataError: If the file is missing or damaged, or has no frame at one of the times.
        """
        return _torchcodec(self) if self.backend == "torchcodec" else _pyav(self)


def _pyav(task: VideoTask) -> Iterator[Frames]:
    import av

    try:
        with av.open(str(task.path), metadata_errors="ignore") as container:
            reader = _Reader(container, task)
            for start in range(0, len(task.seconds), BATCH):
                part = task.seconds[start : start + BATCH]
                yield np.stack([shrink_frame(reader.at(second), task.size) for second in part])
    except (av.FFmpegError, IndexError) as error:
        raise DataError(f"{task.path} cannot be decoded ({error})", hint=_HINT) from error


class _Reader:
    """Frames of an open video, at ascending times."""

    def __init__(self, container: InputContainer, task: VideoTask) -> None:
        self._container = container
        self._stream: VideoStream = container.streams.video[0]
        self._task = task
        self._interval = _key_interval(container, self._stream)
        self._frames: Iterator[VideoFrame] = iter(())
        self._now = -math.inf
        if math.isinf(self._interval):
            self._seek(0.0)

    def at(self, second: float) -> Frame:
        """The frame at a time, which is not before the one asked for last."""
        if second > self._now + self._interval:
            self._seek(second)
        for frame in self._frames:
            self._now = _seconds(frame)
            if self._now < second - self._task.tolerance:
                continue
            if self._now > second + self._task.tolerance:
                break
            return np.asarray(frame.to_ndarray(format="rgb24"))
        last = f"the last one decoded is at {self._now:.4f} s"
        raise DataError(
            f"{self._task.path} has no frame at {second:.4f} s; "
            f"{last if math.isfinite(self._now) else 'none was decoded'}",
            hint=_HINT,
        )

    def _seek(self, second: float) -> None:
        """Go to the key frame at or before a time."""
        base = self._stream.time_base
        assert base is not None
        back = 0.0
        while True:
            target = max(0.0, second - back)
            self._container.seek(round(target / base), stream=self._stream)
            frames = self._container.decode(self._stream)
            first = next(frames, None)
            # Containers seek by decoding time, which may lead to a key frame that is shown later.
            if first is None or target == 0 or _seconds(first) <= second + self._task.tolerance:
                break
            back = 2 * back + max(self._interval, 1.0)
        self._frames = _chained(first, frames)


def _chained(first: VideoFrame | None, rest: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    if first is not None:
        yield first
        yield from rest


def _key_interval(container: InputContainer, stream: VideoStream) -> float:
    """Seconds between the first two key frames; infinite if there is but one near the start."""
    first = None
    for count, packet in enumerate(container.demux(stream)):
        if packet.pts is None or count == _PROBED_PACKETS:
            break
        if packet.is_keyframe:
            second = float(packet.pts * packet.time_base)
            if first is not None:
                return second - first
            first = second
    return math.inf


def _seconds(frame: VideoFrame) -> float:
    return -math.inf if frame.time is None else frame.time


def _torchcodec(task: VideoTask) -> Iterator[Frames]:
    from torchcodec.decoders import VideoDecoder

    try:
        decoder = VideoDecoder(str(task.path), seek_mode="approximate", dimension_order="NHWC")
        rate = decoder.metadata.average_fps
        for start in range(0, len(task.seconds), BATCH):
            part = np.asarray(task.seconds[start : start + BATCH])
            found = decoder.get_frames_at(indices=[round(second * rate) for second in part])
            far = np.abs(found.pts_seconds.numpy() - part) > task.tolerance
            if far.any():
                second = part[np.flatnonzero(far)[0]]
                raise DataError(f"{task.path} has no frame at {second:.4f} s", hint=_HINT)
            yield np.stack([shrink_frame(frame, task.size) for frame in found.data.numpy()])
    # torchcodec raises IndexError for frames beyond the end, and RuntimeError or ValueError else.
    except (OSError, RuntimeError, IndexError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        text = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise DataError(f"{task.path} cannot be decoded ({text})", hint=_HINT) from error
