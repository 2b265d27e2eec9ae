import json
import logging
import shutil
import socket
import subprocess
import sys
import warnings

import huggingface_hub
import numpy as np
import pytest
import torch
import transformers
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars
from PIL import Image
from safetensors.torch import load_file, save_file

from mezzanine_core.errors import ConfigError, MezzError
from mezzanine_encoders_hf.errors import ModelFilesError, UnsuitableModelError
from mezzanine_encoders_hf.loading import (
    load_config,
    load_image_processor,
    load_model,
    load_tokenizer,
    processor_backend,
)
from mezzanine_encoders_hf.sources import find_model

VISION = ["vit", "ijepa", "dinov2", "dinov2_registers", "dinov3", "clip", "clip_vision", "siglip"]
VISION += ["siglip_vision", "mae", "deit", "convnext", "swin"]
TEXT = ["bert", "distilbert", "roberta", "gpt2", "llama", "t5"]

TENSORS = {"model.safetensors", "pytorch_model.bin"}


@pytest.fixture
def copy(checkpoint, tmp_path):
    """Gives the folder of a checkpoint that a test may break."""

    def make(kind):
        return shutil.copytree(checkpoint(kind), tmp_path / kind)

    return make


def model_of(folder, cls=transformers.AutoModel, **settings):
    return load_model(find_model(str(folder)), cls, **{"dtype": torch.float32, **settings})


