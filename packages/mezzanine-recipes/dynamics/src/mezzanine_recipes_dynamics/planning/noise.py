"""Normal noise for action sequences: a generator for each goal, white or coloured in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mezzanine_core.errors import ConfigError

_SEEDS = 2**63


def goal_seeds(seed: int, goals: int) -> list[int]:
    """Seeds of goals 0, 1, …: each a function of the base seed and its place alone.

    Raises:
        ConfigError: If the base seed is negative.
    """
    if seed < 0:
        raise ConfigError(f"seed={seed} must be at least 0")
    return [
        int(np.random.SeedSequence((seed, place)).generate_state(1, np.uint64)[0]) % _SEEDS
        for place in range(goals)
    ]


class GoalNoise:
    """Standard normal numbers for the action sequences of each of G goals.

    Args:
        seeds: Seed of each goal's generator.
        horizon: Number H of steps.
        action_dim: Number A of features.
        colour: The exponent β; see :func:`colouring`.
        device: Where the numbers are drawn. Other kinds of device draw other numbers.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        horizon: int,
        action_dim: int,
        *,
        colour: float = 0.0,
        device: torch.device,
    ) -> None:
        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        self._shape = (horizon, action_dim)
        self._device = device
        self._colouring = (
            colouring(horizon, colour).T.to(device) if colour and horizon > 1 else None
        )

    def draw(self, goals: Sequence[int], count: int) -> Tensor:
        """The next ``count`` sequences of some goals, float32 [len(goals), count, H, A]."""
        drawn = torch.empty(len(goals), count, *self._shape, device=self._device)
        for place, goal in enumerate(goals):
            torch.randn((count, *self._shape), generator=self._generators[goal], out=drawn[place])
            if self._colouring is not None:
                # One goal at a time, so that how sums are rounded does not depend on the others.
                white = drawn[place].view(count, self._shape[1], self._shape[0])
                drawn[place] = (white @ self._colouring).transpose(1, 2)
        return drawn


def colouring(horizon: int, colour: float) -> Tensor:
    """What turns white noise into noise with a power spectrum of 1/f^β, each step of variance one.

    Sequences of such noise keep to one direction for longer, the larger β is: 0 is white, 1 pink, 2
    red. The spectrum is that of Timmer and König (1995, "On generating power law noise") as in the
    package ``colorednoise`` that iCEM uses (Pinneri et al. 2020, "Sample-efficient Cross-Entropy
    Method for Real-time Planning"): the frequency zero is treated as the lowest other one. That
    package makes the variance about the mean of a sequence one; here that of every step is, so that
    a standard deviation means what it says. A Fourier transform is linear, so the H normal numbers
    that it takes become H coloured ones by one matrix.

    Args:
        horizon: Number H of steps, at least 1.
        colour: The exponent β, at least 0.

    Returns:
        float32 [H, H]: times a column of white noise it gives a column of coloured noise.

    Raises:
        ConfigError: If one of them is out of range.
    """
    if horizon < 1 or not 0 <= colour < float("inf"):
        raise ConfigError(
            f"noise has a horizon of at least 1 and a colour of at least 0, not {horizon}, {colour}"
        )
    frequencies = np.fft.rfftfreq(horizon)
    frequencies[0] = frequencies[1] if horizon > 1 else 1.0
    scale = frequencies ** (-colour / 2)
    # Frequency zero, and the highest of an even horizon, have a real part alone, of all the power.
    single = [0] + ([len(scale) - 1] if horizon % 2 == 0 else [])
    double = [place for place in range(len(scale)) if place not in single]
    spectra = np.zeros((horizon, len(scale)), dtype=np.complex128)
    for row, place in enumerate(single):
        spectra[row, place] = np.sqrt(2) * scale[place]
    for row, place in enumerate(double):
        spectra[len(single) + 2 * row, place] = scale[place]
        spectra[len(single) + 2 * row + 1, place] = 1j * scale[place]
    columns = np.fft.irfft(spectra, n=horizon, axis=1)
    matrix = columns.T / np.sqrt((columns**2).sum(axis=0))[:, None]
    return torch.from_numpy(matrix.astype(np.float32))
