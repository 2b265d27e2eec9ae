"""Configuration: models, where values come from, and what is said when they are wrong."""

from mezzanine_core.config.files import load_config_file
from mezzanine_core.config.models import (
    UNFINGERPRINTED,
    Alias,
    ComponentConfig,
    EncoderConfig,
    IntervalRecipeConfig,
    MezzModel,
    RecipeConfig,
    Slot,
    SymmetryConfig,
    WorldConfig,
    slots,
)
from mezzanine_core.config.options import RunOptions
from mezzanine_core.config.resolve import Resolved, resolve

__all__ = [
    "UNFINGERPRINTED",
    "Alias",
    "ComponentConfig",
    "EncoderConfig",
    "IntervalRecipeConfig",
    "MezzModel",
    "RecipeConfig",
    "Resolved",
    "RunOptions",
    "Slot",
    "SymmetryConfig",
    "WorldConfig",
    "load_config_file",
    "resolve",
    "slots",
]
