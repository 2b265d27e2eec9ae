"""Settings of the tracker ``tensorboard``."""

from __future__ import annotations

from mezzanine_core.config import ComponentConfig


class TensorBoardConfig(ComponentConfig):
    """The tracker ``tensorboard`` has no settings: it writes below each run's own directory."""