def rewrite(folder, change):
    """Saves the weights again after ``change`` got at their dictionary."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def refusal(function, *arguments, kind=ModelFilesError, folder):
    """What is said when the files are refused: in one line that names the folder."""
    with pytest.raises(kind) as caught:
        function(*arguments)
    assert str(folder) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value.message


# Configurations.


@pytest.mark.parametrize("kind", [*VISION, *TEXT])
def test_config_is_what_was_saved(checkpoint, kind):
    folder = checkpoint(kind)
    saved = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert load_config(find_model(str(folder))).model_type == saved["model_type"]


@pytest.mark.parametrize("content", ["{", "", "[]", "null", "\x00"])
def test_config_that_is_no_json_object_is_refused(copy, content):
    folder = copy("bert")
    (folder / "config.json").write_text(content, encoding="utf-8")
    assert "config.json" in refusal(load_config, find_model(str(folder)), folder=folder)


def test_missing_config_is_refused_whatever_the_folder_is_called(copy):
    folder = copy("bert")
    (folder / "config.json").unlink()
    assert "no config.json" in refusal(load_config, find_model(str(folder)), folder=folder)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"hidden_size": 32}, "names no model_type"),
        ({"model_type": 3}, "names no model_type"),
        ({"model_type": "frobnicate"}, "type 'frobnicate', which transformers"),
        ({"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}, "code that comes with"),
    ],
)
def test_config_of_no_known_model_is_unsuitable(copy, content, what):
    folder = copy("bert")
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    source = find_model(str(folder))
    assert what in refusal(load_config, source, kind=UnsuitableModelError, folder=folder)


def test_config_with_values_of_a_wrong_type_is_refused(copy):
    folder = copy("bert")
    (folder / "config.json").write_text('{"model_type": "bert", "hidden_size": "many"}')
    refusal(model_of, folder, folder=folder)


# Models.


@pytest.mark.parametrize("kind", [*VISION, *TEXT])
def test_every_kind_is_loaded_with_the_weights_that_were_saved(checkpoint, kind):
    folder = checkpoint(kind)
    model = model_of(folder)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    # Heads that were saved and are not loaded aside, all values are there, by whatever names.
    saved = {
        tensor.numpy().tobytes() for tensor in load_file(folder / "model.safetensors").values()
    }
    unused = {"pooler"}
    for name, tensor in model.state_dict().items():
        if not unused & set(name.split(".")):
            assert tensor.numpy().tobytes() in saved, name


def test_model_computes_what_transformers_computes(minilm):
    inputs = {"input_ids": torch.tensor([[101, 1996, 3899, 3216, 102]])}
    theirs = transformers.AutoModel.from_pretrained(minilm).eval()
    with torch.inference_mode():
        expected = theirs(**inputs).last_hidden_state
        assert torch.equal(model_of(minilm)(**inputs).last_hidden_state, expected)


def test_weights_are_converted_to_the_dtype_that_is_asked_for(checkpoint):
    model = model_of(checkpoint("vit"), dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


def test_part_of_a_checkpoint_is_loaded_by_its_class(checkpoint):
    source = find_model(str(checkpoint("clip")))
    whole = model_of(source.folder)
    for config in (None, load_config(source).vision_config):
        tower = model_of(source.folder, transformers.CLIPVisionModel, config=config)
        weights = tower.state_dict()
        name = next(name for name in weights if name.endswith("layers.3.mlp.fc1.weight"))
        layer = whole.vision_model.encoder.layers[3]
        assert torch.equal(weights[name], layer.mlp.fc1.weight)


@pytest.mark.parametrize("attention", ["query", "q_proj"])
def test_weights_that_are_missing_are_not_made_up(copy, attention):
    kind = {"query": "bert", "q_proj": "llama"}[attention]
    folder = copy(kind)

    def drop(weights):
        for name in [n for n in weights if attention in n and n.endswith("weight")]:
            del weights[name]

    rewrite(folder, drop)
    message = refusal(model_of, folder, folder=folder)
    assert "4 weights" in message
    assert "are missing in the checkpoint" in message
    assert attention in message


def test_only_unused_parts_may_lack_weights(copy):
    folder = copy("bert")
    rewrite(folder, lambda weights: weights.pop("pooler.dense.weight"))
    model_of(folder)
    assert "pooler.dense.weight" in refusal(lambda: model_of(folder, unused=()), folder=folder)
    # A component is meant, not a part of a word.
    assert "pooler.dense.weight" in refusal(
        lambda: model_of(folder, unused=("pool", "dense.weight")), folder=folder
    )


def test_weights_of_another_model_are_refused(copy, checkpoint):
    folder = copy("bert")
    shutil.copy(checkpoint("gpt2") / "model.safetensors", folder)
    assert "are missing in the checkpoint" in refusal(model_of, folder, folder=folder)


def test_weights_of_another_shape_are_refused_by_name(copy):
    folder = copy("bert")
    name = "encoder.layer.2.output.dense.weight"
    rewrite(folder, lambda weights: weights.update({name: torch.zeros(3, 3)}))
    message = refusal(model_of, folder, folder=folder)
    assert name in message
    assert "another shape" in message


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_by_one_byte(path):
    path.write_bytes(path.read_bytes()[:-1])


def cut_in_the_header(path):
    path.write_bytes(path.read_bytes()[:100])


def overwrite_header(path):
    path.write_bytes(b"\xff" * 16 + path.read_bytes()[16:])


def garble_header(path):
    path.write_bytes(path.read_bytes().replace(b'"dtype"', b'"dtypo"', 1))


def empty(path):
    path.write_bytes(b"")


def put_text(path):
    path.write_text("These are no weights.\n" * 20)


@pytest.mark.parametrize(
    "damage",
    [cut, cut_by_one_byte, cut_in_the_header, overwrite_header, garble_header, empty, put_text],
)
def test_broken_safetensors_are_refused_by_name(copy, damage):
    folder = copy("vit")
    damage(folder / "model.safetensors")
    assert "model.safetensors is broken or cut" in refusal(model_of, folder, folder=folder)


def test_pointer_of_git_lfs_is_called_one(copy):
    folder = copy("vit")
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
    (folder / "model.safetensors").write_text(text)
    assert "git lfs pull" in refusal(model_of, folder, folder=folder)


def shard(folder):
    """Splits the weights of a folder in two, with an index, as save_pretrained does."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = {key: f"model-0000{1 + n % 2}-of-00002.safetensors" for n, key in enumerate(weights)}
    for name in set(names.values()):
        part = {key: weights[key] for key in weights if names[key] == name}
        save_file(part, folder / name, metadata={"format": "pt"})
    index = {"metadata": {"total_size": 0}, "weight_map": names}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return sorted(set(names.values()))


