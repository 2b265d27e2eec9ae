"""Clicks as the features of an action, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mezzanine_worlds_iphyre.catalogue import MAX_BLOCKS
from mezzanine_worlds_iphyre.samples import Click, Clicks

Features = npt.NDArray[np.float32]


def encode_clicks(clicks: Clicks, windows: int, delta: int) -> Features:
    """Features of all clicks of an episode, window after window.

    Args:
        clicks: What is clicked; clicks after the last window are left out.
        windows: How many windows of Δ steps there are, from the start of the episode.
        delta: Δ.

    Returns:
        float32 [windows, 12]; see :func:`~mezzanine_worlds_iphyre.world.action_features`.
    """
    features = np.zeros((windows, 2 * MAX_BLOCKS), np.float32)
    for step, block in clicks:
        window, within = divmod(step, delta)
        if window < windows:
            features[window, block] = 1.0
            features[window, MAX_BLOCKS + block] = within / delta
    return features


def decode_clicks(features: Features, start: int, delta: int) -> Clicks:
    """The clicks that come nearest to the features of one window.

    A block is clicked where its feature exceeds 1/2, at the step that comes nearest to when, within
    the window. Where two come at the same step, the one of the higher number goes to the next free
    step, or the last free one before; where no step is free, it is left out.

    Args:
        features: float32 [12].
        start: First step of the window.
        delta: Δ.
    """
    at: dict[int, int] = {}
    for block in np.flatnonzero(features[:MAX_BLOCKS] > 0.5).tolist():
        step = int(np.clip(np.rint(features[MAX_BLOCKS + block] * delta), 0, delta - 1))
        free = [s for s in (*range(step, delta), *range(step - 1, -1, -1)) if s not in at]
        if free:
            at[free[0]] = block
    return tuple(Click(start + step, block) for step, block in sorted(at.items()))
