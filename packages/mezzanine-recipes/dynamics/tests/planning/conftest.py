"""Fixtures of the planning tests: costs whose optimum is known, and small latent models."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from mezzanine_recipes_dynamics.planning import Prior, ResidualMLP


class Bowl:
    """Squared distance of a sequence to the one that each goal names; convex, lowest at 0."""

    def get_cost(self, info_dict: dict[str, Tensor], action_candidates: Tensor) -> Tensor:
        return (action_candidates - info_dict["target"]).square().sum(dim=(-2, -1))


@pytest.fixture
def bowl() -> Bowl:
    return Bowl()


@pytest.fixture
def targets() -> Tensor:
    """Sequences to find, [G, H, A] = [5, 3, 2]."""
    return torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(1)) * 0.7


@pytest.fixture
def prior() -> Prior:
    return Prior(torch.zeros(2), torch.ones(2))


@pytest.fixture
def make_model() -> Callable[..., ResidualMLP]:
    """A model with random weights that depends on the action strongly."""

    def make(dim: int = 8, actions: int = 2, hidden: int = 16, states: int = 0) -> ResidualMLP:
        generator = torch.Generator().manual_seed(3)
        widths = [dim + actions + states, hidden, hidden, dim]
        weights = [
            torch.randn(wide, narrow, generator=generator) / wide**0.5
            for wide, narrow in pairwise(widths)
        ]
        return ResidualMLP(
            weights,
            [torch.zeros(narrow) for narrow in widths[1:]],
            input_mean=torch.zeros(widths[0]),
            input_scale=torch.ones(widths[0]),
            latent_scale=torch.ones(dim),
        )

    return make


@pytest.fixture
def make_info() -> Callable[..., dict[str, Tensor]]:
    """Latents and goals of G goals, random."""

    def make(goals: int, dim: int = 8) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(5)
        return {
            "latent": torch.randn(goals, dim, generator=generator),
            "goal": torch.randn(goals, dim, generator=generator),
        }

    return make