def test_shards_give_the_same_model(copy, checkpoint):
    folder = copy("vit")
    shard(folder)
    whole = model_of(checkpoint("vit")).state_dict()
    for name, tensor in model_of(folder).state_dict().items():
        assert torch.equal(tensor, whole[name])


def test_missing_or_broken_shard_is_refused_by_name(copy):
    folder = copy("vit")
    first, second = shard(folder)
    cut(folder / first)
    assert f"{first} is broken or cut" in refusal(model_of, folder, folder=folder)
    (folder / second).unlink()
    assert second in refusal(model_of, folder, folder=folder)


def test_index_without_metadata_is_an_error_of_the_files(copy):
    folder = copy("vit")
    shard(folder)
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": json.loads(path.read_text())["weight_map"]}))
    assert "metadata" in refusal(model_of, folder, folder=folder)


def test_config_without_weights_is_refused(copy):
    folder = copy("vit")
    (folder / "model.safetensors").unlink()
    assert "no weights (looked for" in refusal(model_of, folder, folder=folder)


def pickle_weights(folder):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    path = folder / "pytorch_model.bin"
    torch.save(weights, path)
    return path


def test_pickled_tensors_give_the_same_model(copy, checkpoint):
    folder = copy("bert")
    pickle_weights(folder)
    expected = model_of(checkpoint("bert")).state_dict()
    for name, tensor in model_of(folder).state_dict().items():
        assert torch.equal(tensor, expected[name])


@pytest.mark.parametrize("damage", [cut, empty, put_text])
def test_broken_pickled_weights_are_refused(copy, damage):
    folder = copy("bert")
    damage(pickle_weights(folder))
    refusal(model_of, folder, folder=folder)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_pickled_code_is_not_run(copy, tmp_path):
    folder = copy("bert")
    path = pickle_weights(folder)
    torch.save({**torch.load(path, weights_only=True), "trap": Trap(tmp_path / "sprung")}, path)
    refusal(model_of, folder, folder=folder)
    assert not (tmp_path / "sprung").exists()


def test_class_without_a_model_for_the_configuration_is_unsuitable(checkpoint):
    folder = checkpoint("vit")
    message = refusal(
        model_of,
        folder,
        transformers.AutoModelForCausalLM,
        kind=UnsuitableModelError,
        folder=folder,
    )
    assert "ViTConfig" in message


def test_adapter_is_unsuitable(copy):
    folder = copy("gpt2")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "gpt2"}')
    assert "adapter" in refusal(model_of, folder, kind=UnsuitableModelError, folder=folder)


# Tokenizers.


@pytest.mark.parametrize("kind", TEXT)
def test_tokenizer_is_the_one_that_was_saved(checkpoint, kind):
    folder = checkpoint(kind)
    tokenizer = load_tokenizer(find_model(str(folder)))
    ids = tokenizer("The dog runs.")["input_ids"]
    plain = tokenizer.decode(ids, skip_special_tokens=True)
    assert plain == ("the dog runs." if kind in ("bert", "distilbert") else "The dog runs.")
    assert len(tokenizer) == load_config(find_model(str(folder))).vocab_size


@pytest.mark.parametrize("kind", [*TEXT, "vit", "clip"])
def test_folder_without_tokenizer_files_has_no_tokenizer(copy, kind):
    folder = copy(kind)
    for path in find_model(str(folder)).tokenizer_files():
        path.unlink()
    message = refusal(load_tokenizer, find_model(str(folder)), folder=folder)
    assert "no vocabulary for the tokenizer" in message


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("bert", ["tokenizer_config.json"]),
        ("distilbert", ["tokenizer_config.json"]),
        ("gpt2", ["tokenizer_config.json"]),
        ("gpt2", ["tokenizer_config.json", "vocab.json"]),
        ("gpt2", ["merges.txt", "tokenizer_config.json"]),
        ("roberta", ["tokenizer_config.json"]),
        ("llama", ["tokenizer_config.json"]),
        ("t5", ["tokenizer_config.json"]),
    ],
)
def test_tokenizer_without_its_vocabulary_is_refused(copy, kind, kept):
    folder = copy(kind)
    for path in find_model(str(folder)).tokenizer_files():
        if path.name not in kept:
            path.unlink()
    refusal(load_tokenizer, find_model(str(folder)), folder=folder)


