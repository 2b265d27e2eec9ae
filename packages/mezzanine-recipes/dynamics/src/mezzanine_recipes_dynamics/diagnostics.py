"""What may weaken a verdict: splits that overlap, and latents that hardly vary."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.collapse import LatentSpread, latent_spread
from mezzanine_core.encoders import Latents
from mezzanine_core.errors import DataError, LatentError
from mezzanine_core.fingerprint import Keys, content_keys
from mezzanine_core.worlds import Transitions
from mezzanine_recipes_dynamics.samples import Mask, Samples

MIN_TEST = 20
"""Fewest test transitions, and fewest distinct outcomes among them, that are ranked. Among 20
candidates R@10 is 0.5 by chance, and no gain of 10 ranks is possible any more."""

MIN_EPISODES = 2
"""Fewest test episodes: intervals resample them."""

FEW_EPISODES = 20
"""Below so many test episodes, intervals are said to be unreliable."""

MUCH_UNCHANGED = 0.5
"""Share of shuffled actions equal to the true one above which a reader is told."""

NEARLY_ALIKE = 0.99
"""Mean cosine between latents above which a reader is told."""


@dataclass(frozen=True, eq=False)
class Overlap:
    """What of the test split is in the training split too.

    Attributes:
        same_transition: Test samples whose transition (by key) is in training, bool [n].
        same_start: Test samples whose observation at t (by key) is one of training, bool [n].
        same_outcome: Test samples whose observation at t + Δ (by key) is an outcome in training,
            bool [n].
        twin: Test samples that have a twin in training, bool [n]: a sample with equal latents at t
            and t + Δ and an equal action (and state, if there is one), whatever their keys, so that
            this encoder cannot tell them apart. With real actions, those of ``same_transition`` are
            among them.
    """

    same_transition: Mask
    same_start: Mask
    same_outcome: Mask
    twin: Mask

    def counts(self) -> dict[str, int]:
        """How many test samples each of them holds for."""
        return {name: int(mask.sum()) for name, mask in vars(self).items()}


def find_overlap(
    train: Transitions, test: Transitions, train_samples: Samples, test_samples: Samples
) -> Overlap:
    """Compare a test split with its training split, by item keys and by latents."""
    return Overlap(
        same_transition=_among(test.keys, train.keys),
        same_start=_among(test.obs.keys, train.obs.keys),
        same_outcome=_among(test.next_obs.keys, train.next_obs.keys),
        twin=_among(_row_keys(test_samples), _row_keys(train_samples)),
    )


def check_transitions(train: Transitions, test: Transitions) -> None:
    """Refuse splits on which nothing could be shown; needs no latents.

    Raises:
        DataError: If training is empty, the splits do not fit each other, the actions of one never
            differ, or there are too few test transitions, distinct outcomes or episodes to rank and
            to resample.
    """
    if len(train) == 0:
        raise DataError("the training split is empty", hint="Raise n_train.")
    if train.action_names != test.action_names:
        raise DataError(
            f"training has the action features {list(train.action_names)}, "
            f"but test has {list(test.action_names)}"
        )
    if train.state_names != test.state_names:
        raise DataError(
            f"training has the state features {list(train.state_names)}, "
            f"but test has {list(test.state_names)}"
        )
    if not test.action_names:
        raise DataError("the world's transitions have no action features, so there is no question")
    distinct = len(np.unique(test.next_obs.keys, axis=0))
    if len(test) < MIN_TEST or distinct < MIN_TEST:
        raise DataError(
            f"{len(test)} test transitions with {distinct} distinct outcomes are too few to rank; "
            f"at least {MIN_TEST} of each are needed",
            hint="Raise n_test; a few hundred give usable intervals.",
        )
    episodes = len(np.unique(test.episode))
    if episodes < MIN_EPISODES:
        raise DataError(
            f"all {len(test)} test transitions are from one episode; "
            f"at least {MIN_EPISODES} episodes are needed, since intervals resample episodes",
            hint="Raise n_test, or take fewer samples from each episode.",
        )
    for where, split in (("training", train), ("test", test)):
        _check_differ(split, where)


def check_latents(train: Samples, test: Samples) -> LatentSpread:
    """How the test outcomes are spread.

    Raises:
        LatentError: If the latents of training or test hold NaN or infinities, or are constant.
    """
    for where, samples in (("train", train), ("test", test)):
        for what in ("latents", "next_latents"):
            _check_finite(getattr(samples, what), f"{where} {what.replace('_', ' ')}")
    spread = latent_spread(test.next_latents)
    if spread.is_constant:
        raise LatentError(
            f"all {spread.count} test latents are the same: the encoder has collapsed",
            hint="Use another encoder or other settings of it, or look at whether the world's "
            "observations differ at all.",
        )
    return spread


def spread_report(spread: LatentSpread) -> dict[str, Any]:
    """The spread of the test outcomes as plain JSON values."""
    return {**asdict(spread), "collapsed": spread.is_collapsed}


def warnings(
    overlap: Overlap, spread: LatentSpread, *, episodes: int, seeds: int, unchanged: float
) -> list[str]:
    """Everything that a verdict must say besides its figures.

    Args:
        overlap: What of the test split is in the training split.
        spread: How the test outcomes are spread.
        episodes: How many episodes the test split has.
        seeds: How many repetitions of the training there are.
        unchanged: Share of the shuffled actions that equal the true one, in [0, 1].
    """
    found = []
    if leaked := int(overlap.same_transition.sum()):
        found.append(
            f"the splits leak: {leaked} of {len(overlap.twin)} test transitions are in the "
            "training split"
        )
    if spread.is_collapsed:
        found.append(
            f"the latents are collapsed: mean cosine {spread.mean_cosine:.4f}, "
            f"effective rank {spread.effective_rank:.1f} of {spread.dim}"
        )
    elif spread.mean_cosine > NEARLY_ALIKE:
        found.append(
            f"the latents are nearly alike: their mean cosine is {spread.mean_cosine:.4f}, so "
            "cosines of predictions say little and ranks rest on small differences"
        )
    if episodes < FEW_EPISODES:
        found.append(f"only {episodes} test episodes: the intervals are unreliable")
    if seeds == 1:
        found.append(
            "only one seed: the intervals hold for this training run alone and say nothing of how "
            "much another one would differ"
        )
    if unchanged > MUCH_UNCHANGED:
        found.append(
            f"{unchanged:.0%} of the shuffled actions equal the true one, so shuffling changes "
            "little and its gains are small for that reason too"
        )
    return found


def _check_differ(split: Transitions, where: str) -> None:
    if (split.action == split.action[0]).all():
        raise DataError(
            f"all {len(split)} actions of the {where} split are the same, so whether the model "
            "uses the action cannot be asked",
            hint="Choose settings of the world under which different things are done, or draw more "
            "samples.",
        )


def _check_finite(latents: Latents, what: str) -> None:
    finite = np.isfinite(latents).all(axis=1)
    if not finite.all():
        raise LatentError(
            f"{(~finite).sum()} of {len(latents)} {what} hold NaN or infinities, "
            f"the first in row {int(np.flatnonzero(~finite)[0])}",
            hint="The encoder is broken or overflowed; try it on these observations alone.",
        )


def _row_keys(samples: Samples) -> Keys:
    """Keys of the content of whole samples, uint8 [n, 16]."""
    parts = [samples.latents, samples.actions, samples.next_latents]
    rows = zip(*parts, *([] if samples.state is None else [samples.state]), strict=True)
    # Adding zero turns -0.0 into 0.0, which is equal but has other bytes.
    return content_keys(np.concatenate(row) + 0.0 for row in rows)


def _among(keys: Keys, others: Keys) -> Mask:
    """Which keys are among others, bool [n]."""
    return np.isin(_opaque(keys), _opaque(others))


def _opaque(keys: Keys) -> npt.NDArray[np.void]:
    """Each key as one value that compares as a whole."""
    return np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1])))[:, 0]
