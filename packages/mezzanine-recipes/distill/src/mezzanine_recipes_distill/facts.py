"""What a reader must know of the data behind a verdict, and what makes a run pointless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.cache.index import KeyIndex
from mezzanine_core.encoders import CountsTokens, Encoder
from mezzanine_core.errors import DataError
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import Keys
from mezzanine_core.results import Estimate
from mezzanine_core.views import SplitViews
from mezzanine_core.warrant import ViewGroups
from mezzanine_core.worlds import Labelled

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MIN_TEST = 2
"""Fewest different test items: intervals resample them."""

FEW_TEST = 100
"""Below so many different test items, intervals are said to be wide."""

MUCH_TRUNCATED = 0.01
"""Share of test items with a view that is cut off above which a reader is told."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What is counted of the views of one split.

    Attributes:
        items: How many items there are.
        distinct: How many of them differ.
        exact: Items whose views are their whole orbit, bool [n].
        single: Items with a single realisation, bool [n].
        truncated: Items of which the encoder cuts a view off, bool [n]; ``None`` where it does not
            say.
    """

    items: int
    distinct: int
    exact: Mask
    single: Mask
    truncated: Mask | None

    def report(self) -> dict[str, Any]:
        """The same as shares of all items, as plain values."""
        return {
            "items": self.items,
            "distinct": self.distinct,
            "exact_orbit_share": float(self.exact.mean()),
            "single_realisation_share": float(self.single.mean()),
            "truncated_share": None if self.truncated is None else float(self.truncated.mean()),
        }


def clusters_of(keys: Keys) -> Ints:
    """Which items are equal: the same number for equal keys, int64 [n]."""
    return KeyIndex(keys).find(keys)


def overlap(test: Keys, train: Keys) -> Mask:
    """Which test items are in the training split too, bool [n]."""
    found: Mask = KeyIndex(train).find(test) >= 0
    return found


def find_facts(
    split: Labelled, views: SplitViews, encoder: Encoder[Any], executor: Executor
) -> Facts:
    """Count what is to be said of a split."""
    return Facts(
        items=len(split),
        distinct=len(np.unique(clusters_of(split.input.keys))),
        exact=views.exact,
        single=views.groups.population() == 1,
        truncated=_truncated(views, encoder, executor),
    )


def check_splits(train: Labelled, test: Labelled, seen: ViewGroups) -> None:
    """Refuse data that allow no answer.

    Args:
        train: Training items.
        test: Test items.
        seen: How the views of the test items were drawn.

    Raises:
        DataError: If the splits have different classes, training knows one class alone, there are
            too few test items, or none of them has a second realisation.
    """
    if train.label_names != test.label_names:
        raise DataError(
            f"the classes of the training split are {list(train.label_names)}, those of the test "
            f"split {list(test.label_names)}",
            hint="Both splits need the same classes in the same order.",
        )
    if len(np.unique(train.label)) < 2:
        raise DataError(
            f"all {len(train)} training items have the same label",
            hint="Draw more items, or from a split that holds several classes.",
        )
    distinct = len(np.unique(clusters_of(test.input.keys)))
    if distinct < MIN_TEST:
        raise DataError(
            f"{len(test)} test items of which {distinct} differ are too few for an interval",
            hint="Raise n_test; a few hundred give usable intervals.",
        )
    if (seen.population() == 1).all():
        raise DataError(
            f"none of the {len(test)} test items has more than one realisation under the symmetry, "
            "so there is no gap to measure",
            hint="Look at the symmetry's settings (what its unit is, what stays in place), or take "
            "longer items.",
        )


def weaknesses(
    train: Facts,
    test: Facts,
    leaked: int,
    seeds: int,
    base_accuracy: Estimate,
    commonest: float,
) -> list[str]:
    """Everything that a verdict must say besides its figures.

    Args:
        train: Counts of the training split.
        test: Counts of the test split.
        leaked: How many test items are in training too.
        seeds: How many repetitions there are.
        base_accuracy: Of the base model on canonical views.
        commonest: Share of the most frequent label among test items.
    """
    found = []
    if leaked:
        found.append(f"the splits leak: {leaked} of {test.items} test items are in training too")
    for name, facts in (("test", test), ("training", train)):
        cut = 0.0 if facts.truncated is None else float(facts.truncated.mean())
        if cut > MUCH_TRUNCATED:
            found.append(
                f"{cut:.0%} of the {name} items have a view that the encoder cuts off, so their "
                "views differ in what is read, not in its order alone"
            )
    if (single := float(test.single.mean())) > 0:
        found.append(
            f"{single:.0%} of the test items have a single realisation and so no gap, which "
            "lowers every mean over items"
        )
    if test.distinct < FEW_TEST:
        found.append(f"only {test.distinct} different test items: the intervals are wide")
    if seeds == 1:
        found.append(
            "only one seed: the intervals hold for this training alone and say nothing of how much "
            "another one would differ"
        )
    if base_accuracy.low <= commonest:
        found.append(
            f"the base model ({base_accuracy.value:.1%} right) is not surely better than always "
            f"giving the most frequent answer ({commonest:.1%})"
        )
    return found


def _truncated(views: SplitViews, encoder: Encoder[Any], executor: Executor) -> Mask | None:
    if not isinstance(encoder, CountsTokens):
        return None
    limit = encoder.max_length
    cut = np.zeros(len(views.column), np.bool_)
    for rows, texts in views.column.fetch(np.arange(len(views.column)), executor):
        cut[rows] = encoder.count_tokens(texts) > limit
    found: Mask = np.logical_or.reduceat(cut, views.groups.starts())
    return found
