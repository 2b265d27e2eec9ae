"""From the files of a model to the objects of transformers, with typed errors.

Everything here reads local files only, runs no code that came with a model, and is quiet:
transformers' progress bars and reports do not reach the user. What is wrong with the files, which
transformers often only warns of, is an error.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
import transformers
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # are public
    are_progress_bars_disabled,
    disable_progress_bars,
)
from safetensors import SafetensorError, safe_open
from torch import nn
from transformers import PretrainedConfig
from transformers.utils import is_torchvision_available  # type: ignore[attr-defined]  # is public

from mezzanine_core.errors import MezzError, MissingDependencyError
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.sources import ModelSource

_log = logging.getLogger(__name__)

_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}

_ONE_AT_A_TIME = threading.RLock()
"""transformers has one verbosity for the process: two threads must not restore it crosswise."""

_PREPROCESSOR = "preprocessor_config.json"

_NO_VOCABULARY = {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}
"""Files of a tokenizer that go with a vocabulary, and hold none."""

_UNSUITABLE = ("Unrecognized", "contains custom code")
"""How transformers' messages begin or go on where a model is of the wrong kind, not broken."""

_PIL_STAND_INS = {"DINOv3ViTImageProcessor": "ViTImageProcessor"}
"""For processors that transformers has for torchvision only: one with the same steps for PIL."""


def load_config(source: ModelSource) -> PretrainedConfig:
    """Loads a model's configuration.

    Args:
        source: The model's files.

    Returns:
        The configuration of the whole checkpoint, in transformers' class for its ``model_type``.

    Raises:
        ModelFilesError: If config.json is missing, is not JSON, or holds values that the class
            refuses.
        UnsuitableModelError: If it names no ``model_type``, one that this transformers does not
            know, or one that needs code of its own.
    """
    content = source.read_json(source.config_file())
    # Without it, transformers before version 5 guesses one from the folder's name.
    kind = content.get("model_type")
    if not isinstance(kind, str) or kind not in transformers.CONFIG_MAPPING:
        raise _unknown(source, kind, "auto_map" in content)
    with _loading(source, "config.json"):
        config: PretrainedConfig = transformers.AutoConfig.from_pretrained(source.folder, **_LOCAL)
    return config


def load_model(
    source: ModelSource,
    cls: Any,
    *,
    config: PretrainedConfig | None = None,
    dtype: torch.dtype,
    unused: tuple[str, ...] = ("pooler",),
) -> nn.Module:
    """Loads a model with all its weights, for inference.

    Args:
        source: The model's files.
        cls: A model class of transformers, or one of its Auto classes.
        config: The configuration to build the model from; by default the checkpoint's, or the
            part of it that belongs to ``cls``.
        dtype: What the weights are converted to.
        unused: Parts of the model whose weights may be missing, because what they compute is not
            used: any dotted component of a weight's name. transformers fills them with random
            numbers, so their output means nothing.

    Returns:
        The model on the CPU, in evaluation mode, without gradients.

    Raises:
        ModelFilesError: If weights are missing, have another shape than the configuration says,
            or cannot be read: truncated, corrupt, or pickled objects that are no tensors.
        UnsuitableModelError: If ``cls`` has no model for this configuration, or if the folder
            holds an adapter to another model.
        MissingDependencyError: If the model needs a library that is not installed.
    """
    if config is None:
        load_config(source)
    _refuse_adapter(source)
    _check_safetensors(source)
    # Weights that are missing are drawn at random, even unused ones; nobody else's draws change.
    with _loading(source, "the weights"), torch.random.fork_rng(devices=[]):
        # Mismatched shapes are let through, because this is how transformers tells which they are.
        model, info = cls.from_pretrained(
            source.folder,
            config=config,
            dtype=dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **_LOCAL,
        )
    _refuse_gaps(source, info, unused)
    loaded: nn.Module = model.eval().requires_grad_(False)
    return loaded


