"""The vision encoder against transformers' own loop, on the same random weights in one process.

The reference is what one writes without thinking: the checkpoint's processor and the whole model on
batches of 32 images in order, ``output_hidden_states=True``, float32, and from all hidden states
the fourth from the end, pooled by mean and standard deviation. The encoder reads the same layer.
A third loop runs the model up to that layer on pixel values that were prepared beforehand and are
on the device already: what the encoder would reach if preparing images cost nothing.

Figures are medians of repeats in which all of them take turns, so that whatever else the machine
does meets each. The images are 128 x 128, as I-PHYRE's, random with a fixed seed.

    python benchmarks/bench_vision.py                       # ViT-S/16 on the CPU
    python benchmarks/bench_vision.py --device cuda --models vit-b-16,dinov2-l --images 8192

On a GPU the reference is left out and everything is computed in bfloat16.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
import torch
import transformers

from mezzanine_encoders_hf import pooling
from mezzanine_encoders_hf.config import HFVisionConfig
from mezzanine_encoders_hf.loading import load_image_processor
from mezzanine_encoders_hf.sources import ModelSource
from mezzanine_encoders_hf.vision import HFVision

Images = npt.NDArray[np.uint8]

LAYER = -4
REFERENCE_BATCH = 32
STREAM_BATCH = 256
"""Images in one batch of a run."""

SMALL = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
MODELS = {
    "vit-s-16": transformers.ViTConfig(**SMALL, intermediate_size=1536),
    "vit-b-16": transformers.ViTConfig(),
    "dinov2-l": transformers.Dinov2Config(**LARGE, patch_size=14, image_size=518),
}
SQUARE = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": 224, "width": 224},
}
CROPPED = {
    "image_processor_type": "BitImageProcessor",
    "size": {"shortest_edge": 256},
    "crop_size": {"height": 224, "width": 224},
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "resample": 3,
}


@dataclass(frozen=True)
class Row:
    """One way to encode: the median of its seconds, and its speed over that of another."""

    model: str
    what: str
    seconds: float
    images: int
    compared_with: str | None = None
    ratio: float | None = None
    asked: float | None = None

    def markdown(self) -> str:
        """The row of the table."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} times {self.compared_with}"
        asked = "" if self.asked is None else f"{self.asked}"
        speed = f"{self.images / self.seconds:.1f} images/s"
        return f"| {self.model} | {self.what} | {speed} | {ratio} | {asked} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--models", default="vit-s-16", help=f"of {', '.join(MODELS)}")
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch-size", type=int, help="of the encoder; by default its own")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    rows: list[Row] = []
    for model in arguments.models.split(","):
        with tempfile.TemporaryDirectory() as directory:
            folder = Path(directory)
            save(model, folder)
            images = random_images(arguments.images)
            compare = on_gpu if arguments.device.startswith("cuda") else on_cpu
            rows += compare(model, folder, images, arguments)
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    print(f"{arguments.images} images, median of {arguments.repeats} repeats, {arguments.device}\n")
    print("| model | what | speed | ratio | asked |\n|---|---|---|---|---|")
    for row in rows:
        print(row.markdown())


def save(name: str, folder: Path) -> None:
    """A checkpoint of random weights, which take as long as trained ones."""
    torch.manual_seed(0)
    model = transformers.AutoModel.from_config(MODELS[name])
    model.save_pretrained(folder)
    processor = CROPPED if name.startswith("dino") else SQUARE
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def random_images(count: int) -> Images:
    return np.random.default_rng(0).integers(0, 256, (count, 128, 128, 3), dtype=np.uint8)


