"""``hf_vision`` against transformers' own loop, on a checkpoint of each family."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from mezzanine_core.errors import DataError, LatentError
from mezzanine_encoders_hf.config import HFVisionConfig, Layer
from mezzanine_encoders_hf.errors import ModelFilesError, UnsuitableModelError
from mezzanine_encoders_hf.loading import load_image_processor
from mezzanine_encoders_hf.sources import ModelSource
from mezzanine_encoders_hf.vision import HFVision

Checkpoint = Callable[[str], Path]
Images = npt.NDArray[np.uint8]

PREFIX = {
    "vit": 1,
    "ijepa": 0,
    "dinov2": 1,
    "dinov2_registers": 5,
    "dinov3": 5,
    "clip": 1,
    "siglip": 0,
    "mae": 1,
    "deit": 2,
    "swin": 0,
    "convnext": 0,
}
"""How many tokens of each family come before the patches."""

CLASS = {
    "clip": "CLIPVisionModel",
    "siglip": "SiglipVisionModel",
    "mae": "ViTMAEModel",
}
"""What loads the vision tower, where AutoModel does not."""

HALF_PRECISION = 0.05
"""How far a latent in bfloat16 may be from float32, over its largest value."""


def random_images(count: int, height: int = 48, width: int = 40, seed: int = 0) -> Images:
    rng = np.random.default_rng([seed, height, width])
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def encoder(folder: Path, **config: Any) -> HFVision:
    return HFVision(HFVisionConfig(model_name=str(folder), **config))


def tower(folder: Path, kind: str) -> nn.Module:
    more = {"mask_ratio": 0.0} if kind == "mae" else {}
    model_class = getattr(transformers, CLASS.get(kind, "AutoModel"))
    model: nn.Module = model_class.from_pretrained(folder, **more).eval()
    return model


@torch.inference_mode()
def by_transformers(folder: Path, kind: str, layer: Layer, images: Images) -> torch.Tensor:
    """Hidden states of a plain loop: [B, S, D]."""
    processor = load_image_processor(ModelSource(kind, folder))
    inputs = dict(processor(images=list(images), return_tensors="pt"))
    if kind == "mae":
        inputs["noise"] = torch.arange(16.0).expand(len(images), -1)
    output = tower(folder, kind)(**inputs, output_hidden_states=True)
    state = output.last_hidden_state if layer == "final" else output.hidden_states[layer]
    return state.flatten(2).transpose(1, 2) if state.ndim == 4 else state


def pooled_by_hand(state: torch.Tensor, kind: str, mode: str) -> npt.NDArray[np.float64]:
    tokens = state.double().numpy()
    if mode == "cls":
        return tokens[:, 0]
    patches = tokens[:, PREFIX[kind] :]
    mean = patches.mean(axis=1)
    return mean if mode == "mean" else np.concatenate([mean, patches.std(axis=1)], axis=1)


def close(one: Any, other: Any, tolerance: float = 1e-5) -> bool:
    return bool(np.abs(one - other).max() <= tolerance * np.abs(other).max())


def copy(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def edit_json(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


# What a latent is.


@pytest.mark.parametrize("mode", ["mean", "mean_std"])
@pytest.mark.parametrize("kind", PREFIX)
def test_latents_are_pooled_over_the_patches_of_transformers_hidden_state(
    checkpoint: Checkpoint, kind: str, mode: str
) -> None:
    images = random_images(5)
    for layer in (-1, 1, "final"):
        latents = encoder(checkpoint(kind), embed_layer=layer, embed_mode=mode).encode(images)
        state = by_transformers(checkpoint(kind), kind, layer, images)
        assert latents.dtype == np.float32
        assert close(latents, pooled_by_hand(state, kind, mode)), layer


@pytest.mark.parametrize(
    "kind", ["vit", "dinov2", "dinov2_registers", "dinov3", "clip", "mae", "deit"]
)
def test_cls_is_the_class_token(checkpoint: Checkpoint, kind: str) -> None:
    images = random_images(3)
    for layer in (-2, "final"):
        latents = encoder(checkpoint(kind), embed_layer=layer, embed_mode="cls").encode(images)
        state = by_transformers(checkpoint(kind), kind, layer, images)
        assert close(latents, pooled_by_hand(state, kind, "cls"))


@pytest.mark.parametrize("kind", ["ijepa", "siglip", "swin", "convnext"])
def test_cls_is_refused_where_there_is_no_class_token(checkpoint: Checkpoint, kind: str) -> None:
    with pytest.raises(UnsuitableModelError, match=rf"\({kind}.*\) has no class token") as caught:
        encoder(checkpoint(kind), embed_layer=1, embed_mode="cls").encode(random_images(1))
    assert "mean or mean_std" in (caught.value.hint or "")


@pytest.mark.parametrize("kind", ["vit", "ijepa", "dinov3", "clip", "mae", "deit"])
def test_the_mean_uses_every_patch(checkpoint: Checkpoint, kind: str) -> None:
    """At layer 0 no token knows of another: a change of any patch must come from that patch."""
    base = random_images(1, 32, 32)
    changed = np.repeat(base, 17, axis=0)
    for row in range(4):
        for column in range(4):
            patch = changed[
                1 + 4 * row + column, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8
            ]
            patch[:] = 255 - patch
    size = {"height": 32, "width": 32}
    settings: dict[str, Any] = {"embed_layer": 0, "embed_mode": "mean"}
    made = encoder(checkpoint(kind), **settings)
    if kind == "deit":  # whose processor enlarges images and cuts their border off
        made.preprocessor._processor.size = size
    latents = made.encode(changed)
    moved = np.abs(latents[1:] - latents[0]).max(axis=1)
    assert (moved > 1e-3).all()


def test_a_masked_autoencoder_sees_every_patch_in_its_place(checkpoint: Checkpoint) -> None:
    """With all patches in order its encoder is a plain ViT of the same weights."""
    folder = checkpoint("mae")
    config = transformers.ViTConfig(**json.loads((folder / "config.json").read_text()))
    plain = transformers.ViTModel(config, add_pooling_layer=False).eval()
    plain.load_state_dict(tower(folder, "mae").state_dict())
    images = random_images(4)
    processor = load_image_processor(ModelSource("mae", folder))
    pixels = processor(images=list(images), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        states = plain(pixel_values=pixels, output_hidden_states=True).hidden_states
    for layer, state in enumerate(states):
        latents = encoder(folder, embed_layer=layer).encode(images)
        assert close(latents, pooled_by_hand(state, "mae", "mean_std"))


def test_only_the_vision_tower_of_a_model_of_images_and_texts_is_loaded(
    checkpoint: Checkpoint,
) -> None:
    for kind in ("clip", "siglip"):
        model = encoder(checkpoint(kind)).model
        assert type(model).__name__ == CLASS[kind]
        assert not any("text" in name for name, _ in model.named_parameters())


# The same image has the same latent.


@pytest.fixture(scope="module")
def encoders(checkpoint: Checkpoint) -> dict[tuple[str, int], HFVision]:
    """Encoders by family and batch size."""
    return {
        (kind, size): encoder(checkpoint(kind), embed_layer=1, batch_size=size)
        for kind in ("vit", "convnext")
        for size in (1, 4, 9)
    }


@settings(deadline=None, max_examples=20)
@given(
    kind=st.sampled_from(["vit", "convnext"]),
    order=st.permutations(range(9)),
    size=st.sampled_from([4, 9]),
    cut=st.integers(0, 9),
)
def test_an_image_has_the_same_latent_whatever_its_batch_and_order(
    encoders: dict[tuple[str, int], HFVision], kind: str, order: list[int], size: int, cut: int
) -> None:
    images = random_images(9)
    alone = encoders[kind, 1].encode(images)
    stream = encoders[kind, size].encode_stream([images[order[:cut]], images[order[cut:]]])
    assert close(np.concatenate(list(stream)), alone[order])


def test_latents_are_the_same_bits_each_time(checkpoint: Checkpoint) -> None:
    for kind in ("vit", "mae"):
        images = random_images(5)
        one, other = (encoder(checkpoint(kind)).encode(images) for _ in range(2))
        assert (one == other).all()


@pytest.mark.parametrize("kind", PREFIX)
def test_bfloat16_is_as_close_to_float32_as_is_documented(
    checkpoint: Checkpoint, kind: str
) -> None:
    images = random_images(6)
    exact = encoder(checkpoint(kind), embed_layer=-2).encode(images)
    coarse = encoder(checkpoint(kind), embed_layer=-2, dtype="bfloat16").encode(images)
    assert coarse.dtype == np.float32
    assert not (coarse == exact).all()
    assert close(coarse, exact, HALF_PRECISION)


def test_bfloat16_in_another_batch_is_as_close_as_is_documented(checkpoint: Checkpoint) -> None:
    images = random_images(6)
    coarse = encoder(checkpoint("dinov2"), embed_layer=-2, dtype="bfloat16")
    alone = np.concatenate([coarse.encode(images[row : row + 1]) for row in range(6)])
    assert close(alone, coarse.encode(images), HALF_PRECISION)


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("c++") is None and shutil.which("g++") is None and shutil.which("clang++") is None,
    reason="torch.compile needs a C++ compiler",
)
@pytest.mark.filterwarnings("default")  # torch's compiler warns of its own code
def test_a_compiled_model_gives_the_same_latents(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    images = random_images(11)
    for layer in (-2, "final"):
        config = {"embed_layer": layer, "batch_size": 4}
        plain = encoder(checkpoint("vit"), **config).encode(images)
        compiled = encoder(checkpoint("vit"), compile=True, **config).encode(images)
        assert close(compiled, plain)


# Images.


@pytest.mark.parametrize("shape", [(4, 48, 40), (4, 48, 40, 1)])
def test_a_grey_image_is_encoded_as_its_repetition_in_colour(
    checkpoint: Checkpoint, shape: tuple[int, ...]
) -> None:
    grey = random_images(4)[..., :1]
    colour = np.repeat(grey, 3, axis=3)
    made = encoder(checkpoint("vit"))
    assert (made.encode(grey.reshape(shape)) == made.encode(colour)).all()


def test_an_opaque_rgba_image_is_encoded_as_its_colours(checkpoint: Checkpoint) -> None:
    images = random_images(4)
    opaque = np.concatenate([images, np.full_like(images[..., :1], 255)], axis=3)
    made = encoder(checkpoint("vit"))
    assert (made.encode(opaque) == made.encode(images)).all()


@pytest.mark.parametrize("dtype", ["uint16", "float32", "bool"])
def test_images_of_another_dtype_are_refused(checkpoint: Checkpoint, dtype: str) -> None:
    with pytest.raises(DataError, match=dtype):
        encoder(checkpoint("vit")).encode(random_images(2).astype(dtype))


def test_an_empty_batch_gives_no_latents(checkpoint: Checkpoint) -> None:
    made = encoder(checkpoint("vit"))
    assert made.encode(random_images(0)).shape == (0, made.dim)


# Streams.


def test_a_stream_gives_each_batch_its_own_latents_whatever_their_sizes(
    checkpoint: Checkpoint,
) -> None:
    made = encoder(checkpoint("vit"), batch_size=4)
    sizes = [(3, 48, 40), (0, 48, 40), (1, 20, 90), (37, 16, 16), (8, 64, 32)]
    batches = [random_images(*size) for size in sizes]
    streamed = list(made.encode_stream(iter(batches)))
    assert [len(latents) for latents in streamed] == [3, 0, 1, 37, 8]
    for batch, latents in zip(batches, streamed, strict=True):
        assert (latents == made.encode(batch)).all()


def test_a_bad_batch_is_raised_after_the_latents_of_those_before_it(checkpoint: Checkpoint) -> None:
    batches = [random_images(3), random_images(3, seed=1), np.zeros((2, 4, 4, 3), np.float32)]
    stream = encoder(checkpoint("vit")).encode_stream([*batches, random_images(3)])
    assert [len(next(stream)) for _ in range(2)] == [3, 3]
    with pytest.raises(DataError, match="float32"):
        next(stream)


def test_batches_are_taken_ahead_in_bounded_number(checkpoint: Checkpoint) -> None:
    taken: list[int] = []

    def batches() -> Iterator[Images]:
        for number in range(200):
            taken.append(number)
            yield random_images(2)

    stream = encoder(checkpoint("vit"), batch_size=8).encode_stream(batches())
    next(stream)
    assert 1 < len(taken) < 100


def test_no_thread_is_left_when_a_stream_is_closed_early(checkpoint: Checkpoint) -> None:
    stream = encoder(checkpoint("vit")).encode_stream(random_images(2, seed=n) for n in range(99))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name.startswith("mezz-prefetch")]


def test_gradients_are_as_they_were_while_a_stream_is_open(checkpoint: Checkpoint) -> None:
    stream = encoder(checkpoint("vit")).encode_stream([random_images(2), random_images(2)])
    next(stream)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


# What is known without weights.


@pytest.mark.parametrize("mode", ["mean", "mean_std"])
@pytest.mark.parametrize("kind", PREFIX)
def test_the_dimension_is_that_of_the_latents(checkpoint: Checkpoint, kind: str, mode: str) -> None:
    for layer in (0, 1, -2, -1, "final"):
        made = encoder(checkpoint(kind), embed_layer=layer, embed_mode=mode)
        dim = made.dim
        assert "model" not in vars(made)
        assert made.encode(random_images(2)).shape == (2, dim)


@pytest.mark.parametrize("kind", PREFIX)
def test_dimension_and_fingerprint_read_no_weights(
    checkpoint: Checkpoint, kind: str, tmp_path: Path
) -> None:
    folder = copy(checkpoint(kind), tmp_path / "copy")
    (folder / "model.safetensors").write_bytes(b"no weights at all")
    made = encoder(folder, embed_layer=1)
    assert made.dim > 0
    assert len(made.fingerprint()) == 64
    with pytest.raises(ModelFilesError):
        made.encode(random_images(1))


def test_the_dimension_of_a_family_that_config_says_nothing_of_is_measured(tmp_path: Path) -> None:
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1]
    )
    transformers.ResNetModel(config).save_pretrained(tmp_path)
    edit_processor(tmp_path)
    for layer, width in ((0, 8), (-2, 24), ("final", 32)):
        made = encoder(tmp_path, embed_layer=layer, embed_mode="mean")
        assert made.dim == width
        assert made.encode(random_images(2)).shape == (2, width)


def edit_processor(folder: Path, **settings: Any) -> None:
    base = {"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}
    (folder / "preprocessor_config.json").write_text(json.dumps({**base, **settings}))


@pytest.mark.parametrize("layer", [-6, 5, 99])
def test_a_layer_that_does_not_exist_is_refused_before_weights_are_loaded(
    checkpoint: Checkpoint, layer: int
) -> None:
    made = encoder(checkpoint("vit"), embed_layer=layer)
    with pytest.raises(UnsuitableModelError, match=f"embed_layer={layer}"):
        made.fingerprint()
    with pytest.raises(UnsuitableModelError, match=f"embed_layer={layer}"):
        made.encode(random_images(1))


# Fingerprints.


def test_the_fingerprint_changes_with_what_changes_latents(checkpoint: Checkpoint) -> None:
    folder = checkpoint("vit")
    configs: list[dict[str, Any]] = [
        {},
        {"embed_layer": -1},
        {"embed_layer": "final"},
        {"embed_mode": "mean"},
        {"embed_mode": "cls"},
        {"dtype": "bfloat16"},
        {"dtype": "float16"},
    ]
    names = {encoder(folder, **config).fingerprint() for config in configs}
    assert len(names) == len(configs)


def test_the_fingerprint_is_the_same_for_what_gives_the_same_latents(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = checkpoint("vit")
    name = encoder(folder).fingerprint()
    same: list[dict[str, Any]] = [
        {"embed_layer": 1},
        {"dtype": "float32"},
        {"batch_size": 3},
        {"compile": True},
    ]
    assert {encoder(folder, **config).fingerprint() for config in same} == {name}
    assert encoder(copy(folder, tmp_path / "another name")).fingerprint() == name
    assert encoder(folder).to("meta").fingerprint() == name


def test_the_fingerprint_changes_with_one_byte_of_a_weight(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copy(checkpoint("vit"), tmp_path / "copy")
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert encoder(folder).fingerprint() != encoder(checkpoint("vit")).fingerprint()


@pytest.mark.parametrize("change", [{"image_mean": [0.1, 0.5, 0.5]}, {"resample": 0}])
def test_the_fingerprint_changes_with_the_preprocessing(
    checkpoint: Checkpoint, tmp_path: Path, change: dict[str, Any]
) -> None:
    folder = copy(checkpoint("vit"), tmp_path / "copy")
    edit_json(folder / "preprocessor_config.json", **change)
    images = random_images(3)
    assert encoder(folder).fingerprint() != encoder(checkpoint("vit")).fingerprint()
    assert not (encoder(folder).encode(images) == encoder(checkpoint("vit")).encode(images)).all()


# Models that cannot be used.


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
def test_a_text_model_is_refused_with_the_encoder_for_it(checkpoint: Checkpoint, kind: str) -> None:
    for use in (
        lambda made: made.dim,
        lambda made: made.fingerprint(),
        lambda made: made.encode(random_images(1)),
    ):
        with pytest.raises(
            UnsuitableModelError, match=rf"is a language model \({kind}\), hf_vision needs a vision"
        ) as caught:
            use(encoder(checkpoint(kind)))
        assert "hf_language" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("weight", "what"),
    [
        ("embeddings.patch_embeddings.projection.bias", "embeddings of .* NaN or infinite"),
        ("attention", "gave NaN or infinite values for 2 of 2 items"),
    ],
)
@pytest.mark.parametrize("kind", ["vit"])
def test_weights_that_are_nan_are_a_latent_error(
    checkpoint: Checkpoint, tmp_path: Path, kind: str, weight: str, what: str
) -> None:
    folder = copy(checkpoint(kind), tmp_path / "copy")

    def breaks(weights: dict[str, torch.Tensor]) -> None:
        name = next(n for n in sorted(weights) if weight in n and n.endswith("bias"))
        weights[name][0] = float("nan")

    edit_weights(folder, breaks)
    with pytest.raises(LatentError, match=what) as caught:
        encoder(folder, embed_layer=-1).encode(random_images(2))
    assert "weights may be damaged" in (caught.value.hint or "")


def test_an_overflow_in_float16_is_a_latent_error_that_advises_another_dtype(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copy(checkpoint("vit"), tmp_path / "copy")

    def enlarge(weights: dict[str, torch.Tensor]) -> None:
        name = next(n for n in sorted(weights) if "layer" in n and n.endswith("output.dense.bias"))
        weights[name][:] = 60000.0

    edit_weights(folder, enlarge)
    assert np.isfinite(encoder(folder, embed_layer=-1).encode(random_images(2))).all()
    with pytest.raises(LatentError, match="2 of 2 items") as caught:
        encoder(folder, embed_layer=-1, dtype="float16").encode(random_images(2))
    assert "bfloat16 or float32" in (caught.value.hint or "")


# What is said.


def test_the_report_says_how_images_were_prepared_and_batched(checkpoint: Checkpoint) -> None:
    made = encoder(checkpoint("vit"), batch_size=3)
    report = made.report()
    assert report["batch_size"] == 3
    assert report["processor"] == made.preprocessor.kind
    json.dumps(report)


def test_nothing_is_said_of_an_encode_that_goes_well(
    checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO):
        encoder(checkpoint("vit"), dtype="float32").encode(random_images(3))
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
