"""Where the randomness of a run comes from: one independent stream for each purpose.

Streams are spawned, so that drawing more from one never changes another. Those of a repetition are
the same whichever other repetitions the run has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mezzanine_core.context import repetition_rng
from mezzanine_recipes_distill.randomness import run_rngs, torch_generator


@dataclass(frozen=True, eq=False)
class RunStreams:
    """Streams of what a run does once, whatever its repetitions.

    Attributes:
        holdout: Which training episodes are held out.
        noise: The numbers that replace the actions in the negative control.
        bootstrap: The resamples behind the intervals.
        montage: Which transitions are shown.
        retrieval: Which transitions and which wrong actions retrieval is asked about.
        planning: Which goals are planned for, the planner's seeds, and the random actions.
        playing: Which tasks are played, and what the players draw.
    """

    holdout: np.random.Generator
    noise: np.random.Generator
    bootstrap: np.random.Generator
    montage: np.random.Generator
    retrieval: np.random.Generator
    planning: np.random.Generator
    playing: np.random.Generator


@dataclass(frozen=True, eq=False)
class RepetitionStreams:
    """Streams of one repetition.

    Attributes:
        weights: Initial weights, shared by both models.
        batches: Order of the training batches, shared by both models.
        shuffles: The action shuffles.
    """

    weights: torch.Generator
    batches: torch.Generator
    shuffles: np.random.Generator


def run_streams(seed: int) -> RunStreams:
    """The streams of a run with this base seed."""
    return RunStreams(*run_rngs(seed, 7))


def repetition_streams(seed: int, repetition: int) -> RepetitionStreams:
    """The streams of one repetition of a run with this base seed."""
    weights, batches, shuffles = repetition_rng(seed, repetition).spawn(3)
    return RepetitionStreams(torch_generator(weights), torch_generator(batches), shuffles)
