"""A trained predictor as a plain latent model that planners can call."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mezzanine_core.errors import LatentError, UnknownNameError
from mezzanine_recipes_dynamics.predictors import MODELS, Model, Predictors


class ResidualMLP(nn.Module):
    """z' = z + σ ⊙ MLP((x − μ) / s) of the inputs x = [z, a, context], with GELU between layers.

    What one member of :class:`~mezzanine_recipes_dynamics.predictors.Predictors` computes, as plain
    linear layers. In bfloat16 only these are: inputs are standardised and changes are added in
    float32, since an eighth of a percent of a latent can be more than an action changes of it.

    Args:
        weights: Of each layer, float [inputs, outputs]; the first takes D + A (+ C) inputs, the
            last gives D outputs.
        biases: Of each layer, float [outputs].
        input_mean: μ, float [D + A (+ C)].
        input_scale: s, float [D + A (+ C)], positive.
        latent_scale: σ, float [D], positive.
        keep_length: Give z' the length of z. For predictors that were trained on the direction of
            z' alone, so that its length means nothing, where one prediction is the input of the
            next.
    """

    def __init__(
        self,
        weights: Sequence[Tensor],
        biases: Sequence[Tensor],
        *,
        input_mean: Tensor,
        input_scale: Tensor,
        latent_scale: Tensor,
        keep_length: bool = False,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _linear(weight, bias) for weight, bias in zip(weights, biases, strict=True)
        )
        self.keep_length = keep_length
        self.input_mean: Tensor
        self.input_scale: Tensor
        self.latent_scale: Tensor
        self.register_buffer("input_mean", input_mean.detach().clone())
        self.register_buffer("input_scale", input_scale.detach().clone())
        self.register_buffer("latent_scale", latent_scale.detach().clone())
        # One pass over the inputs in place of two: x · 1/s − μ/s.
        self._factor: Tensor
        self._shift: Tensor
        self.register_buffer("_factor", 1 / self.input_scale, persistent=False)
        self.register_buffer("_shift", -self.input_mean / self.input_scale, persistent=False)
        self.dtype = torch.float32

    @classmethod
    def of(
        cls, predictors: Predictors, model: Model, seed: int, *, keep_length: bool = False
    ) -> ResidualMLP:
        """One trained predictor; where it takes a state, that is the context.

        Args:
            predictors: Trained predictors.
            model: ``action`` or ``no_action``.
            seed: Which of their repetitions.
            keep_length: As for the class.

        Raises:
            UnknownNameError: If there is no such model or seed.
        """
        if model not in MODELS or seed not in predictors.seeds:
            raise UnknownNameError(
                f"there is no model {model!r} of seed {seed}; there are {', '.join(MODELS)} of the "
                f"seeds {list(predictors.seeds)}"
            )
        member = MODELS.index(model) * len(predictors.seeds) + predictors.seeds.index(seed)
        weights = [weight[member].detach() for weight in predictors.weights]
        weights[0] = predictors.sees[member].T * weights[0]
        means = (predictors.latent_mean, predictors.action_mean, predictors.state_mean)
        scales = (predictors.latent_scale, predictors.action_scale, predictors.state_scale)
        return cls(
            weights,
            [bias[member].detach() for bias in predictors.biases],
            input_mean=torch.cat(means),
            input_scale=torch.cat(scales),
            latent_scale=predictors.latent_scale,
            keep_length=keep_length,
        )

    def in_bfloat16(self) -> ResidualMLP:
        """A copy whose layers compute in bfloat16: for searching, where the processor has it."""
        faster = copy.deepcopy(self)
        faster.layers.to(torch.bfloat16)
        faster.dtype = torch.bfloat16
        return faster

    def forward(self, latents: Tensor, actions: Tensor, context: Tensor | None = None) -> Tensor:
        """Next latents, float32 [N, D], of latents [N, D], actions [N, A] and context [N, C].

        Raises:
            LatentError: If these are not as many features as the model takes.
        """
        known = (latents, actions) if context is None else (latents, actions, context)
        self._check(known)
        x = torch.addcmul(self._shift, torch.cat(known, dim=-1), self._factor).to(self.dtype)
        for place, layer in enumerate(self.layers):
            x = layer(nn.functional.gelu(x) if place else x)
        following = torch.addcmul(latents, self.latent_scale, x.float())
        if not self.keep_length:
            return following
        lengths = latents.norm(dim=-1, keepdim=True) / following.norm(dim=-1, keepdim=True)
        scaled: Tensor = following * lengths
        return scaled

    def _check(self, known: Sequence[Tensor]) -> None:
        sizes = [part.shape[-1] for part in known]
        takes, dim = len(self.input_mean), len(self.latent_scale)
        if sizes[0] == dim and sum(sizes) == takes:
            return
        parts = zip(("latent", "action", "context"), sizes, strict=False)
        raise LatentError(
            f"the model takes {takes} features, {dim} of a latent and {takes - dim} of actions and "
            f"context, but was given {', '.join(f'{size} of {name}' for name, size in parts)}",
            hint="A model that was trained with a state needs it as 'context' of each goal; "
            "actions must be those that it was trained with.",
        )


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    inputs, outputs = weight.shape
    layer = nn.Linear(inputs, outputs, device=weight.device)
    with torch.no_grad():
        layer.weight.copy_(weight.T)
        layer.bias.copy_(bias.flatten())
    return layer.requires_grad_(False)
