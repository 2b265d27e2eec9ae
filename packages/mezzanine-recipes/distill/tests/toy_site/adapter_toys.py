"""A small transformer of texts that can be adapted; run as a program, it trains an adapter.

The program is for tests that kill it: ``python adapter_toys.py CHECKPOINT EPOCHS``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mezzanine_core.progress import Progress
from mezzanine_core.warrant import ViewGroups
from mezzanine_core.worlds import ArrayColumn, Batch
from mezzanine_recipes_distill.adapter import AdapterSettings, AdapterStudent
from mezzanine_recipes_distill.adapter_checkpoints import Checkpoints
from mezzanine_recipes_distill.adapter_training import TaughtViews, adapter_steps, fit_adapter
from mezzanine_recipes_distill.heads import Head

WIDTH, WORDS, LONGEST, CLASSES = 16, 12, 24, 3

CPU = torch.device("cpu")


class Block(nn.Module):
    """Attention and a perceptron."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.up, self.down = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.noise = nn.Dropout(0.5)  # would show if anything were in training mode

    def forward(self, x: torch.Tensor, *, mask: torch.Tensor) -> torch.Tensor:
        """Hidden states [B, S, D] to the next ones; mask [B, S] is true where there is text."""
        y = self.norms[0](x)
        parts = (self.query(y), self.key(y), self.value(y))
        y = nn.functional.scaled_dot_product_attention(*parts, attn_mask=mask[:, None])
        x = x + self.noise(self.out(y))
        return x + self.down(nn.functional.gelu(self.up(self.norms[1](x))))


class Transformer(nn.Module):
    """Words and positions, some blocks, and the mean over words."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS + 1, WIDTH)
        self.places = nn.Embedding(LONGEST, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(blocks))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Word numbers [B, S], zero for padding, to latents [B, D]."""
        mask = ids > 0
        x = self.words(ids) + self.places.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, mask=mask)
        weight = mask[:, :, None].to(x.dtype)
        return (x * weight).sum(dim=1) / weight.sum(dim=1)


class ToyTrainable:
    """Texts of numbers below 12 and blanks, such as ``3 1 4``; counts what passes through."""

    def __init__(self, blocks: int = 3) -> None:
        generator = torch.Generator().manual_seed(5)
        self.module: Any = Transformer(blocks).eval()
        with torch.no_grad():
            for parameter in self.module.parameters():
                spread = 0.3 if parameter.ndim > 1 else 0.05
                parameter.fill_(float(parameter.ndim == 1))
                parameter.add_(torch.randn(parameter.shape, generator=generator) * spread)
        self.blocks: Sequence[str] = tuple(f"blocks.{index}" for index in range(blocks))
        self.prepared = 0
        self.passes: list[list[tuple[int, ...]]] = []

    def prepare(self, batch: Batch) -> list[tuple[int, ...]]:
        """Numbers of the words."""
        self.prepared += len(batch)
        return [tuple(int(word) + 1 for word in text.split()) for text in batch]

    def sizes(self, prepared: Sequence[tuple[int, ...]]) -> np.ndarray:
        """Words of each text."""
        return np.array([len(item) for item in prepared], np.int64)

    def features(self, prepared: Sequence[tuple[int, ...]]) -> torch.Tensor:
        """Latents with gradients."""
        self.passes.append(list(prepared))
        longest = max(map(len, prepared))
        ids = torch.tensor([[*item, *[0] * (longest - len(item))] for item in prepared])
        return self.module(ids).float()


def make_head() -> Head:
    """A base model."""
    head = Head(WIDTH, CLASSES)
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return head


def make_student(
    trainable: ToyTrainable | None = None, seed: int = 0, **settings: Any
) -> AdapterStudent:
    """A student that has learnt nothing yet."""
    given = AdapterSettings(**{"layers": 2, "rank": 4, "alpha": 8.0, "lr": 1e-2, **settings})
    generator = torch.Generator().manual_seed(seed)
    return AdapterStudent(trainable or ToyTrainable(), make_head(), given, generator, CPU)


def make_taught(sizes: Sequence[int], seed: int = 0) -> TaughtViews:
    """Items with so many views each: orders of their words. The teacher counts words."""
    rng = np.random.default_rng([seed, 1])
    texts, targets = [], []
    for size in sizes:
        words = rng.integers(WORDS, size=rng.integers(4, LONGEST))
        texts += [" ".join(map(str, rng.permutation(words))) for _ in range(size)]
        logits = np.array([(words % CLASSES == label).mean() * 6 for label in range(CLASSES)])
        targets.append(np.exp(logits) / np.exp(logits).sum())
    groups = ViewGroups(np.array(sizes, np.int64), np.full(len(sizes), 1e6))
    label = rng.integers(CLASSES, size=len(sizes))
    return TaughtViews(ArrayColumn(texts, "text"), groups, np.array(targets), label)


def train(
    student: AdapterStudent,
    taught: TaughtViews,
    validation: TaughtViews,
    checkpoints: Checkpoints | None = None,
    progress: Progress | None = None,
) -> Any:
    """Train as a recipe would."""
    progress = progress or Progress(quiet=True)
    steps = adapter_steps(len(taught.label), student.settings)
    with progress.task("adapter", steps) as task:
        return fit_adapter(
            student,
            taught,
            validation,
            generator=torch.Generator().manual_seed(9),
            executor=None,
            task=task,
            checkpoints=checkpoints,
        )


def main(path: str, epochs: str) -> None:
    """Train with a checkpoint after every step."""
    torch.set_num_threads(1)
    student = make_student(epochs=int(epochs), batch_items=4)
    checkpoints = Checkpoints(Path(path), {"seed": 0}, minutes=0)
    train(student, make_taught([3] * 20), make_taught([2] * 6, seed=1), checkpoints)


if __name__ == "__main__":
    main(*sys.argv[1:])
