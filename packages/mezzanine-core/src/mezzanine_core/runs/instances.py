"""The components of one run, each constructed once and held to its contract."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mezzanine_core.config import ComponentConfig
from mezzanine_core.encoders import Encoder
from mezzanine_core.errors import PluginError
from mezzanine_core.executors import Executor
from mezzanine_core.plugins.components import Component
from mezzanine_core.plugins.registry import Registry
from mezzanine_core.recipes import Recipe
from mezzanine_core.specs import Kind
from mezzanine_core.symmetries import Symmetry
from mezzanine_core.trackers import Tracker
from mezzanine_core.worlds import World, WorldData

_CONTRACTS: dict[Kind, type] = {
    "world": World,
    "symmetry": Symmetry,
    "encoder": Encoder,
    "recipe": Recipe,
    "tracker": Tracker,
    "executor": Executor,
}


def construct(component: Component, config: Any) -> Any:
    """Construct a component and check that it is what it was announced as.

    Raises:
        PluginError: If it is not, or cannot be constructed.
        MezzError: What its constructor raises of its own.
    """
    made = component.create(config)
    contract = _CONTRACTS[component.spec.kind]
    if not isinstance(made, contract):
        raise broken_contract(
            component, f"constructs {_described(made)}, which is no {contract.__name__}"
        )
    return made


def fingerprint_of(component: Component, instance: Any) -> str:
    """What a world, encoder or symmetry says that it is.

    Raises:
        PluginError: If it does not say it in text.
    """
    found = instance.fingerprint()
    if not isinstance(found, str) or not found:
        raise broken_contract(
            component, f"has a fingerprint() that returned {_described(found)}, not text"
        )
    return found


def check_dim(component: Component, encoder: Encoder[Any]) -> None:
    """Check the length that an encoder says its latents have.

    Raises:
        PluginError: If it is not a positive whole number.
    """
    dim: Any = encoder.dim
    if not isinstance(dim, int) or dim < 1:
        raise broken_contract(component, f"has the dim {dim!r}, which is no length of a latent")


@contextmanager
def world_data_expected(components: Iterable[Component]) -> Iterator[None]:
    """Tell a recipe that stumbles over what a world loaded from one that is wrong itself.

    Recipes load their world themselves, so that what it gives is first used in their code.

    Args:
        components: What fills the slots of the recipe.

    Raises:
        PluginError: If the one world among them gave something else than its data.
    """
    try:
        yield
    except AttributeError as error:
        worlds = [component for component in components if component.spec.kind == "world"]
        asked = error.name in ("labelled", "splits", "transitions")
        if len(worlds) == 1 and asked and not isinstance(error.obj, WorldData):
            found = _described(error.obj)
            raise broken_contract(
                worlds[0], f"has a load() that returned {found}, not WorldData"
            ) from error
        raise


def broken_contract(component: Component, what: str) -> PluginError:
    """The error that a component does not do what its contract says."""
    return PluginError(
        f"the {component} {what}",
        hint=f"The {component.spec.kind} breaks its contract; report this to its author, or try "
        f"`pip install --upgrade {component.distribution}`.",
    )


def _described(value: Any) -> str:
    text = repr(value)
    return f"{text} ({type(value).__name__})" if len(text) < 40 else f"a {type(value).__name__}"


class Instances:
    """Constructs components, and gives the same object again for the same settings.

    An encoder's weights are then read once, though the run fingerprints the encoder before the
    recipe asks for it.

    Sets ``OMP_WAIT_POLICY=PASSIVE`` for the process, unless it is set.

    Args:
        registry: The installed plugins.
    """

    def __init__(self, registry: Registry) -> None:
        # OpenMP reads it once, when a component loads torch. Threads that spin while they wait for
        # each other slow training down tenfold as soon as the machine has other work to do.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
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
        # Not JSON, which has no place for text whose bytes were not UTF-8.
        key = (component.spec.kind, component.qualified, repr(config.model_dump(mode="json")))
        if key not in self._made:
            self._made[key] = construct(component, config)
        return self._made[key]
