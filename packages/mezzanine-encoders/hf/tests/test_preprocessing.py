"""Pixel values are the checkpoint's own processor's, bit for bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import transformers

from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.loading import load_image_processor
from mezzanine_encoders_hf.preprocessing import Preprocessor
from mezzanine_encoders_hf.sources import ModelSource

CPU = torch.device("cpu")

KINDS = ["vit", "ijepa", "dinov2", "dinov3", "clip", "siglip", "mae", "deit", "convnext", "swin"]


def pil_processor(name: str, **settings: Any) -> Any:
    """Transformers 5 calls torchvision's class by the plain name, 4 PIL's."""
    return (getattr(transformers, f"{name}Pil", None) or getattr(transformers, name))(**settings)


def images(count: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng([count, height, width])
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def by_itself(processor: Any, batch: npt.NDArray[np.uint8]) -> torch.Tensor:
    """What the processor makes of images, one after the other."""
    values = [
        processor(images=image, return_tensors="pt", input_data_format="channels_last")
        for image in batch
    ]
    return torch.cat([value["pixel_values"] for value in values])


@pytest.mark.parametrize("size", [(128, 128), (32, 32), (17, 90), (61, 33)])
@pytest.mark.parametrize("kind", KINDS)
def test_pixel_values_are_bit_for_bit_the_processors(
    checkpoint: Callable[[str], Path], kind: str, size: tuple[int, int]
) -> None:
    processor = load_image_processor(ModelSource(kind, checkpoint(kind)))
    preprocessor = Preprocessor(processor, kind)
    batch = images(3, *size)
    expected = by_itself(processor, batch)
    values = preprocessor.pixel_values(preprocessor.prepare(batch, CPU), torch.float32)
    assert values.dtype == torch.float32
    assert torch.equal(values, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_processors_of_all_families_are_looked_up(
    checkpoint: Callable[[str], Path], kind: str
) -> None:
    assert Preprocessor(load_image_processor(ModelSource(kind, checkpoint(kind))), kind).by_table


def test_values_are_normalised_by_the_mean_and_deviation_of_the_checkpoint(
    checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint("vit"), folder)
    path = folder / "preprocessor_config.json"
    settings = json.loads(path.read_text())
    mean, deviation = [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]
    path.write_text(json.dumps(settings | {"image_mean": mean, "image_std": deviation}))
    preprocessor = Preprocessor(load_image_processor(ModelSource("copy", folder)), "copy")
    batch = images(2, 32, 32)
    values = preprocessor.pixel_values(preprocessor.prepare(batch, CPU), torch.float32)
    expected = (batch / 255.0 - mean) / deviation
    np.testing.assert_allclose(values.permute(0, 2, 3, 1), expected, atol=1e-6)


def test_a_look_up_elsewhere_gives_the_values_of_a_look_up_at_once(
    checkpoint: Callable[[str], Path],
) -> None:
    """What goes to a GPU is 8-bit pixels, and is looked up there."""
    processor = load_image_processor(ModelSource("vit", checkpoint("vit")))
    preprocessor = Preprocessor(processor, "vit")
    batch = images(5, 40, 50)
    raw = processor(
        images=list(batch),
        do_rescale=False,
        do_normalize=False,
        return_tensors="pt",
        input_data_format="channels_last",
    )["pixel_values"]
    assert raw.dtype == torch.uint8
    at_once = preprocessor.prepare(batch, CPU)
    for dtype in (torch.float32, torch.bfloat16):
        assert torch.equal(preprocessor.pixel_values(raw, dtype), at_once.to(dtype))


def test_a_processor_that_scales_values_before_it_resizes_does_everything_itself() -> None:
    processor = pil_processor("ZoeDepthImageProcessor", size={"height": 32, "width": 32})
    preprocessor = Preprocessor(processor, "zoe")
    assert not preprocessor.by_table
    batch = images(2, 64, 64)
    values = preprocessor.pixel_values(preprocessor.prepare(batch, CPU), torch.float32)
    assert torch.equal(values, by_itself(processor, batch))


def test_threads_that_prepare_at_once_do_not_disturb_each_other(
    checkpoint: Callable[[str], Path],
) -> None:
    processor = load_image_processor(ModelSource("dinov2", checkpoint("dinov2")))
    preprocessor = Preprocessor(processor, "dinov2")
    batches = [images(3, 30 + size, 40) for size in range(40)]
    alone = [preprocessor.prepare(batch, CPU) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda batch: preprocessor.prepare(batch, CPU), batches))
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.mark.parametrize("name", ["VideoMAEImageProcessor", "Siglip2ImageProcessor"])
def test_a_processor_of_something_else_than_single_images_is_refused(name: str) -> None:
    with pytest.raises(UnsuitableModelError, match=r"not \[images, channels, height, width\]"):
        Preprocessor(pil_processor(name), "some model")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_on_a_gpu_are_those_on_the_cpu(
    checkpoint: Callable[[str], Path], dtype: torch.dtype
) -> None:
    gpu = torch.device("cuda")
    processor = load_image_processor(ModelSource("vit", checkpoint("vit")))
    preprocessor = Preprocessor(processor, "vit")
    batch = images(5, 40, 50)
    there = preprocessor.prepare(batch, gpu)
    assert there.is_pinned()
    values = preprocessor.pixel_values(there.to(gpu), dtype)
    assert torch.equal(values.cpu(), preprocessor.prepare(batch, CPU).to(dtype))
