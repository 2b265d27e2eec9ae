"""The components of one run, each constructed once."""

from __future__ import annotations

from typing import Any

from mezzanine_core.config import ComponentConfig
from mezzanine_core.plugins.components import Component
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.specs import Kind


class Instances:
    """Constructs components, and gives the same object again for the same settings.

    An encoder's weights are then read once, though the run fingerprints the encoder before the
    recipe asks for it.

    Args:
        registry: The installed plugins.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._made: dict[tuple[Kind, str, str], Any] = {}

    def get(self, kind: Kind, config: ComponentConfig) -> Any:
        """The component that ``config`` describes; ``config.name`` says which.

        Raises:
            MezzError: If there is no such component, or it cannot be constructed.
        """
        return self.of(self._registry.get(kind, config.name), config)

    def of(self, component: Component, config: ComponentConfig) -> Any:
        """A component that was found already."""
        key = (component.spec.kind, component.qualified, config.model_dump_json())
        if key not in self._made:
            self._made[key] = component.create(config)
        return self._made[key]