def load_tokenizer(source: ModelSource) -> Any:
    """Loads a model's tokenizer, the fast implementation where there is one.

    Args:
        source: The model's files.

    Returns:
        A ``PreTrainedTokenizerBase``.

    Raises:
        ModelFilesError: If the tokenizer's files are missing or broken.
        UnsuitableModelError: If it needs code of its own.
        MissingDependencyError: If it needs a library that is not installed.
    """
    try:
        with _loading(source, "the tokenizer"):
            tokenizer = transformers.AutoTokenizer.from_pretrained(source.folder, **_LOCAL)
    except MezzError as error:
        if not {path.name for path in source.tokenizer_files()} - _NO_VOCABULARY:
            raise source.incomplete("there is no vocabulary for the tokenizer") from error
        raise
    absent = _absent_vocabulary(source, tokenizer.vocab_files_names)
    if absent:
        # transformers 5 makes a tokenizer all the same, which knows no word.
        raise source.incomplete(f"there is no vocabulary for the tokenizer (no {absent[0]})")
    return tokenizer


def load_image_processor(source: ModelSource) -> Any:
    """Loads what turns images into a model's input.

    Args:
        source: The model's files.

    Returns:
        A ``BaseImageProcessor`` of transformers: torchvision's where torchvision is installed,
        else PIL's (:func:`processor_backend` tells). For DINOv3, which transformers has for
        torchvision only, PIL's with the same settings stands in. It rounds pixels to whole numbers
        when it resizes, which DINOv3's own does not: a pixel is off by up to 1/255 of the range
        from black to white, divided by ``image_std``.

    Raises:
        UnsuitableModelError: If the folder holds no image preprocessing, or one that needs code of
            its own.
        ModelFilesError: If its settings are broken.
        MissingDependencyError: If there is no implementation without torchvision.
    """
    kind = str(_image_settings(source).get("image_processor_type", "")).removesuffix("Fast")
    if kind in _PIL_STAND_INS and not is_torchvision_available():
        _log.info("%s: torchvision is not installed; PIL stands in for %s", source.name, kind)
        stand_in = _pil_class(_PIL_STAND_INS[kind])
        with _loading(source, "the image preprocessing"):
            return stand_in.from_pretrained(source.folder, local_files_only=True)
    auto: Any = transformers.AutoImageProcessor
    # Version 5 takes torchvision by itself; version 4 takes what the checkpoint was saved with.
    choice = {} if hasattr(transformers, "PilBackend") else {"use_fast": is_torchvision_available()}
    with _loading(source, "the image preprocessing"):
        return auto.from_pretrained(source.folder, **choice, **_LOCAL)


def processor_backend(processor: Any) -> Literal["torchvision", "pil"]:
    """Says which library an image processor resizes with, as the results differ slightly."""
    torchvision = {"BaseImageProcessorFast", "TorchvisionBackend"}
    names = {cls.__name__ for cls in type(processor).__mro__}
    return "torchvision" if names & torchvision else "pil"


def _unknown(source: ModelSource, kind: object, has_code: bool) -> UnsuitableModelError:
    where = f"model {source.name!r} in {source.folder}"
    if has_code:
        return UnsuitableModelError(
            f"{where} needs code that comes with it, and such code is not run",
            hint="Give --model-name a model that transformers itself has a class for",
        )
    if not isinstance(kind, str):
        return UnsuitableModelError(
            f"{where} is not one of transformers: its config.json names no model_type",
            hint="Give --model-name a folder that save_pretrained wrote, or a hub id",
        )
    return UnsuitableModelError(
        f"{where} is of type {kind!r}, which transformers {transformers.__version__} does not know",
        hint="A newer transformers may: `pip install --upgrade transformers`",
    )


def _refuse_adapter(source: ModelSource) -> None:
    # With peft installed, transformers would load the model that the adapter names instead.
    if (source.folder / "adapter_config.json").exists():
        raise UnsuitableModelError(
            f"model {source.name!r} in {source.folder} is an adapter to another model",
            hint="Merge it into that model (peft's merge_and_unload) and save the result",
        )


def _check_safetensors(source: ModelSource) -> None:
    """Reads the header of each file, which says how long the file must be."""
    for path in source.weight_files():
        if path.suffix != ".safetensors":
            continue
        try:
            with safe_open(path, framework="pt"):
                pass
        except OSError as error:
            raise source.incomplete(f"{path.name} cannot be read ({error.strerror})") from error
        except SafetensorError as error:
            with path.open("rb") as file:
                pointer = file.read(64).startswith(b"version https://git-lfs")
            what = "is a pointer of git-lfs (run `git lfs pull`)" if pointer else "is broken or cut"
            raise source.incomplete(f"{path.name} {what} ({_in_one_line(error)})") from error


