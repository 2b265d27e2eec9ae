"""Specs: how a plugin announces a component without importing what implements it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from mezzanine_core.errors import PluginError

Kind = Literal["world", "symmetry", "encoder", "recipe", "tracker", "executor"]
"""What a component is."""

KINDS: tuple[Kind, ...] = get_args(Kind)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Spec:
    """A component as its plugin announces it.

    All references are strings, resolved on first use, so that listing components and building the
    help of a command imports no simulator and no deep-learning library.

    Attributes:
        kind: What the component is.
        name: Its short name, ``[a-z][a-z0-9_]*``; unique among the installed plugins of a kind.
        summary: One line for listings.
        config: ``"package.module:Class"`` of the pydantic model of its configuration. The module
            must be importable without heavy libraries, since ``--help`` imports it.
        factory: ``"package.module:Class"`` of the implementation, called with the configuration.
        defaults: Values that replace the model's defaults. A preset is a Spec with defaults only:
            the same ``config`` and ``factory`` as the Spec it specialises.
        tags: Free words to filter listings by.
        requires: Requirement strings that must be installed for the component to run, for what
            its distribution leaves optional (extras).

    Raises:
        PluginError: If the kind is unknown, or the name or a reference is malformed.
    """

    kind: Kind
    name: str
    summary: str
    config: str
    factory: str
    defaults: Mapping[str, Any] = field(default_factory=dict, hash=False)
    tags: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise PluginError(f"spec {self.name!r}: unknown kind {self.kind!r}; one of {KINDS}")
        if not _NAME.fullmatch(self.name):
            raise PluginError(
                f"{self.kind} spec: the name {self.name!r} is not of the form [a-z][a-z0-9_]*"
            )
        for label, reference in (("config", self.config), ("factory", self.factory)):
            if not _REFERENCE.fullmatch(reference):
                raise PluginError(
                    f"{self.kind} {self.name!r}: {label}={reference!r} is not 'package.module:Name'"
                )

    def load_config(self) -> Any:
        """Import and return the configuration model."""
        return self._load(self.config)

    def load_factory(self) -> Any:
        """Import and return the implementation."""
        return self._load(self.factory)

    def _load(self, reference: str) -> Any:
        module, _, attribute = reference.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except AttributeError:
            raise PluginError(
                f"{self.kind} {self.name!r}: module {module!r} has no {attribute!r}",
                hint="The plugin's spec is wrong; report this to its author.",
            ) from None
        except ImportError as error:
            raise PluginError(
                f"{self.kind} {self.name!r} cannot be imported from {module!r}: {error}",
                hint="Run `mezz doctor` to see which dependency is missing or broken.",
            ) from error
