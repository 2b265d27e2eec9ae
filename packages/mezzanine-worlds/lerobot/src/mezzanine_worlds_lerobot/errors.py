"""Typed errors of data sets that cannot be found, or that this world does not read."""

from __future__ import annotations

from mezzanine_core.errors import DataError, MissingDependencyError


class DatasetNotFoundError(MissingDependencyError):
    """A data set, or a file of it, is neither cached nor to be had from the hub now."""


class FormatError(DataError):
    """A data set is in another version of LeRobot's format than the one that is read."""