def _refuse_gaps(source: ModelSource, info: Mapping[str, Any], unused: tuple[str, ...]) -> None:
    """Refuses a model some of whose weights transformers had to make up."""
    # Version 5 gives the two shapes with each mismatched name.
    mismatched = [key if isinstance(key, str) else key[0] for key in info["mismatched_keys"]]
    if mismatched:
        raise source.incomplete(
            f"{_some(mismatched)} of the checkpoint have another shape than config.json says"
        )
    missing = [key for key in info["missing_keys"] if not set(key.split(".")) & set(unused)]
    if missing:
        raise source.incomplete(f"{_some(missing)} are missing in the checkpoint")
    if info["error_msgs"]:
        raise source.incomplete("; ".join(info["error_msgs"]))


def _some(names: Iterable[str], shown: int = 3) -> str:
    names = sorted(names)
    more = ", …" if len(names) > shown else ""
    return f"{len(names)} weights ({', '.join(names[:shown])}{more})"


def _absent_vocabulary(source: ModelSource, names: Mapping[str, str]) -> list[str]:
    """The files of a tokenizer class that are needed and are not there."""
    if (source.folder / "tokenizer.json").is_file():
        return []
    needed = {names[key] for key in ("vocab_file", "merges_file") if key in names}
    return sorted(name for name in needed if not (source.folder / name).is_file())


def _image_settings(source: ModelSource) -> dict[str, Any]:
    processor, preprocessor = (
        source.read_json(path) if path.is_file() else None
        for path in (source.folder / name for name in ("processor_config.json", _PREPROCESSOR))
    )
    nested = (processor or {}).get("image_processor")
    if isinstance(nested, dict):
        return nested
    if preprocessor is None:
        raise UnsuitableModelError(
            f"model {source.name!r} in {source.folder} holds no image preprocessing "
            f"(no {_PREPROCESSOR}), so it is probably not a vision model",
            hint="Give --model-name a vision model",
        )
    return preprocessor


def _pil_class(name: str) -> Any:
    # Since version 5 the plain name is torchvision's class.
    return getattr(transformers, f"{name}Pil", None) or getattr(transformers, name)


@contextmanager
def _loading(source: ModelSource, what: str) -> Iterator[None]:
    """Loads quietly, and gives what is raised beneath a type and the folder's name."""
    try:
        with _quiet():
            yield
    except MemoryError:
        raise
    # transformers lets through whatever its readers raise: KeyError, RuntimeError, and more.
    except Exception as error:
        raise _translated(source, what, error) from error


def _translated(source: ModelSource, what: str, error: Exception) -> MezzError:
    if isinstance(error, ImportError) and isinstance(error.__context__, Exception):
        # Where protobuf is not installed, version 4 replaces whatever goes wrong with a tokenizer
        # by the complaint that it is not.
        error = error.__context__
    cause = _in_one_line(error)
    lacks_torchvision = "torchvision" in cause and not is_torchvision_available()
    if lacks_torchvision or isinstance(error, ImportError):
        hint = "`pip install torchvision`" if lacks_torchvision else "Install what it asks for"
        return MissingDependencyError(
            f"{what} of model {source.name!r} in {source.folder} cannot be loaded: {cause}",
            hint=hint,
        )
    if any(words in cause for words in _UNSUITABLE):
        return UnsuitableModelError(
            f"model {source.name!r} in {source.folder} is not of a kind that fits here: {cause}",
            hint="Give --model-name another model, or choose the encoder for this one",
        )
    return source.incomplete(f"{what} cannot be loaded ({cause})")


def _in_one_line(error: Exception, longest: int = 240) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= longest else text[:longest] + "…"


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences transformers, and leaves it as it was."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        # huggingface_hub warns where its environment variables have settled the bars already.
        warnings.filterwarnings("ignore", message=".*progress bars.*", category=UserWarning)
        library: Any = transformers.logging
        verbosity, bars = library.get_verbosity(), library.is_progress_bar_enabled()
        hub_bars = not are_progress_bars_disabled()
        library.set_verbosity_error()
        if bars:
            library.disable_progress_bar()
        try:
            yield
        finally:
            library.set_verbosity(verbosity)
            if bars:
                library.enable_progress_bar()
                if not hub_bars:
                    disable_progress_bars()
