"""A checkpoint's own image processor, run so that most of its work can be done elsewhere.

Processors resize and crop 8-bit images, and only then map each pixel value to a float. That last
step is two thirds of their time, and has 256 possible inputs for each colour. So the processor is
asked once what it makes of each of them, and from then on only resizes and crops; a look-up in that
table, on the GPU if there is one, does the rest. The pixel values are bit for bit the processor's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.loading import processor_backend

Images = npt.NDArray[np.uint8]

# Sides of the images on which the short cut is tried: smaller, larger and of other proportions.
_TRIALS = ((48, 40), (150, 420), (520, 390))


class Preprocessor:
    """Images to pixel values, as the checkpoint's image processor makes them.

    In two steps: :meth:`prepare` for threads beside the forward pass, :meth:`pixel_values` for the
    thread and the device of the forward pass.

    Args:
        processor: The image processor of transformers.
        name: The model's name, for errors.

    Attributes:
        by_table: Whether the values of pixels are looked up; otherwise the processor, which then
            works in another way than most, does everything.
    """

    def __init__(self, processor: Any, name: str) -> None:
        self._processor = processor
        self._name = name
        self._table = self._find_table()
        self.by_table = self._table is not None
        self._tables: dict[tuple[torch.device, torch.dtype], torch.Tensor] = {}

    @property
    def kind(self) -> str:
        """The processor's class, and the library with which it resizes."""
        return f"{type(self._processor).__name__} ({processor_backend(self._processor)})"

    def prepare(self, images: Images, device: torch.device) -> torch.Tensor:
        """What comes before the forward pass's device; safe to call from several threads.

        Args:
            images: uint8 [B, H, W, 3] RGB, B at least 1.
            device: Where the pixel values will be needed.

        Returns:
            On the CPU (pinned for CUDA), for :meth:`pixel_values`: uint8 [B, 3, H', W'] to be
            looked up, or float32 [B, 3, H', W'] pixel values.
        """
        if self._table is None:
            pixels = self._process(images)
        else:
            pixels = self._process(images, do_rescale=False, do_normalize=False)
            if device.type == "cpu":
                pixels = _look_up(self._table, pixels)
        return pixels.pin_memory() if device.type == "cuda" else pixels

    def pixel_values(self, prepared: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """The model's input, on the device of what was prepared.

        Args:
            prepared: What :meth:`prepare` gave, on any device.
            dtype: The model's dtype, to which the processor's float32 values are rounded.

        Returns:
            [B, 3, H', W'] of that dtype.
        """
        if prepared.dtype != torch.uint8 or self._table is None:
            return prepared.to(dtype)
        table = self._tables.get((prepared.device, dtype))
        if table is None:
            table = torch.from_numpy(self._table).to(prepared.device, dtype)
            self._tables[prepared.device, dtype] = table
        return torch.stack([table[c][prepared[:, c].int()] for c in range(3)], dim=1)

    def _find_table(self) -> npt.NDArray[np.float32] | None:
        """Float32 [3, 256]: the value of each colour's pixels; ``None`` where there is no such."""
        processor = self._processor
        if not all(hasattr(processor, step) for step in ("do_rescale", "do_normalize")):
            return None
        ramp = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, axis=3)
        values = self._process(ramp, do_resize=False, do_center_crop=False, do_pad=False)
        if values.shape != (1, 3, 16, 16):
            return None
        table: npt.NDArray[np.float32] = values.numpy().reshape(3, 256)
        rng = np.random.default_rng(0)
        for height, width in _TRIALS:
            image = rng.integers(0, 256, (1, height, width, 3), dtype=np.uint8)
            raw = self._process(image, do_rescale=False, do_normalize=False)
            if raw.dtype != torch.uint8 or not torch.equal(
                _look_up(table, raw), self._process(image)
            ):
                return None
        return table

    def _process(self, images: Images, **settings: bool) -> torch.Tensor:
        """Run the processor: uint8 where it maps no values, else float32."""
        known = {key: value for key, value in settings.items() if hasattr(self._processor, key)}
        values = self._processor(
            images=list(images), return_tensors="pt", input_data_format="channels_last", **known
        )["pixel_values"]
        if values.ndim != 4:
            raise UnsuitableModelError(
                f"the image processor of {self._name} ({self.kind}) gives {list(values.shape)} for "
                f"{len(images)} images, not [images, channels, height, width]",
                hint="Use a model of single images.",
            )
        pixels: torch.Tensor = values if values.dtype == torch.uint8 else values.float()
        return pixels


def _look_up(table: npt.NDArray[np.float32], pixels: torch.Tensor) -> torch.Tensor:
    """Float32 values of uint8 pixels [B, 3, H, W], in one thread."""
    source = pixels.numpy()
    values = np.empty(source.shape, np.float32)
    for colour in range(3):
        values[:, colour] = table[colour][source[:, colour]]
    return torch.from_numpy(values)
