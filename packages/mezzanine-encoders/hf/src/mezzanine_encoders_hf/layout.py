"""Which tokens of a vision model are patches of the image, measured on the model itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mezzanine_core.errors import LatentError
from mezzanine_encoders_hf.errors import UnsuitableModelError

_CLASS_TOKENS = frozenset({"cls_token", "class_token", "class_embedding"})
"""What transformers' models call the parameter of their class token."""


@dataclass(frozen=True)
class TokenLayout:
    """Which tokens are which.

    Attributes:
        prefix: How many tokens come before the patches and carry nothing of the image at first:
            class, register and distillation tokens.
        patches: How many patches there are in the first hidden state, at the size of the probe.
        class_token: Whether token 0 is a class token.
        maps: Whether hidden states are feature maps [B, C, H, W], as those of convolutional nets.
    """

    prefix: int
    patches: int
    class_token: bool
    maps: bool = False

    def patch_tokens(self, state: torch.Tensor) -> torch.Tensor:
        """The patches of a hidden state.

        Args:
            state: [B, S, D], or [B, C, H, W] of a convolutional net.

        Returns:
            [B, P, D], all of the patches and nothing else.
        """
        if state.ndim == 4:
            return state.flatten(2).transpose(1, 2)
        return state[:, self.prefix :]


def measure_layout(model: nn.Module, inputs: Mapping[str, Any], name: str) -> TokenLayout:
    """Find the layout of a model.

    The tokens of the first hidden state that are equal for two images carry nothing of the image;
    the others are patches. Where the model cuts an image into patches by a convolution, there must
    be as many of them as it gives.

    Args:
        model: The model, in evaluation mode.
        inputs: Its inputs for two images that differ everywhere.
        name: The model's name, for errors.

    Raises:
        UnsuitableModelError: If the model gives no tokens of single images, if its patches are not
            all tokens after a prefix, or if the two ways to count them disagree.
        LatentError: If the first hidden state is not finite.
    """
    with torch.inference_mode(), _patch_grid(model, inputs["pixel_values"]) as grid:
        states = getattr(model(**inputs, output_hidden_states=True), "hidden_states", None)
    if not states:
        raise UnsuitableModelError(f"{name} gives no hidden states")
    first = states[0]
    _check_form(first, len(inputs["pixel_values"]), name)
    if not bool(first.isfinite().all()):
        raise LatentError(
            f"the embeddings of {name} are NaN or infinite",
            hint="The weights may be damaged, or made for another version of transformers.",
        )
    if first.ndim == 4:
        return TokenLayout(prefix=0, patches=first[0, 0].numel(), class_token=False, maps=True)
    constant = (first[0] == first[1]).all(dim=1).cpu()
    prefix = int(constant.int().cumprod(dim=0).sum())
    patches = len(constant) - prefix
    if bool(constant[prefix:].any()) or not patches:
        raise UnsuitableModelError(
            f"the patches of {name} are not all tokens after a prefix: tokens "
            f"{torch.nonzero(constant).flatten().tolist()} of {len(constant)} carry nothing of the "
            "image",
            hint="Use a model that gives one token for each patch.",
        )
    if grid and grid[0] != patches:
        raise UnsuitableModelError(
            f"{name} cuts an image into {grid[0]} patches, but {patches} of its {len(constant)} "
            "tokens depend on the image",
            hint="Use a model whose first hidden state is the embedding of its patches.",
        )
    return TokenLayout(prefix, patches, class_token=prefix > 0 and _has_class_token(model))


def _check_form(state: torch.Tensor, images: int, name: str) -> None:
    sides = state.shape
    if len(sides) not in (3, 4) or sides[0] != images:
        raise UnsuitableModelError(
            f"the hidden states of {name} have shape {list(sides)} for {images} images, not "
            "[images, tokens, features] or [images, features, height, width]"
        )
    if len(sides) == 4 and sides[1] == sides[2] != sides[3]:
        raise UnsuitableModelError(
            f"the hidden states of {name} have their features last ({list(sides)}), which is not "
            "supported"
        )


def _has_class_token(model: nn.Module) -> bool:
    return any(path.rpartition(".")[2] in _CLASS_TOKENS for path, _ in model.named_parameters())


@contextmanager
def _patch_grid(model: nn.Module, pixels: torch.Tensor) -> Iterator[list[int]]:
    """Notes how many patches a convolution that tiles the pixels gives, if there is one."""
    found: list[int] = []

    def note(module: nn.Module, args: Any, output: torch.Tensor) -> None:
        if args and args[0].shape[1:2] == pixels.shape[1:2]:
            found.append(output[0, 0].numel())

    tiling = [
        module
        for module in model.modules()
        if isinstance(module, nn.Conv2d)
        and module.in_channels == pixels.shape[1]
        and module.kernel_size == module.stride
    ]
    handles = [module.register_forward_hook(note) for module in tiling]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