def test_tokenizer_of_bytes_needs_no_vocabulary(copy):
    folder = copy("t5")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "ByT5Tokenizer"}')
    # Bytes come after three special tokens, of which the second ends the text.
    expected = [byte + 3 for byte in b"dog"] + [1]
    assert load_tokenizer(find_model(str(folder)))("dog")["input_ids"] == expected


@pytest.mark.parametrize(
    ("kind", "kept"), [("bert", ["vocab.txt"]), ("gpt2", ["vocab.json", "merges.txt"])]
)
def test_vocabulary_alone_gives_the_same_tokens(copy, checkpoint, kind, kept):
    folder = copy(kind)
    for path in find_model(str(folder)).tokenizer_files():
        if path.name not in (*kept, "tokenizer_config.json"):
            path.unlink()
    ids, expected = (
        load_tokenizer(find_model(str(f)))("The dog runs after 2 balls!")["input_ids"]
        for f in (folder, checkpoint(kind))
    )
    assert ids == expected


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("damage", [cut, empty, put_text])
def test_broken_tokenizer_files_are_refused(copy, kind, name, damage):
    folder = copy(kind)
    damage(folder / name)
    refusal(load_tokenizer, find_model(str(folder)), folder=folder)


# Image processors.


@pytest.mark.parametrize("kind", VISION)
def test_image_processor_makes_what_the_model_takes(checkpoint, kind):
    processor = load_image_processor(find_model(str(checkpoint(kind))))
    noise = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    pixels = processor([Image.fromarray(noise)], return_tensors="pt")["pixel_values"]
    assert pixels.shape == (1, 3, 32, 32)
    assert pixels.min() < -0.5 < 0.5 < pixels.max()


@pytest.mark.parametrize("kind", ["vit", "clip", "siglip", "deit", "convnext", "dinov2"])
@pytest.mark.parametrize("suffix", ["", "Fast"])
def test_backend_is_torchvision_where_it_is_installed_else_pil(copy, kind, suffix):
    folder = copy(kind)
    path = folder / "preprocessor_config.json"
    settings = json.loads(path.read_text())
    settings["image_processor_type"] = (
        settings["image_processor_type"].removesuffix("Fast") + suffix
    )
    path.write_text(json.dumps(settings))
    there = transformers.utils.is_torchvision_available()
    processor = load_image_processor(find_model(str(folder)))
    assert processor_backend(processor) == ("torchvision" if there else "pil")


def test_preprocessing_that_is_saved_inside_a_processor_is_found(copy):
    folder = copy("clip")
    path = folder / "preprocessor_config.json"
    plain = load_image_processor(find_model(str(folder)))
    nested = {"image_processor": json.loads(path.read_text()), "processor_class": "CLIPProcessor"}
    (folder / "processor_config.json").write_text(json.dumps(nested))
    path.unlink()
    found = load_image_processor(find_model(str(folder)))
    assert type(found) is type(plain)
    assert found.size == plain.size


@pytest.mark.skipif(
    transformers.utils.is_torchvision_available(), reason="only where torchvision is missing"
)
def test_stand_in_for_dinov3_gives_its_pixels_to_within_rounding(checkpoint):
    processor = load_image_processor(find_model(str(checkpoint("dinov3"))))
    assert processor_backend(processor) == "pil"
    noise = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    pixels = processor([Image.fromarray(noise)], return_tensors="pt")["pixel_values"][0]
    # What DINOv3's own does: scale, resize as torchvision does it with floats, normalise.
    scaled = torch.from_numpy(noise).permute(2, 0, 1).float()[None] / 255
    resized = torch.nn.functional.interpolate(
        scaled, (32, 32), mode="bilinear", antialias=True, align_corners=False
    )[0]
    mean, std = (
        torch.tensor(v)[:, None, None] for v in (processor.image_mean, processor.image_std)
    )
    assert ((pixels - (resized - mean) / std).abs() * std * 255).max() <= 1.01


