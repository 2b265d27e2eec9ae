"""Which splits of a source a world takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mezzanine_core.errors import ConfigError
from mezzanine_worlds_hf.fields import listed

TEST_SPLITS = ("test", "validation", "dev", "val")
"""Which split is the test split where none is named: the first of these that there is."""


@dataclass(frozen=True)
class Plan:
    """The splits of a source that are trained and tested on; one and the same for both if equal."""

    train: str
    test: str

    @property
    def names(self) -> tuple[str, ...]:
        """The splits to read, the training split first."""
        return tuple(dict.fromkeys((self.train, self.test)))


def choose_splits(there_are: Sequence[str], train: str | None, test: str | None) -> Plan:
    """Choose the splits to train and test on.

    Args:
        there_are: The splits of the source.
        train: The one that the settings name; by default ``train``, or the only one.
        test: The one that the settings name; by default the first there is of
            :data:`TEST_SPLITS`, and the training split where that is the only one.

    Raises:
        ConfigError: If a named split is not there, or none can be chosen.
    """
    for setting, name in (("train_split", train), ("test_split", test)):
        if name is not None and name not in there_are:
            raise ConfigError(
                f"there is no split {name!r}; there are {listed(there_are)}",
                hint=f"Set --{setting} to one of them.",
            )
    if train is None:
        if "train" not in there_are and len(there_are) > 1:
            raise ConfigError(
                f"which split to train on is not plain; there are {listed(there_are)}",
                hint="Name it with --train_split.",
            )
        train = "train" if "train" in there_are else there_are[0]
    if test is None:
        usual = [name for name in TEST_SPLITS if name in there_are and name != train]
        if not usual and len(there_are) > 1:
            raise ConfigError(
                f"which split to test on is not plain; there are {listed(there_are)}",
                hint="Name it with --test_split; the training split again, to set items of it "
                "apart.",
            )
        test = usual[0] if usual else train
    return Plan(train, test)