def on_cpu(name: str, folder: Path, images: Images, arguments: argparse.Namespace) -> list[Row]:
    """Against the reference, in float32 and in bfloat16."""
    exact = encoder(folder, "cpu", "float32", arguments.batch_size)
    coarse = encoder(folder, "cpu", "bfloat16", arguments.batch_size)
    same_batches = encoder(folder, "cpu", "float32", REFERENCE_BATCH)
    reference = reference_loop(folder, images)
    wanted = reference()
    if not np.array_equal(wanted, encode(same_batches, images)):
        raise SystemExit("the encoder does not give the latents of the reference")
    same = " (bit-equal)" if np.array_equal(wanted, encode(exact, images)) else ""
    default = f"encoder, float32{same}"
    prepared = pixel_values(folder, images)
    equal = f"encoder, float32, batches of {REFERENCE_BATCH} (bit-equal)"
    ways = {
        "reference": reference,
        equal: lambda: encode(same_batches, images),
        default: lambda: encode(exact, images),
        "encoder, bfloat16": lambda: encode(coarse, images),
        "forward only, float32": forward_only(exact, prepared),
        "forward only, bfloat16": forward_only(coarse, prepared),
    }
    seconds = take_turns(ways, arguments.repeats)
    compared = {
        equal: ("the reference", "reference", 1.3),
        default: ("the reference", "reference", 1.3),
        "encoder, bfloat16": ("the reference, in float32", "reference", 3.0),
        "forward only, float32": ("the encoder in float32", default, None),
        "forward only, bfloat16": ("the encoder in bfloat16", "encoder, bfloat16", None),
    }
    return rows_of(name, seconds, compared, len(images))


def on_gpu(name: str, folder: Path, images: Images, arguments: argparse.Namespace) -> list[Row]:
    """Against the forward pass alone, in bfloat16."""
    rows = []
    for layer, what in ((LAYER, f"layer {LAYER}"), ("final", "all layers")):
        made = encoder(folder, arguments.device, "bfloat16", arguments.batch_size, layer)
        ways = {
            f"forward only, {what}": forward_only(made, pixel_values(folder, images)),
            f"encoder, {what}": lambda made=made: encode(made, images),
        }
        seconds = take_turns(ways, arguments.repeats)
        compared = {f"encoder, {what}": ("forward only", f"forward only, {what}", 0.9)}
        rows += rows_of(name, seconds, compared, len(images))
    return rows


def encoder(
    folder: Path, device: str, dtype: str, batch_size: int | None, layer: int | str = LAYER
) -> HFVision:
    config = HFVisionConfig.model_validate(
        {
            "model_name": str(folder),
            "dtype": dtype,
            "embed_layer": layer,
            "batch_size": batch_size,
        }
    )
    return HFVision(config).to(device)


def encode(made: HFVision, images: Images) -> npt.NDArray[np.float32]:
    """As a run encodes: batch after batch."""
    batches = (images[i : i + STREAM_BATCH] for i in range(0, len(images), STREAM_BATCH))
    return np.concatenate(list(made.encode_stream(batches)))


def reference_loop(folder: Path, images: Images) -> Callable[[], npt.NDArray[np.float32]]:
    processor = load_image_processor(ModelSource(str(folder), folder))
    model = transformers.AutoModel.from_pretrained(folder).eval()

    @torch.inference_mode()
    def loop() -> npt.NDArray[np.float32]:
        latents = []
        for start in range(0, len(images), REFERENCE_BATCH):
            batch = list(images[start : start + REFERENCE_BATCH])
            inputs = processor(images=batch, return_tensors="pt")
            states = model(**inputs, output_hidden_states=True).hidden_states
            latents.append(pooling.mean_std(states[LAYER][:, 1:]))
        return torch.cat(latents).numpy()

    return loop


def pixel_values(folder: Path, images: Images) -> torch.Tensor:
    processor = load_image_processor(ModelSource(str(folder), folder))
    values: torch.Tensor = processor(images=list(images), return_tensors="pt")["pixel_values"]
    return values


def forward_only(made: HFVision, prepared: torch.Tensor) -> Callable[[], object]:
    """The same pass on pixel values that are there already, without anything around it."""
    batches = [
        batch.to(made.device, made.precision) for batch in torch.split(prepared, made.batch_size)
    ]

    @torch.inference_mode()
    def loop() -> torch.Tensor:
        return torch.cat([made._features(batch) for batch in batches]).cpu()

    return loop


def take_turns(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each, after one untimed call."""
    for way in ways.values():
        way()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return {name: median(seconds) for name, seconds in times.items()}


def rows_of(
    model: str,
    seconds: dict[str, float],
    compared: dict[str, tuple[str, str, float | None]],
    images: int,
) -> list[Row]:
    rows = []
    for what, taken in seconds.items():
        row = Row(model, what, taken, images)
        if what in compared:
            other, key, asked = compared[what]
            row = Row(model, what, taken, images, other, seconds[key] / taken, asked)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
