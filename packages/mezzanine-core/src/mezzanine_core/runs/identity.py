"""What makes a run the run that it is: its recipe, settings and components, fingerprinted."""

from __future__ import annotations

from dataclasses import dataclass

from mezzanine_core.config.resolve import Resolved
from mezzanine_core.fingerprint import fingerprint
from mezzanine_core.plugins.components import Component
from mezzanine_core.results import ComponentRecord
from mezzanine_core.runs.instances import Instances, check_dim, fingerprint_of


@dataclass(frozen=True)
class Identity:
    """What a run is.

    Attributes:
        fingerprint: Of the recipe's implementation and version, the settings, and what the
            components say that they are; 64 hexadecimal digits. Where and how fast the run is
            computed does not enter.
        components: Slot of the recipe → what fills it.
    """

    fingerprint: str
    components: dict[str, ComponentRecord]

    def distributions(self, recipe: Component) -> list[str]:
        """The distributions whose code the run goes through, the recipe's first."""
        return [recipe.distribution, *(each.distribution for each in self.components.values())]


def identify(resolved: Resolved, instances: Instances) -> Identity:
    """Construct the components of a run and fingerprint it.

    Raises:
        PluginError: If a component breaks its contract.
        MezzError: If a component cannot be constructed.
    """
    components = {}
    for slot, component in resolved.components.items():
        instance = instances.of(component, getattr(resolved.config, slot))
        if component.spec.kind == "encoder":
            check_dim(component, instance)
        components[slot] = ComponentRecord(
            name=component.spec.name,
            distribution=component.distribution,
            version=component.version,
            fingerprint=fingerprint_of(component, instance),
        )
    return Identity(
        fingerprint=fingerprint(
            {
                **resolved.payload(),
                "version": resolved.recipe.version,
                "components": {slot: record.fingerprint for slot, record in components.items()},
            }
        ),
        components=components,
    )
