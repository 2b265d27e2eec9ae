"""Training of the predictors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mezzanine_core.errors import LatentError
from mezzanine_recipes_dynamics.config import LatentDynamicsConfig
from mezzanine_recipes_dynamics.predictors import MODELS, Predictors
from mezzanine_recipes_dynamics.randomness import RepetitionStreams
from mezzanine_recipes_dynamics.samples import Samples

_CURVE_POINTS = 40
_HELD_OUT_ROWS = 512


@dataclass(frozen=True, eq=False)
class Curves:
    """Loss, 1 − cosine, in the course of training.

    Attributes:
        steps: Optimiser steps taken at each of T points.
        train: Mean over the batches since the point before, float64 [2, S, T], models in
            the order of :data:`~mezzanine_recipes_dynamics.predictors.MODELS`.
        held_out: On training episodes that were held out, at each point, float64 [2, S, T];
            ``None`` where none were.
    """

    steps: tuple[int, ...]
    train: npt.NDArray[np.float64]
    held_out: npt.NDArray[np.float64] | None


class Trainer:
    """Trains both predictors of every seed at once with AdamW on 1 − cosine.

    Both predictors of a seed see the same batches in the same order, drawn with replacement. The
    losses are summed over members, so that none is changed by the others. On a given CPU, with a
    given number of threads, the outcome is deterministic.

    Args:
        samples: What to train on.
        held_out: What the second curve is measured on; up to 512 evenly spaced rows of it
            are used.
        config: Steps, batch size, learning rate, weight decay, width and depth.
        streams: The randomness of each of ``config.seeds``.
        device: Where to train.
    """

    def __init__(
        self,
        samples: Samples,
        held_out: Samples | None,
        config: LatentDynamicsConfig,
        streams: Sequence[RepetitionStreams],
        device: torch.device,
    ) -> None:
        self._config = config
        self._streams = streams
        self._device = device
        self.predictors = Predictors(
            dim=samples.latents.shape[1],
            actions=samples.actions.shape[1],
            hidden=config.hidden,
            depth=config.depth,
            seeds=config.seeds,
            states=0 if samples.state is None else samples.state.shape[1],
        )
        self.predictors.initialise([stream.weights for stream in streams])
        self.predictors.standardise(
            torch.from_numpy(samples.latents),
            torch.from_numpy(samples.actions),
            None if samples.state is None else torch.from_numpy(samples.state),
        )
        self.predictors.to(device)
        self._data = self._prepare(samples)
        self._held_out = None if held_out is None else self._prepare(held_out, _HELD_OUT_ROWS)
        self._steps: list[int] = []
        self._train: list[Tensor] = []
        self._tested: list[Tensor] = []

    @property
    def measured(self) -> int:
        """The step after which the losses were measured last; 0 before the first time."""
        return self._steps[-1] if self._steps else 0

    @property
    def curves(self) -> Curves:
        """The losses so far."""
        return Curves(
            steps=tuple(self._steps),
            train=self._stacked(self._train),
            held_out=self._stacked(self._tested) if self._held_out is not None else None,
        )

    def run(self) -> Iterator[int]:
        """Train, yielding the number of each step once it is taken.

        Raises:
            LatentError: If the loss is no longer finite.
        """
        config = self._config
        # The fused implementation spends a quarter of the time of the default one on a CPU.
        optimiser = torch.optim.AdamW(
            self.predictors.parameters(),
            lr=config.train_lr,
            weight_decay=config.weight_decay,
            fused=True,
        )
        interval = max(1, config.train_steps // _CURVE_POINTS)
        total, count = torch.zeros(len(MODELS) * len(config.seeds), device=self._device), 0
        for step in range(1, config.train_steps + 1):
            losses = self._losses(self._draw())
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(losses.sum())
            optimiser.step()
            total, count = total + losses.detach(), count + 1
            if step % interval == 0 or step == config.train_steps:
                self._record(step, total / count)
                total, count = torch.zeros_like(total), 0
            yield step

    def _draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """A batch for each seed, the same for both models: three times [M, B, …]."""
        size = (self._config.train_bs,)
        count = len(self._data[0])
        rows = torch.stack(
            [torch.randint(count, size, generator=stream.batches) for stream in self._streams]
        ).to(self._device)
        features, latents, targets = (part[rows].repeat(len(MODELS), 1, 1) for part in self._data)
        return features, latents, targets

    def _losses(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Mean of 1 − cosine for each member, [M]."""
        features, latents, targets = batch
        predicted = nn.functional.normalize(self.predictors(features, latents), dim=-1)
        return 1 - (predicted * targets).sum(dim=-1).mean(dim=-1)

    def _prepare(self, samples: Samples, limit: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Standardised inputs, latents and normalised targets of samples, each [n, …]."""
        count = len(samples) if limit is None else min(limit, len(samples))
        rows = np.linspace(0, len(samples) - 1, count).astype(np.int64)
        latents, actions, targets = (
            torch.from_numpy(array[rows]).to(self._device)
            for array in (samples.latents, samples.actions, samples.next_latents)
        )
        states = None
        if samples.state is not None:
            states = torch.from_numpy(samples.state[rows]).to(self._device)
        features = self.predictors.features(latents, actions, states)
        return features, latents, nn.functional.normalize(targets, dim=-1)

    def _record(self, step: int, losses: Tensor) -> None:
        if not bool(torch.isfinite(losses).all()):
            raise LatentError(
                f"training diverged: the loss is no longer finite at step {step}",
                hint=f"Lower the learning rate (train_lr is {self._config.train_lr}).",
            )
        self._steps.append(step)
        self._train.append(losses.cpu())
        if self._held_out is not None:
            features, latents, targets = (part[None] for part in self._held_out)
            with torch.no_grad():
                self._tested.append(self._losses((features, latents, targets)).cpu())

    def _stacked(self, points: list[Tensor]) -> npt.NDArray[np.float64]:
        values = torch.stack(points, dim=-1).double().numpy()
        return values.reshape(len(MODELS), len(self._config.seeds), len(points))
