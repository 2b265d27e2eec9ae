"""Forward passes that run out of memory, which they really do here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import ViTConfig, ViTModel

from mezzanine_encoders_hf.memory import is_short_of_memory, split_when_short

needs_limits = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux holds a process to a limit of its address space"
)

LIMIT = """
import resource

def allow(more):
    '''Let this process use so many bytes more than it does now.'''
    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
"""


def run(script: str) -> str:
    """What a process of its own prints, whose threads claim no memory in advance."""
    done = subprocess.run(
        [sys.executable, "-c", LIMIT + script],
        capture_output=True,
        text=True,
        check=False,
        env={"MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_limits
def test_a_batch_that_does_not_fit_is_halved_until_it_does() -> None:
    script = """
import torch
from mezzanine_encoders_hf.memory import split_when_short

MEGABYTE = 1 << 20
shortened = []

def forward(items):
    return torch.ones(len(items) * 100 * MEGABYTE, dtype=torch.uint8)[: len(items)] * items

allow(350 * MEGABYTE)
parts = split_when_short(forward, torch.arange(13), shortened.append)
print([len(part) for part in parts], torch.cat(parts).tolist() == list(range(13)), shortened)
"""
    assert run(script).strip() == "[2, 2, 3, 3, 3] True [13, 7, 4, 6]"


@needs_limits
def test_a_single_item_that_does_not_fit_raises_what_torch_raised() -> None:
    script = """
import torch
from mezzanine_encoders_hf.memory import is_short_of_memory, split_when_short

allow(100 << 20)
try:
    split_when_short(lambda items: torch.empty(1 << 30), [1, 2, 3], lambda length: None)
except RuntimeError as error:
    print(is_short_of_memory(error))
"""
    assert run(script).strip() == "True"


@needs_limits
def test_an_encoder_that_runs_out_of_memory_goes_on_with_smaller_batches(tmp_path: Path) -> None:
    """The activations of one image here are a hundred times its pixels."""
    settings = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = ViTConfig(**settings, intermediate_size=2048, image_size=32, patch_size=2)
    ViTModel(config).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(
        '{"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}'
    )
    script = f"""
import logging
import numpy as np
import torch
from mezzanine_encoders_hf.config import HFVisionConfig
from mezzanine_encoders_hf.vision import HFVision

logging.basicConfig(format="%(levelname)s %(message)s", stream=__import__("sys").stdout)
torch.set_num_threads(1)
images = np.random.default_rng(0).integers(0, 256, (256, 8, 8, 3), dtype=np.uint8)
settings = dict(model_name={str(tmp_path)!r}, embed_layer="final")
expected = HFVision(HFVisionConfig(batch_size=8, **settings)).encode(images)
encoder = HFVision(HFVisionConfig(batch_size=128, **settings))
encoder.encode(images[:1])
allow(200 << 20)
latents = encoder.encode(images)
assert np.abs(latents - expected).max() < 1e-5 * np.abs(expected).max()
print("batch size", encoder.report()["batch_size"])
"""
    lines = run(script).splitlines()
    warnings = [line for line in lines if line.startswith("WARNING")]
    sizes = [int(line.rsplit(" ", 1)[1]) for line in warnings]
    assert sizes
    assert sizes == [64, 32, 16, 8][: len(sizes)]
    assert "with 128 images in one forward pass" in warnings[0]
    assert f"batch size {sizes[-1]}" in lines


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    tried: list[int] = []

    def forward(items: torch.Tensor) -> torch.Tensor:
        tried.append(len(items))
        return items @ torch.ones(5)

    with pytest.raises(RuntimeError) as caught:
        split_when_short(forward, torch.ones(8, 4), lambda length: None)
    assert not is_short_of_memory(caught.value)
    assert tried == [8]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_that_runs_out_of_memory_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50, dtype=torch.uint8, device="cuda")
    assert is_short_of_memory(caught.value)
