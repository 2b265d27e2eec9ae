"""Encoders of images: what they share, and the one for any vision backbone of transformers."""

from __future__ import annotations

import copy
import inspect
import logging
import os
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mezzanine_core.encoders import Latents
from mezzanine_core.worlds import Batch
from mezzanine_encoders_hf.config import HFImageConfig, HFVisionConfig, Layer, VisionPooling
from mezzanine_encoders_hf.images import rgb
from mezzanine_encoders_hf.lanes import lanes, side_by_side
from mezzanine_encoders_hf.loading import load_image_processor, load_model
from mezzanine_encoders_hf.memory import split_when_short
from mezzanine_encoders_hf.model import HFEncoder
from mezzanine_encoders_hf.pooled import PooledStates
from mezzanine_encoders_hf.prefetch import Landing, in_order
from mezzanine_encoders_hf.preprocessing import Preprocessor
from mezzanine_encoders_hf.towers import VisionTower, vision_tower

_log = logging.getLogger(__name__)

C = TypeVar("C", bound=HFImageConfig)

Features = Callable[[torch.Tensor], torch.Tensor]
"""From pixel values [B, 3, H, W] to float32 [B, D], both on the model's device."""

_GPU_BATCH = 128
"""Images in one forward pass on a GPU where the settings do not say."""

_CHUNK = 16
"""Images that a thread prepares at a time."""

_THREADS = 16
"""Most threads that prepare images."""


