"""Typed errors of models that cannot be found, loaded or used."""

from __future__ import annotations

from typing import ClassVar

from mezzanine_core.errors import ConfigError, MezzError, MissingDependencyError


class ModelNotFoundError(MissingDependencyError):
    """A model is neither a local folder, nor cached, nor to be had from the hub now."""


class ModelFilesError(MezzError, OSError):
    """The files of a model are incomplete, broken or truncated."""

    exit_code: ClassVar[int] = 3


class UnsuitableModelError(ConfigError, TypeError):
    """The model exists and loads, but is not of a kind that the encoder can use."""
