"""The plugin host: finds what is installed, loads each isolated, and hands out components."""

from mezzanine_core.plugins.components import Component, PluginRecord, Status
from mezzanine_core.plugins.discovery import (
    load_registry,
    plugin_entry_points,
    strict_by_default,
)
from mezzanine_core.plugins.registry import Registry

__all__ = [
    "Component",
    "PluginRecord",
    "Registry",
    "Status",
    "load_registry",
    "plugin_entry_points",
    "strict_by_default",
]
