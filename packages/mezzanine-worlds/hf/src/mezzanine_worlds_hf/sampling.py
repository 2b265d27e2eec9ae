"""Which rows become training and test items: deterministic in the seed, never on both sides.

Rows are numbered as the source gives them, and identified by the key of their content. Rows come
in a random order, of which a smaller sample is the first part: so the samples of two sizes share
all they can, and latents are computed once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mezzanine_core.cache.index import KeyIndex
from mezzanine_core.errors import DataError
from mezzanine_core.fingerprint import Keys

SAMPLER = 1
"""Version of the way rows are drawn; it grows when the same settings would give others."""

TEST_SHARE = 0.2
"""Which part of a single split is set apart for the test where no number is asked for."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Rows of both splits, in the order of the items.

    Attributes:
        train: Rows of the training split, int64 [n].
        test: Rows of the test split, int64 [m].
        shared: How many candidate rows for training hold content of the test split.
        dropped: How many of them were left out for it.
    """

    train: Rows
    test: Rows
    shared: int
    dropped: int


def draw_splits(
    train: Keys,
    test: Keys,
    n_train: int | None,
    n_test: int | None,
    rng: np.random.Generator,
    *,
    drop_shared: bool,
) -> Drawn:
    """Draw from two splits.

    Training rows whose content is anywhere in the test split are left out where ``drop_shared``
    says so, whether that test item is drawn or not: so the training sample does not depend on the
    size of the test sample.

    Args:
        train: Content of the training rows, uint8 [N, 16].
        test: Content of the test rows, uint8 [M, 16].
        n_train: How many to draw; ``None`` for all.
        n_test: How many to draw; ``None`` for all.
        rng: Source of all randomness.
        drop_shared: Whether content of the test split is left out of training.

    Raises:
        DataError: If there are fewer rows than asked for.
    """
    train_rng, test_rng = rng.spawn(2)
    tested = KeyIndex(test).find(train) >= 0
    candidates = train_rng.permutation(len(train))
    if drop_shared:
        candidates = candidates[~tested[candidates]]
    dropped = len(train) - len(candidates)
    why = f", of which {dropped} hold content of the test split" if dropped else ""
    drawn_train = _first(candidates, n_train, "n_train", f"{len(train)} training rows{why}")
    order = test_rng.permutation(len(test))
    drawn_test = _first(order, n_test, "n_test", f"{len(test)} test rows")
    return Drawn(drawn_train, drawn_test, int(tested.sum()), dropped)


def draw_apart(
    keys: Keys, n_train: int | None, n_test: int | None, rng: np.random.Generator
) -> Drawn:
    """Draw both splits from one, without common content.

    The different contents are put in a random order. Test rows are taken from its front and
    training rows from its back, so that neither sample depends on the size of the other; of the
    content in which the test sample ends, the remaining rows are left out.

    Args:
        keys: Content of the rows, uint8 [N, 16].
        n_train: How many to draw; ``None`` for all that are left.
        n_test: How many to draw; ``None`` for :data:`TEST_SHARE`.
        rng: Source of all randomness.

    Raises:
        DataError: If there are fewer rows than asked for, or nothing is left to train on.
    """
    # The first row that has the content stands for it.
    group = KeyIndex(keys).find(keys)
    turn = rng.permutation(len(keys))
    order = np.lexsort((turn, turn[group]))
    there_are = f"{len(keys)} rows in the one split there is"
    wanted = max(1, round(TEST_SHARE * len(keys))) if n_test is None else n_test
    test = _first(order, wanted, "n_test", there_are)
    tested = np.isin(group, group[test])
    candidates = order[::-1][~tested[order[::-1]]]
    dropped = len(keys) - len(test) - len(candidates)
    left = f"{there_are}, of which {len(test)} are for the test"
    if dropped:
        left += f" and {dropped} more hold the content of a test item"
    train = _first(candidates, n_train, "n_train", left)
    return Drawn(train, test, dropped, dropped)


def _first(rows: Rows, wanted: int | None, setting: str, there_are: str) -> Rows:
    n = len(rows) if wanted is None else wanted
    if n > len(rows) or n == 0:
        asked = "there is none" if wanted is None else f"{setting}={wanted}, but {len(rows)} is all"
        raise DataError(
            f"{asked}: there are {there_are}",
            hint=f"Ask for at most {len(rows)} with --{setting}, or leave it out for all."
            if len(rows)
            else "Give a data set with more rows.",
        )
    return rows[:n].astype(np.int64)
