"""Typed errors of data sets that cannot be found."""

from __future__ import annotations

from mezzanine_core.errors import MissingDependencyError


class DatasetNotFoundError(MissingDependencyError):
    """A data set is neither a local path, nor cached, nor to be had from the hub now."""
