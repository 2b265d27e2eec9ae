"""Which part of a checkpoint sees images, and what its configuration says of its hidden states."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import transformers

from mezzanine_encoders_hf.config import Layer
from mezzanine_encoders_hf.depth import hidden_state_count, resolve_layer
from mezzanine_encoders_hf.errors import UnsuitableModelError

_SWIN = frozenset({"swin", "swinv2"})
_CONVNEXT = frozenset({"convnext", "convnextv2"})

_STAGED = ("depths", "depth", "embed_dim", "hidden_sizes")
"""Settings of models whose hidden states are of several widths."""


@dataclass(frozen=True)
class VisionTower:
    """A model of images, or the part of a model of images and texts that sees images.

    Attributes:
        name: The checkpoint's name, for errors.
        config: The tower's transformers configuration.
        model_class: The class to load it with.
    """

    name: str
    config: Any
    model_class: Any

    @property
    def states(self) -> int | None:
        """How many hidden states it has, as far as the configuration says."""
        if self._is_plain:
            return hidden_state_count(self.config)
        if self.config.model_type in _SWIN:
            return len(self.config.depths) + 1
        if self.config.model_type in _CONVNEXT:
            return len(self.config.hidden_sizes) + 1
        return None

    def resolve(self, layer: Layer) -> Layer:
        """The layer counted from the front, as far as the configuration says.

        Raises:
            UnsuitableModelError: If there is no such hidden state.
        """
        return resolve_layer(layer, self.states, self.name)

    def width(self, layer: Layer) -> int | None:
        """How many features the tokens of a hidden state have, as far as the configuration says."""
        config = self.config
        if self._is_plain:
            return int(config.hidden_size)
        if self.states is None:
            return None
        stages = self.states - 1
        index = self.resolve(layer)
        # Each stage of Swin but the last widens what it gives; each of ConvNeXt what it takes.
        if config.model_type in _SWIN:
            doublings = stages - 1 if index == "final" else min(index, stages - 1)
            return int(config.embed_dim) << doublings
        return int(config.hidden_sizes[-1 if index == "final" else max(index - 1, 0)])

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images that it was made for; 224 where it does not say."""
        size = getattr(self.config, "image_size", None)
        if isinstance(size, int):
            return size, size
        if isinstance(size, (list, tuple)) and len(size) == 2:
            return int(size[0]), int(size[1])
        return 224, 224

    @property
    def _is_plain(self) -> bool:
        """Whether all hidden states are of one width: a transformer without stages."""
        return (
            isinstance(getattr(self.config, "hidden_size", None), int)
            and hidden_state_count(self.config) is not None
            and not any(getattr(self.config, setting, None) for setting in _STAGED)
        )


def vision_tower(config: Any, name: str, encoder: str) -> VisionTower:
    """Find the part of a checkpoint that sees images.

    Args:
        config: The transformers configuration of the whole checkpoint.
        name: The checkpoint's name, for errors.
        encoder: The encoder's name, for errors.

    Raises:
        UnsuitableModelError: If there is none that takes single RGB images and nothing else.
    """
    kind = config.model_type
    part = getattr(config, "vision_config", None) or config
    model_class: Any = transformers.MODEL_MAPPING.get(type(part), None)
    if model_class is None or isinstance(model_class, (list, tuple)):
        raise UnsuitableModelError(
            f"{name} ({kind}) has no part that transformers loads as a vision backbone",
            hint=f"{encoder} needs one, such as ViT, I-JEPA, DINOv2, CLIP or SigLIP.",
        )
    main = model_class.main_input_name
    if main == "input_ids":
        raise UnsuitableModelError(
            f"{name} is a language model ({kind}), {encoder} needs a vision backbone",
            hint="For texts use hf_language.",
        )
    if main != "pixel_values":
        raise UnsuitableModelError(
            f"{name} ({kind}) takes {main}, {encoder} needs a backbone that takes images"
        )
    more = _required(model_class) - {"pixel_values"}
    if more:
        raise UnsuitableModelError(
            f"{name} ({kind}) takes {', '.join(sorted(more))} besides the pixels of an image",
            hint="Use a model of images of one size, such as SigLIP instead of SigLIP 2 NaFlex.",
        )
    if getattr(part, "num_channels", 3) != 3:
        raise UnsuitableModelError(
            f"{name} ({kind}) takes images of {part.num_channels} channels, {encoder} gives it RGB"
        )
    return VisionTower(name, part, model_class)


def _required(model_class: Any) -> set[str]:
    """What must be given to a model's forward pass."""
    parameters = list(inspect.signature(model_class.forward).parameters.values())[1:]
    return {
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    }
