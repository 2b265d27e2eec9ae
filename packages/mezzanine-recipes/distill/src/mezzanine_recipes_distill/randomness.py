"""Where the randomness of a run comes from: one independent stream for each purpose.

Streams are spawned, so that drawing more from one never changes another. Those of a repetition are
the same whichever other repetitions the run has, and those of a student whichever other students.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mezzanine_core.context import repetition_rng

_RUN_BRANCH = 1


@dataclass(frozen=True, eq=False)
class RunStreams:
    """Streams of what a run does once, whatever its repetitions.

    Attributes:
        bootstrap: The resamples behind the intervals.
    """

    bootstrap: np.random.Generator


@dataclass(frozen=True, eq=False)
class RepetitionStreams:
    """Streams of one repetition.

    Attributes:
        split: Which training items are held out for validation.
        base: Weights and batches of the base model.
        head: Those of the student ``head``.
        projection: Those of the student ``projection``.
        latent: Those of the student ``latent``.
        adapter_weights: Initial weights of the student ``adapter``.
        adapter_batches: Its batches, and the pairs of views in them.
    """

    split: np.random.Generator
    base: torch.Generator
    head: torch.Generator
    projection: torch.Generator
    latent: torch.Generator
    adapter_weights: torch.Generator
    adapter_batches: torch.Generator


def run_streams(seed: int) -> RunStreams:
    """The streams of a run with this base seed."""
    return RunStreams(*run_rngs(seed, 1))


def repetition_streams(seed: int, repetition: int) -> RepetitionStreams:
    """The streams of one repetition of a run with this base seed."""
    split, *others = repetition_rng(seed, repetition).spawn(7)
    return RepetitionStreams(split, *(torch_generator(rng) for rng in others))


def run_rngs(seed: int, count: int) -> list[np.random.Generator]:
    """Independent generators of a run with this base seed, other than those of its repetitions."""
    # The spawn key keeps them apart from repetition 0, whose entropy (seed, 0) equals (seed).
    root = np.random.SeedSequence(seed, spawn_key=(_RUN_BRANCH,))
    return [np.random.default_rng(child) for child in root.spawn(count)]


def torch_generator(rng: np.random.Generator) -> torch.Generator:
    """A torch generator on the CPU, seeded from one of numpy."""
    return torch.Generator().manual_seed(int(rng.integers(2**63)))
