"""One hidden state of a vision backbone, pooled over the patches of an image."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from mezzanine_encoders_hf import pooling
from mezzanine_encoders_hf.config import Layer, VisionPooling
from mezzanine_encoders_hf.depth import HiddenStates
from mezzanine_encoders_hf.errors import UnsuitableModelError
from mezzanine_encoders_hf.layout import TokenLayout, measure_layout
from mezzanine_encoders_hf.towers import VisionTower


class PooledStates:
    """One hidden state of a vision backbone, pooled over its tokens.

    Args:
        model: The model, in evaluation mode.
        inputs: From pixel values to the model's inputs.
        layer: Which hidden state; see :class:`~mezzanine_encoders_hf.depth.HiddenStates`.
        mode: How it is pooled. The mean and the standard deviation are of all patches and of no
            other token.
        probe: Pixel values of two images that differ everywhere.
        tower: What the configuration says of the model.

    Attributes:
        states: Reads the hidden state.
        layout: Which tokens are which.
        width: How many features each token has.

    Raises:
        UnsuitableModelError: If the model has no such hidden state or no class token, or is not
            what its configuration says.
    """

    def __init__(
        self,
        model: nn.Module,
        inputs: Callable[[torch.Tensor], dict[str, torch.Tensor]],
        layer: Layer,
        mode: VisionPooling,
        probe: torch.Tensor,
        tower: VisionTower,
    ) -> None:
        self._inputs = inputs
        self._mode = mode
        self.layout: TokenLayout = measure_layout(model, inputs(probe), tower.name)
        if mode == "cls" and not self.layout.class_token:
            raise UnsuitableModelError(
                f"embed_mode=cls, but {tower.name} ({tower.config.model_type}) has no class token",
                hint="Use embed_mode=mean or mean_std, which pool the patches of any model.",
            )
        self.states = HiddenStates(model, layer, inputs(probe), tower.name)
        state = self.states(**inputs(probe))
        self.width = int(state.shape[1] if state.ndim == 4 else state.shape[2])
        self._check(state, layer, tower)

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pool the hidden state of images.

        Args:
            pixels: [B, 3, H, W] in the model's dtype and on its device.

        Returns:
            float32 [B, width], or [B, 2·width] for ``mean_std``.
        """
        state = self.states(**self._inputs(pixels))
        if self._mode == "cls":
            return state[:, 0].float()
        pool = pooling.mean if self._mode == "mean" else pooling.mean_std
        return pool(self.layout.patch_tokens(state))

    def compile(self) -> None:
        """Compile what is run of the model; see :meth:`HiddenStates.compile`."""
        self.states.compile()

    def _check(self, state: torch.Tensor, layer: Layer, tower: VisionTower) -> None:
        """Refuse a model that is not what its configuration or its first hidden state says."""
        said, is_ = (tower.resolve(layer), tower.width(layer)), (self.states.layer, self.width)
        if said[1] is not None and said != is_:
            raise UnsuitableModelError(
                f"the configuration of {tower.name} says that embed_layer={layer} is hidden state "
                f"{said[0]} with {said[1]} features, but the model gives state {is_[0]} with "
                f"{is_[1]}"
            )
        prefix, patches = self.layout.prefix, self.layout.patches
        other_tokens = prefix > 0 and state.shape[1] != prefix + patches
        if (state.ndim == 4) != self.layout.maps or other_tokens:
            raise UnsuitableModelError(
                f"hidden state {layer} of {tower.name} has shape {list(state.shape)}, which does "
                f"not go with {prefix} prefix tokens and {patches} patches",
                hint="Choose another embed_layer.",
            )