class ImageEncoder(HFEncoder[C], Generic[C]):
    """Encodes images with a vision backbone, and prepares images while the device computes.

    An image's latent depends on the batch around it by rounding only: at most 1e-5 of its largest
    value in float32. In bfloat16, which has 8 bits, it is within 5% of its largest value, of the
    latent in another batch and of that in float32.

    Args:
        config: The encoder's settings.
    """

    accepts = frozenset({"image"})
    _name: ClassVar[str]

    def __init__(self, config: C) -> None:
        super().__init__(config)
        self._shortened: int | None = None

    @cached_property
    def tower(self) -> VisionTower:
        """The part of the checkpoint that sees images; found without loading weights."""
        return vision_tower(self.model_config, self.source.name, self.config.name or self._name)

    @cached_property
    def preprocessor(self) -> Preprocessor:
        """The checkpoint's image processor."""
        name = self.tower.name  # a text model is refused as such, not for its lack of a processor
        return Preprocessor(load_image_processor(self.source), name)

    @property
    def batch_size(self) -> int:
        """Images in one forward pass; less than asked for since memory ran out."""
        default = _cpu_batch() if self.device.type == "cpu" else _GPU_BATCH
        return self._shortened or self.config.batch_size or default

    @property
    def batch_rows(self) -> int:
        """A batch of a stream is one forward pass, so that progress shows of slow models too."""
        return self.batch_size

    def encode(self, batch: Batch) -> Latents:
        """Encode images.

        Args:
            batch: uint8 [B, H, W, 3] RGB, [B, H, W] or [B, H, W, 1] grey, or opaque RGBA
                [B, H, W, 4]; any B, H and W at least 1.

        Returns:
            Latents, float32 [B, dim], finite.

        Raises:
            DataError: If the batch is anything else; the message says how to convert it.
            LatentError: If the model gives NaN or infinite values.
            UnsuitableModelError: If the model is of a kind that cannot be used, or has no such
                layer or class token.
        """
        (latents,) = self.encode_stream([batch])
        return self._finite(latents)

    def encode_stream(self, batches: Iterable[Batch]) -> Iterator[Latents]:
        """Encode batches of images, whose sizes may differ from batch to batch.

        Threads prepare the images of what comes next while the device computes. On a GPU the
        latents of a batch are given after the next was begun, so that it is never idle.

        Args:
            batches: As :meth:`encode` takes them.

        Yields:
            The latents of each batch, in order. Where a batch cannot be encoded, those of all
            batches before it come first.

        Raises:
            DataError: As :meth:`encode`.
            LatentError: If the model's embeddings are not finite.
            UnsuitableModelError: As :meth:`encode`.
        """
        ahead = 1 if self.device.type == "cuda" else 0
        landing: deque[Landing] = deque()
        failure: Exception | None = None
        with (
            closing(self._prepared(batches)) as prepared,
            closing(self._computed(prepared)) as computed,
        ):
            while failure is None:
                try:
                    landing.append(Landing(next(computed)))
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001 - raised in its turn
                    failure = error
                while len(landing) > ahead:
                    yield landing.popleft().wait().numpy()
        while landing:
            yield landing.popleft().wait().numpy()
        if failure is not None:
            raise failure

    def report(self) -> Mapping[str, Any]:
        """How it encoded so far; besides what all encoders say, the processor and batch size."""
        return {
            **super().report(),
            "processor": self.preprocessor.kind,
            "batch_size": self.batch_size,
        }

    @cached_property
    @abstractmethod
    def _features(self) -> Features:
        """The frozen map after preprocessing; loads the model."""

    def _load(self) -> nn.Module:
        return load_model(
            self.source,
            self.tower.model_class,
            config=_seeing_all(self.tower.config),
            dtype=self.precision,
        )

    def _inputs(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """The model's inputs.

        A masked autoencoder shuffles the patches by random noise even where it masks none; noise
        that grows along them keeps their order.
        """
        if "noise" not in inspect.signature(self.tower.model_class.forward).parameters:
            return {"pixel_values": pixels}
        side = int(self.tower.config.patch_size)
        patches = (pixels.shape[2] // side) * (pixels.shape[3] // side)
        noise = torch.linspace(0, 1, patches, device=pixels.device)
        return {"pixel_values": pixels, "noise": noise.expand(len(pixels), -1)}

    def _probe(self) -> torch.Tensor:
        """Pixel values of two images that differ everywhere."""
        height, width = self.tower.image_size
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
        prepared = self.preprocessor.prepare(images, self.device)
        return self.preprocessor.pixel_values(prepared.to(self.device), self.precision)

    def _states(self, layer: Layer, mode: VisionPooling) -> PooledStates:
        """Read one hidden state of the model, and pool its tokens."""
        states = PooledStates(self.model, self._inputs, layer, mode, self._probe(), self.tower)
        if self.config.compile:
            states.compile()
        return states

    def _state_dim(self, layer: Layer, mode: VisionPooling) -> int:
        """Length of a pooled hidden state; loads the model where its config says too little."""
        width = self.tower.width(layer)
        if width is None:
            features = self._features
            assert isinstance(features, PooledStates)
            width = features.width
        return width * (2 if mode == "mean_std" else 1)

    def _prepared(self, batches: Iterable[Batch]) -> Generator[tuple[_Chunk, torch.Tensor | None]]:
        """Chunks of the batches with what was prepared of them, in order."""
        device, preprocessor = self.device, self.preprocessor
        # On the CPU, preparing images is a small part of the work and the model takes the cores.
        threads = min(_THREADS, max(1, _cores() // 4) if device.type == "cpu" else _cores())

        def prepare(chunk: _Chunk) -> tuple[_Chunk, torch.Tensor | None]:
            if not len(chunk.images):
                return chunk, None
            return chunk, preprocessor.prepare(chunk.images, device)

        ahead = threads + 2 * -(-self.batch_size // _CHUNK)
        return in_order(prepare, self._chunks(batches), threads=threads, ahead=ahead)

    def _chunks(self, batches: Iterable[Batch]) -> Iterator[_Chunk]:
        for batch in batches:
            images = rgb(batch)
            size = self.batch_size
            for start in range(0, max(len(images), 1), size):
                part = images[start : start + size]
                for begin in range(0, max(len(part), 1), _CHUNK):
                    end = min(begin + _CHUNK, len(part))
                    full = end == len(part)
                    last = full and start + end == len(images)
                    yield _Chunk(part[begin:end], fills_pass=full, ends_batch=last)

    def _computed(
        self, prepared: Iterable[tuple[_Chunk, torch.Tensor | None]]
    ) -> Generator[torch.Tensor]:
        """The latents of each batch, float32 [B, dim], on the device."""
        latents: list[torch.Tensor] = []
        count = lanes(self.device, compiled=self.config.compile)
        with closing(side_by_side(self._pass, self._passes(prepared), count)) as passes:
            for parts, ends_batch in passes:
                latents.extend(parts)
                if ends_batch:
                    yield torch.cat(latents) if latents else torch.empty(0, self.dim)
                    latents = []

    def _passes(
        self, prepared: Iterable[tuple[_Chunk, torch.Tensor | None]]
    ) -> Iterator[tuple[torch.Tensor | None, bool]]:
        """What each forward pass is given, and whether a batch ends with it."""
        held: list[torch.Tensor] = []
        for chunk, pixels in prepared:
            if pixels is not None:
                held.append(pixels.to(self.device, non_blocking=True))
            if chunk.fills_pass:
                if held:
                    _ = self._features  # loads the model, once for all threads
                yield torch.cat(held) if held else None, chunk.ends_batch
                held = []

    def _pass(self, given: tuple[torch.Tensor | None, bool]) -> tuple[list[torch.Tensor], bool]:
        prepared, ends_batch = given
        return [] if prepared is None else self._forward(prepared), ends_batch

    @torch.inference_mode()
    def _forward(self, prepared: torch.Tensor) -> list[torch.Tensor]:
        """Latents of prepared images, in as many forward passes as fit into memory."""
        features = self._features

        def run(part: torch.Tensor) -> torch.Tensor:
            with _whole_float32():
                return features(self.preprocessor.pixel_values(part, self.precision))

        # What was prepared before memory ran out may be larger than the batch size is since.
        return [
            latents
            for part in torch.split(prepared, self.batch_size)
            for latents in split_when_short(run, part, self._shorten)
        ]

    def _shorten(self, length: int) -> None:
        shorter = (length + 1) // 2
        if shorter < self.batch_size:
            self._shortened = shorter
            _log.warning(
                "%s ran out of memory on %s with %d images in one forward pass; going on with %d",
                self.source.name,
                self.device,
                length,
                shorter,
            )


class HFVision(ImageEncoder[HFVisionConfig]):
    """Hidden states of any vision backbone of transformers, pooled over the patches of an image.

    Args:
        config: The encoder's settings.
    """

    _name = "hf_vision"

    @property
    def dim(self) -> int:
        """Length of a latent: the layer's width, twice that for ``mean_std``."""
        return self._state_dim(self.config.embed_layer, self.config.embed_mode)

    def fingerprint(self) -> str:
        """Names the map by the model's files, the processor, layer, pooling and precision."""
        return self._named(
            "weights",
            "processor",
            layer=self.tower.resolve(self.config.embed_layer),
            pooling=self.config.embed_mode,
            processor=self.preprocessor.kind,
        )

    @cached_property
    def _features(self) -> Features:
        return self._states(self.config.embed_layer, self.config.embed_mode)


@dataclass(frozen=True)
class _Chunk:
    """Some images of a batch.

    Attributes:
        images: uint8 [n, H, W, 3]; empty only where the batch is.
        fills_pass: Whether these are the last images of a forward pass.
        ends_batch: Whether these are the last images of the batch.
    """

    images: npt.NDArray[np.uint8]
    fills_pass: bool
    ends_batch: bool


def _seeing_all(config: Any) -> Any:
    """A configuration under which a masked autoencoder sees the whole image."""
    if getattr(config, "mask_ratio", None) is not None:
        config = copy.deepcopy(config)
        config.mask_ratio = 0.0
    return config


def _cpu_batch() -> int:
    """Images in one forward pass on the CPU where the settings do not say.

    Four images for each core leave what a block computes in its cache: with ViT-S on two cores,
    batches of 8 take three quarters of the time that batches of 32 take.
    """
    return min(64, max(8, 4 * torch.get_num_threads()))


def _whole_float32() -> AbstractContextManager[None]:
    """A context in which convolutions on a GPU compute float32 as such, not as TF32.

    That is what torch does with matrix products by default, and with convolutions not.
    """
    cudnn = torch.backends.cudnn
    return cudnn.flags(
        enabled=cudnn.enabled,
        benchmark=cudnn.benchmark,
        deterministic=cudnn.deterministic,
        allow_tf32=False,
    )


def _cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system has it
        return os.cpu_count() or 1
