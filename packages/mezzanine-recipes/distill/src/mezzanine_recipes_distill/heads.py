"""A head: the small model that turns latents into beliefs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import LatentError

Floats = npt.NDArray[np.float64]

_ROWS = 4096
_SMALLEST_SPREAD = 1e-3
"""Features that vary less, relative to the one that varies most, are not blown up any further."""


class Head(nn.Module):
    """Latents to logits: standardised, then linear, or through one hidden layer with GELU.

    A new head says the same of every latent: its last layer starts at zero. One with a hidden layer
    cannot be trained before :meth:`initialise`.

    Args:
        dim: Length D of a latent.
        classes: Number C of classes.
        hidden: Width of the hidden layer; 0 for none.

    Attributes:
        centre: Subtracted from latents, float32 [D].
        scale: What is left is divided by it, float32 [D].
    """

    def __init__(self, dim: int, classes: int, hidden: int = 0) -> None:
        super().__init__()
        self.dim, self.classes, self.hidden = dim, classes, hidden
        widths = [dim, *([hidden] if hidden else []), classes]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.zeros(wide, narrow)) for narrow, wide in pairwise(widths)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(wide)) for wide in widths[1:])
        self.centre: Tensor
        self.scale: Tensor
        self.register_buffer("centre", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the hidden layer, uniform in ±1/√D, from a CPU generator; the last stays zero."""
        with torch.no_grad():
            for layer in (self.weights[0], self.biases[0]) if self.hidden else ():
                bound = self.dim**-0.5
                layer.copy_(torch.empty(layer.shape).uniform_(-bound, bound, generator=generator))

    def standardise(self, latents: Tensor | Latents) -> None:
        """Take mean and spread from training latents, [n, D]; see :func:`feature_scale`."""
        rows = torch.as_tensor(latents)
        self.centre.copy_(rows.mean(dim=0))
        self.scale.copy_(feature_scale(rows))

    def features(self, latents: Tensor) -> Tensor:
        """Standardised latents, [..., D]."""
        return (latents - self.centre) / self.scale

    def of_features(self, features: Tensor) -> Tensor:
        """Logits [..., C] of standardised latents [..., D], which training computes only once."""
        x = features
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if layer:
                x = nn.functional.gelu(x)
            x = nn.functional.linear(x, weight, bias)
        return x

    def forward(self, latents: Tensor) -> Tensor:
        """Logits [..., C] of latents [..., D]."""
        return self.of_features(self.features(latents))


def feature_scale(values: Tensor) -> Tensor:
    """By what to divide features so that they vary alike: their standard deviation, nearly.

    A feature that does not vary keeps the scale 1; one that hardly varies is scaled as if it varied
    by a thousandth of the one that varies most.

    Args:
        values: float [n, D].

    Returns:
        float [D], positive.
    """
    spread = values.std(dim=0, correction=0)
    if spread.numel() == 0 or spread.max() == 0:
        return torch.ones_like(spread)
    floored = spread.clamp(min=_SMALLEST_SPREAD * spread.max())
    return torch.where(spread == 0, torch.ones_like(spread), floored)


@torch.no_grad()
def logits_of(model: nn.Module, latents: Latents) -> Floats:
    """What a model of latents says of many of them.

    Args:
        model: A :class:`Head` or another student, on any device; latents [B, D] to logits [B, C].
        latents: float32 [V, D].

    Returns:
        float64 [V, C].

    Raises:
        LatentError: If these are no latents of the length that the model takes.
    """
    dim = int(model.dim)  # type: ignore[arg-type]
    if latents.ndim != 2 or latents.shape[1] != dim:
        raise LatentError(f"latents of shape {latents.shape}; this model takes [n, {dim}]")
    device = next(model.parameters()).device
    parts = [
        model(torch.tensor(latents[start : start + _ROWS], dtype=torch.float32, device=device))
        for start in range(0, max(len(latents), 1), _ROWS)
    ]
    return torch.cat(parts).double().cpu().numpy()