@pytest.mark.parametrize("kind", TEXT)
def test_text_model_holds_no_image_preprocessing(checkpoint, kind):
    folder = checkpoint(kind)
    message = refusal(
        load_image_processor, find_model(str(folder)), kind=UnsuitableModelError, folder=folder
    )
    assert "probably not a vision model" in message
    assert issubclass(UnsuitableModelError, ConfigError)


@pytest.mark.parametrize("damage", [cut, empty, put_text])
def test_broken_image_preprocessing_is_refused(copy, damage):
    folder = copy("vit")
    damage(folder / "preprocessor_config.json")
    message = refusal(load_image_processor, find_model(str(folder)), folder=folder)
    assert "preprocessor_config.json" in message


@pytest.mark.parametrize(
    "settings",
    [
        {"feature_extractor_type": "WhisperFeatureExtractor"},
        {"image_processor_type": "UnheardOfImageProcessor"},
        {"auto_map": {"AutoImageProcessor": "mine.Processor"}},
    ],
)
def test_preprocessing_of_another_kind_is_unsuitable(copy, settings):
    folder = copy("bert")
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    source = find_model(str(folder))
    refusal(load_image_processor, source, kind=UnsuitableModelError, folder=folder)


# Manners.


SCRIPT = """
import logging, sys, torch, transformers
from mezzanine_encoders_hf.loading import load_image_processor, load_model, load_tokenizer
from mezzanine_encoders_hf.sources import find_model
text, image = (find_model(name) for name in sys.argv[1:])
load_tokenizer(text)
load_image_processor(image)
for source in (text, image):
    load_model(source, transformers.AutoModel, dtype=torch.float32)
"""


@pytest.mark.slow
def test_loading_says_nothing_and_asks_no_hub(checkpoint):
    # RoBERTa lacks a pooler and MAE has a decoder, of which transformers would report.
    folders = [str(checkpoint(kind)) for kind in ("roberta", "mae")]
    with socket.create_server(("127.0.0.1", 0)) as hub:
        hub.setblocking(False)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *folders],
            env={
                "HF_ENDPOINT": f"http://127.0.0.1:{hub.getsockname()[1]}",
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        with pytest.raises(BlockingIOError):  # nobody waits to be accepted
            hub.accept()
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("verbosity", [logging.DEBUG, logging.ERROR])
@pytest.mark.parametrize("bars", [True, False])
@pytest.mark.parametrize("hub_bars", [True, False])
def test_verbosity_and_progress_bars_are_left_as_they_were(
    checkpoint, copy, verbosity, bars, hub_bars
):
    library = transformers.utils.logging
    before = library.get_verbosity()
    broken = copy("vit")
    cut(broken / "config.json")
    try:
        library.set_verbosity(verbosity)
        (library.enable_progress_bar if bars else library.disable_progress_bar)()
        (huggingface_hub.utils.enable_progress_bars if hub_bars else disable_progress_bars)()
        model_of(checkpoint("roberta"))
        with pytest.raises(MezzError):
            model_of(broken)
        assert library.get_verbosity() == verbosity
        assert library.is_progress_bar_enabled() == bars
        assert are_progress_bars_disabled() != hub_bars
    finally:
        library.set_verbosity(before)
        library.enable_progress_bar()


def test_loading_leaves_the_random_numbers_alone_that_others_draw(checkpoint):
    folder = checkpoint("roberta")  # whose pooler is filled at random
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    model_of(folder)
    assert torch.equal(torch.rand(3), expected)


def test_loading_gives_no_warnings(checkpoint):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for kind in ("vit", "roberta"):
            model_of(checkpoint(kind))
    assert [str(warning.message) for warning in caught] == []
